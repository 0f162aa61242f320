import assert from 'node:assert/strict';
import test from 'node:test';
import type { Network } from '../../runtime/network.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import { ElectionPort, type ElectionPortOptions } from './election-port.ts';
import { decodeHello } from './hello.ts';

/** What a member says first to another one that has two addresses and listens at the second. */
async function helloOf(options: Partial<ElectionPortOptions>): Promise<Uint8Array> {
  const sim = new Simulation({ seed: 5 });
  const [self, other] = [sim.machine('self'), sim.machine('other')];
  const { network, clock, log } = self.runtime;
  const chunks: Uint8Array[] = [];
  const at = { host: other.host, port: 3889 };
  const take = () => ({ data: (chunk: Uint8Array) => void chunks.push(chunk), closed: () => undefined });
  await sim.complete(other.runtime.network.listen(at, take));
  const port = new ElectionPort({
    ...{ network, clock, log, helloTimeoutMs: 1000, self: 2 },
    addresses: [
      { host: 'self', port: 3888 },
      { host: 'fe80::2', port: 3890 },
    ],
    addressesOf: () => [{ host: other.host, port: 3888 }, at],
    received: () => undefined,
    ...options,
  });
  port.send(1, Buffer.from('vote'));
  await sim.runFor(1000);
  await sim.complete(port.close());
  return Buffer.concat(chunks);
}

test('a member tells one of its addresses, or all of them where several are allowed', async () => {
  for (const { multiAddress, version, want } of [
    { multiAddress: false, version: -65_536n, want: ['self:3888'] },
    { multiAddress: true, version: -65_535n, want: ['self:3888', '[fe80::2]:3890'] },
  ]) {
    const bytes = Buffer.from(await helloOf({ multiAddress }));
    assert.equal(bytes.readBigInt64BE(0), version);
    assert.deepEqual(decodeHello(bytes)?.hello, { server: 2, addresses: want });
    assert.equal(bytes.subarray(-4).toString(), 'vote');
  }
});

test('a lower member is called back at whichever address of its hello answers', async () => {
  const sim = new Simulation({ seed: 6 });
  const [lower, higher] = [sim.machine('lower'), sim.machine('higher')];
  const heard: string[] = [];
  const made = (machine: typeof lower, self: number, addresses: ElectionPortOptions['addresses']): ElectionPort => {
    const { network, clock, log } = machine.runtime;
    return new ElectionPort({
      ...{ network, clock, log, helloTimeoutMs: 1000, self, addresses, multiAddress: true },
      listenAt: [{ host: machine.host, port: 3888 }],
      // only the lower one knows the other
      addressesOf: () => (self === 1 ? [{ host: higher.host, port: 3888 }] : []),
      received: (from, message) => heard.push(`${self} from ${from}: ${Buffer.from(message)}`),
    });
  };
  const ports = [
    made(lower, 1, [
      { host: lower.host, port: 3999 },
      { host: lower.host, port: 3888 },
    ]),
    made(higher, 2, [{ host: higher.host, port: 3888 }]),
  ];
  for (const port of ports) await sim.complete(port.start());
  ports[0]?.send(2, Buffer.from('vote'));
  await sim.runFor(2000);
  assert.deepEqual(heard, ['2 from 1: vote']);
  await sim.complete(Promise.all(ports.map((port) => port.close())));
});

test('keep-alive is asked of the system for both ends, or not', async () => {
  for (const keepAlive of [true, false]) {
    const sim = new Simulation({ seed: 7 });
    const machine = sim.machine('self');
    const { network, clock, log } = machine.runtime;
    const asked: unknown[] = [];
    const recording: Network = {
      hostname: network.hostname,
      resolve: (host) => network.resolve(host),
      listen: (at, accept, options) => {
        asked.push(options?.keepAlive);
        return network.listen(at, accept, options);
      },
      connect: (to, handler, options) => {
        asked.push(options?.keepAlive);
        return network.connect(to, handler, options);
      },
    };
    const port = new ElectionPort({
      ...{ network: recording, clock, log, helloTimeoutMs: 1000, self: 2, keepAlive },
      addresses: [{ host: machine.host, port: 3888 }],
      addressesOf: () => [{ host: machine.host, port: 3999 }],
      received: () => undefined,
    });
    await sim.complete(port.start());
    port.send(1, Buffer.from('vote'));
    assert.deepEqual(asked, [keepAlive, keepAlive]);
    await sim.complete(port.close());
  }
});
