import assert from 'node:assert/strict';
import test from 'node:test';
import { NetworkError } from '../../runtime/network.ts';
import { Simulation } from '../../testing/index.ts';
import { codecFor } from '../../wire/codec.ts';
import { FrameSplitter } from '../../wire/framing.ts';
import { build } from '../../wire/schema.ts';
import { Writer } from '../../wire/writer.ts';
import { ControlledShutdownRequest, ControlledShutdownResponse } from '../protocol/messages/07-controlled-shutdown.ts';
import { NetworkChannel } from './network-channel.ts';

const VERSION = 2;

/** A peer that answers the n-th request of its life with what the script says; undefined: not at all. */
async function world(script: (nth: number) => Uint8Array | undefined) {
  const sim = new Simulation({ seed: 8 });
  const peer = sim.machine('peer');
  let nth = 0;
  await sim.complete(
    peer.runtime.network.listen({ host: '0.0.0.0', port: 9092 }, (connection) => {
      const splitter = new FrameSplitter(1 << 20);
      return {
        data: (chunk) =>
          splitter.push(chunk, () => {
            const answer = script(nth);
            nth += 1;
            if (answer !== undefined) connection.write([answer]);
            return true;
          }),
        closed: () => undefined,
      };
    }),
  );
  const { network, clock, random } = sim.machine('broker').runtime;
  const target = { id: 1, host: peer.host, port: 9092 };
  const channel = new NetworkChannel(target, { network, clock, random, clientId: 'broker-0', requestTimeoutMs: 3000 });
  const send = () =>
    channel.send(
      ControlledShutdownRequest,
      ControlledShutdownResponse,
      VERSION,
      build(ControlledShutdownRequest, { brokerId: 1, brokerEpoch: 1 }),
    );
  return { sim, channel, send };
}

function answer(correlationId: number, errorCode: number): Uint8Array {
  const writer = new Writer();
  const size = writer.placeInt32();
  writer.int32(correlationId);
  codecFor(ControlledShutdownResponse, VERSION).write(writer, build(ControlledShutdownResponse, { errorCode }));
  writer.patchInt32(size, writer.size - 4);
  return writer.finishFlat();
}

test('answers belong to their requests, in order', async () => {
  const { sim, send } = await world((nth) => answer(nth, nth));
  const answers = await sim.complete(Promise.all([send(), send(), send()]));
  assert.deepEqual(
    answers.map(({ errorCode }) => errorCode),
    [0, 1, 2],
  );
});

test('an answer that never comes breaks the connection in time; the next request goes over another', async () => {
  const { sim, send } = await world((nth) => (nth === 0 ? undefined : answer(nth, 0)));
  await assert.rejects(sim.complete(send(), 4000), NetworkError);
  assert.equal((await sim.complete(send())).errorCode, 0);
});

for (const [name, bytes] of [
  ['is cut short', Buffer.from('000000050000000000', 'hex')],
  ['belongs to another request', answer(99, 0)],
  ['has an impossible size', Buffer.from('ffffffff', 'hex')],
] as const) {
  test(`an answer that ${name} fails every request under way at once`, async () => {
    const { sim, send } = await world((nth) => (nth === 0 ? bytes : undefined));
    const [first, second] = await sim.complete(Promise.allSettled([send(), send()]), 2000);
    assert.deepEqual([first.status, second.status], ['rejected', 'rejected']);
  });
}

test('a closed channel fails what is under way and takes nothing more', async () => {
  const { sim, channel, send } = await world(() => undefined);
  const under = send();
  await sim.runFor(100);
  channel.close();
  await assert.rejects(sim.complete(under, 1000), NetworkError);
  await assert.rejects(sim.complete(send(), 1000), NetworkError);
});
