import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
// biome-ignore lint/style/noRestrictedImports: golden files
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { zooCfg } from '../../config/zoo-cfg.ts';
import type { Connection, Network } from '../../runtime/network.ts';
import type { SimMachine } from '../../runtime/sim/sim-machine.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import { QuorumNetwork } from './quorum-network.ts';

/** Made by openssl and keytool (scripts/golden/tls-stores.ts). */
const golden = (name: string): Uint8Array => readFileSync(join(import.meta.dirname, '../../../test/golden/tls', name));

type Keys = Readonly<Record<string, string | number | boolean>>;
const known: Keys = {
  'ssl.quorum.keyStore.location': '/tls/key.pem',
  'ssl.quorum.trustStore.location': '/tls/ca.pem',
};
const secured: Keys = { sslQuorum: true, ...known };
const both: Keys = { portUnification: true, ...known };

/** Two servers, the first listening. */
class Pair {
  readonly sim = new Simulation({ seed: 1, onLog: (line) => this.logged.push(line) });
  readonly logged: string[] = [];
  readonly machines: readonly SimMachine[];
  readonly networks: QuorumNetwork[] = [];

  constructor(configs: readonly Keys[], keys: readonly string[] = ['server', 'client']) {
    this.machines = ['a', 'b'].map((name) => this.sim.machine(name));
    for (const [index, { runtime }] of this.machines.entries()) {
      runtime.disk.makeDirectory('/tls');
      runtime.disk.writeFile('/tls/key.pem', golden(`${keys[index]}.pem`));
      runtime.disk.writeFile('/tls/ca.pem', golden('ca.pem'));
      const { quorumTls } = zooCfg({ dataDir: '/data', ...configs[index] });
      this.networks.push(new QuorumNetwork({ runtime, log: runtime.log, tls: quorumTls }));
    }
  }

  static async of(configs: readonly Keys[], keys?: readonly string[]): Promise<Pair> {
    const pair = new Pair(configs, keys);
    await pair.listen();
    return pair;
  }

  async listen(): Promise<void> {
    const echo = (connection: Connection) => ({
      data: (chunk: Uint8Array) => void connection.write([chunk]),
      closed: () => undefined,
    });
    const { host } = this.machines[0]!;
    await this.sim.complete(this.networks[0]!.listen({ host, port: 2888 }, echo));
  }

  /** How it is connected, as who connects sees it once an answer has come; else undefined. */
  async talk(host = this.machines[0]!.host): Promise<'plain' | 'TLS' | undefined> {
    const connection = await this.connect(host);
    const how = connection && (connection.tls === undefined ? 'plain' : 'TLS');
    connection?.destroy();
    return how;
  }

  async connect(host = this.machines[0]!.host): Promise<Connection | undefined> {
    let outcome: 'answered' | 'closed' | undefined;
    const connection: Connection = this.networks[1]!.connect(
      { host, port: 2888 },
      {
        connected: () => void connection.write([Buffer.from('hello')]),
        data: (chunk) => {
          // who expects TLS says so in an alert
          outcome = chunk[0] === 0x68 ? 'answered' : 'closed';
        },
        closed: () => {
          outcome ??= 'closed';
        },
      },
    );
    await this.sim.runUntil(() => outcome !== undefined, 30_000);
    return outcome === 'answered' ? connection : undefined;
  }
}

for (const { name, listens, connects, want } of [
  { name: 'neither has TLS', listens: {}, connects: {}, want: 'plain' },
  { name: 'both have TLS', listens: secured, connects: secured, want: 'TLS' },
  { name: 'only who connects has TLS', listens: {}, connects: secured, want: undefined },
  { name: 'only who listens has TLS', listens: secured, connects: {}, want: undefined },
  { name: 'first step of an upgrade, half way', listens: both, connects: {}, want: 'plain' },
  { name: 'first step of an upgrade, done', listens: both, connects: both, want: 'plain' },
  { name: 'second step, half way', listens: both, connects: { ...both, sslQuorum: true }, want: 'TLS' },
  { name: 'second step, the other half', listens: { ...both, sslQuorum: true }, connects: both, want: 'plain' },
  { name: 'third step', listens: secured, connects: { ...both, sslQuorum: true }, want: 'TLS' },
] as const) {
  test(`${name}: ${want ?? 'nothing comes about'}`, async () => {
    const pair = await Pair.of([listens, connects]);
    assert.equal(await pair.talk(), want);
  });
}

test('a server whose certificate is not trusted is refused, and the log says so', async () => {
  const pair = await Pair.of([secured, secured], ['server', 'stranger']);
  assert.equal(await pair.talk(), undefined);
  assert.ok(pair.logged.some((line) => line.includes('a server that connects is refused')));
  const reverse = await Pair.of([secured, secured], ['stranger', 'server']);
  assert.equal(await reverse.talk(), undefined);
});

test('ssl.quorum.clientAuth=none asks no certificate of who connects', async () => {
  const ask = async (auth: string) => {
    const pair = await Pair.of([{ ...secured, 'ssl.quorum.clientAuth': auth }, secured], ['server', 'stranger']);
    return pair.talk();
  };
  assert.deepEqual([await ask('none'), await ask('need')], ['TLS', undefined]);
});

test('a server under another name is refused where names are verified', async () => {
  const verifying = { ...secured, 'ssl.quorum.hostnameVerification': true };
  for (const { config, host, want } of [
    { config: secured, host: 'other.test', want: 'TLS' },
    { config: verifying, host: 'other.test', want: undefined },
    { config: verifying, host: 'zookeeper.test', want: 'TLS' },
    { config: { ...secured, 'fips-mode': false }, host: 'other.test', want: undefined },
  ]) {
    const pair = await Pair.of([secured, config]);
    pair.sim.network.name(host, [pair.machines[0]!.host]);
    assert.equal(await pair.talk(host), want);
  }
});

test('key material that cannot be used is told at the start', () => {
  const keys = { ...secured, 'ssl.quorum.keyStore.location': '/tls/absent.pem' };
  assert.throws(() => new Pair([keys, secured]), /ssl\.quorum\.keyStore\.location=\/tls\/absent\.pem/);
});

test('sslQuorumReloadCertFiles: changed stores count for who connects and for whom we connect to', async () => {
  const reloading = { ...secured, sslQuorumReloadCertFiles: true };
  for (const [config, changes] of [
    [reloading, true],
    [secured, false],
  ] as const) {
    const pair = await Pair.of([config, config]);
    const subject = async (): Promise<string> => {
      const connection = await pair.connect();
      const [own] = connection?.tls?.peerCertificates ?? [];
      connection?.destroy();
      return own === undefined ? 'none' : new X509Certificate(own).subject;
    };
    assert.match(await subject(), /CN=server/);
    pair.machines[0]?.runtime.disk.writeFile('/tls/key.pem', golden('renewed.pem'));
    await pair.sim.runFor(1100);
    assert.match(await subject(), changes ? /CN=renewed/ : /CN=server/);
    // who connects shows what its own file holds now
    pair.machines[1]?.runtime.disk.writeFile('/tls/key.pem', golden('stranger.pem'));
    await pair.sim.runFor(1100);
    assert.match(await subject(), changes ? /none/ : /CN=server/);
    for (const network of pair.networks) network.close();
    pair.machines[1]?.runtime.disk.writeFile('/tls/key.pem', golden('client.pem'));
    await pair.sim.runFor(1100);
    assert.match(await subject(), changes ? /none/ : /CN=server/, 'closed: nobody looks at the files');
  }
});

test('a listener that was closed is not told of new keys', async () => {
  const reloading = zooCfg({ dataDir: '/data', ...secured, sslQuorumReloadCertFiles: true });
  const pair = new Pair([secured, secured]);
  const { host, runtime } = pair.machines[0]!;
  const told: string[] = [];
  const network: Network = {
    ...runtime.network,
    listen: async (at) => ({
      address: at,
      replaceTls: () => void told.push(String(at.port)),
      close: async () => undefined,
    }),
  };
  const watched = new QuorumNetwork({ runtime: { ...runtime, network }, log: runtime.log, tls: reloading.quorumTls });
  const accept = () => ({ data: () => undefined, closed: () => undefined });
  const first = await watched.listen({ host, port: 1 }, accept);
  await watched.listen({ host, port: 2 }, accept);
  await first.close();
  runtime.disk.writeFile('/tls/key.pem', golden('renewed.pem'));
  await pair.sim.runFor(1100);
  assert.deepEqual(told, ['2']);
});
