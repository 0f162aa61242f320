/** TLS and SASL among Apache's servers and us: they count our vote when we show what we should, and not otherwise. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { zooCfg } from '../../src/config/zoo-cfg.ts';
import type { Log } from '../../src/runtime/log.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import type { Zxid } from '../../src/zookeeper/jute/ids.ts';
import { Elector } from '../../src/zookeeper/quorum/elector.ts';
import type { PeerState, Vote } from '../../src/zookeeper/quorum/notification.ts';
import { quorumAuth } from '../../src/zookeeper/quorum/quorum-auth.ts';
import { QuorumNetwork } from '../../src/zookeeper/quorum/quorum-network.ts';
import { majority, type ServerId } from '../../src/zookeeper/quorum/quorum-verifier.ts';
import { type ApacheZookeeper, startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { freePort } from './peers/free-port.ts';
import { until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';

const stores = fileURLToPath(new URL('../golden/tls/', import.meta.url));
const tlsKeys = {
  sslQuorum: 'true',
  'ssl.quorum.keyStore.location': `${stores}server.jks`,
  'ssl.quorum.keyStore.password': 'password',
  'ssl.quorum.trustStore.location': `${stores}ca.pem`,
};
const saslKeys = {
  'quorum.auth.enableSasl': 'true',
  'quorum.auth.serverRequireSasl': 'true',
  'quorum.auth.learnerRequireSasl': 'true',
  // MD5, and names that are verified
  'fips-mode': 'false',
};

const dir = tempDir();
function jaasFile(name: string, password: string): string {
  const file = join(dir, name);
  const module = 'org.apache.zookeeper.server.auth.DigestLoginModule required';
  writeFileSync(
    file,
    `QuorumServer { ${module} user_member="secret"; };\nQuorumLearner { ${module} username="member" password="${password}"; };\n`,
  );
  return file;
}
const rightJaas = jaasFile('right.conf', 'secret');
const wrongJaas = jaasFile('wrong.conf', 'guess');

interface Ours {
  readonly elector: Elector;
  readonly decisions: { readonly state: PeerState; readonly vote: Vote }[];
  readonly logged: string[];
}

interface Security {
  readonly keys: Readonly<Record<string, string>>;
  readonly jaas: string;
}

/** Servers 2 and 3 are Apache's, 1 is ours. */
class Ensemble {
  readonly #t: TestContext;
  readonly #electionPorts = new Map<ServerId, number>();
  readonly #config: Record<string, string> = {};
  readonly members = new Map<ServerId, ApacheZookeeper>();

  constructor(t: TestContext) {
    this.#t = t;
  }

  async start({ keys, jaas }: Security): Promise<void> {
    for (const id of [1, 2, 3]) {
      this.#electionPorts.set(id, await freePort());
      this.#config[`server.${id}`] = `127.0.0.1:${await freePort()}:${this.#electionPorts.get(id)}`;
    }
    await Promise.all(
      [2, 3].map(async (id) => {
        const dataDir = tempDir();
        const config = { ...this.#config, ...keys };
        const properties = { 'java.security.auth.login.config': jaas };
        const member = await startApacheZookeeper({ version: '3.9.4', dataDir, config, properties, myid: id });
        this.#t.after(() => member.kill());
        this.members.set(id, member);
      }),
    );
  }

  async join({ keys, jaas }: Security): Promise<Ours> {
    const logged: string[] = [];
    const decisions: Ours['decisions'] = [];
    const runtime = nodeRuntime({ log: listening(logged) });
    const { log } = runtime;
    const config = zooCfg({ dataDir: dir, ...keys }, { 'java.security.auth.login.config': jaas });
    const network = new QuorumNetwork({ runtime, log, tls: config.quorumTls });
    const auth = quorumAuth(runtime, config.quorumSasl, log);
    const addressesOf = (id: ServerId) => [{ host: '127.0.0.1', port: this.#electionPorts.get(id) ?? 0 }];
    const elector = new Elector({
      runtime: { ...runtime, network },
      election: { self: 1, role: 'participant', verifiers: [majority([1, 2, 3])], config: 'version=0' },
      port: { addresses: addressesOf(1), addressesOf, helloTimeoutMs: 10_000, auth },
      decided: (state, vote) => decisions.push({ state, vote }),
    });
    this.#t.after(() => elector.close());
    await elector.start();
    elector.look(0n as Zxid, 0);
    return { elector, decisions, logged };
  }
}

function listening(lines: string[]): Log {
  const hear = (text: string, fields: object = {}): void => void lines.push(`${text} ${JSON.stringify(fields)}`);
  const log: Log = { debug: hear, info: hear, warn: hear, error: hear, named: () => log };
  return log;
}

async function isElectedWithUs(ensemble: Ensemble, security: Security): Promise<void> {
  const { elector, decisions } = await ensemble.join(security);
  const first = await until('decision', () => decisions[0]);
  assert.deepEqual([first.state, first.vote.leader], ['FOLLOWING', 3]);
  // without us the one that is left could not be elected
  await ensemble.members.get(3)?.kill();
  elector.look(0n as Zxid, 0);
  const second = await until('decision for the last one', () => decisions[1]);
  assert.deepEqual([second.state, second.vote.leader], ['FOLLOWING', 2]);
  const logFile = ensemble.members.get(2)?.logFile ?? '';
  await until('leader', () =>
    /LEADING/.test(readFileSync(logFile, 'utf8').split('LOOKING').at(-1) ?? '') ? true : undefined,
  );
  await elector.close();
}

/** Nobody votes with who is refused. */
async function isRefused(ensemble: Ensemble, security: Security, refusals: (ours: Ours) => number): Promise<void> {
  const ours = await ensemble.join(security);
  // each of them
  await until('refusals', () => (refusals(ours) >= 2 ? true : undefined));
  assert.deepEqual(ours.decisions, []);
  await ours.elector.close();
}

/** So often have Apache's servers given up a connection in the middle of its beginning. */
function brokenOff(ensemble: Ensemble): number {
  const logs = [...ensemble.members.values()].map(({ logFile }) => readFileSync(logFile, 'utf8'));
  return logs.flatMap((log) => log.match(/Exception handling connection/g) ?? []).length;
}

const tls: Security = { keys: tlsKeys, jaas: rightJaas };
const stranger: Security = {
  ...tls,
  keys: { ...tlsKeys, 'ssl.quorum.keyStore.location': `${stores}stranger.pem`, 'ssl.quorum.keyStore.password': '' },
};
const sasl: Security = { keys: saslKeys, jaas: rightJaas };
const both: Security = { keys: { ...tlsKeys, ...saslKeys }, jaas: rightJaas };

test('quorum TLS: Apache counts our vote, and not with a certificate that it does not trust', async (t) => {
  const ensemble = new Ensemble(t);
  await ensemble.start(tls);
  await isRefused(
    ensemble,
    stranger,
    ({ logged }) => logged.filter((line) => line.includes('certificate unknown')).length,
  );
  await isElectedWithUs(ensemble, tls);
});

test('quorum SASL: Apache counts our vote, and not with a wrong password or without one', async (t) => {
  const ensemble = new Ensemble(t);
  await ensemble.start(sasl);
  const refusals = ({ logged }: Ours): number =>
    logged.filter((line) => line.includes('authentication failed: the server refuses us')).length;
  await isRefused(ensemble, { ...sasl, jaas: wrongJaas }, refusals);
  const before = brokenOff(ensemble);
  await isRefused(ensemble, { keys: {}, jaas: wrongJaas }, () => brokenOff(ensemble) - before);
  await isElectedWithUs(ensemble, sasl);
});

test('quorum TLS and SASL together, with names that are verified', async (t) => {
  const ensemble = new Ensemble(t);
  await ensemble.start(both);
  await isElectedWithUs(ensemble, both);
});

test('half way of an upgrade: servers that take plain and TLS, with SASL that nobody must have', async (t) => {
  const ensemble = new Ensemble(t);
  const keys = {
    ...tlsKeys,
    portUnification: 'true',
    'quorum.auth.enableSasl': 'true',
    'fips-mode': 'false',
  };
  await ensemble.start({ keys, jaas: rightJaas });
  await isElectedWithUs(ensemble, { keys: { ...keys, sslQuorum: 'false' }, jaas: rightJaas });
});
