/** Requests to change a membership: three servers of Apache and our function give the same answers, one after the other. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { zooCfg } from '../../src/config/zoo-cfg.ts';
import { SimRandom } from '../../src/runtime/sim/sim-random.ts';
import {
  type Reconfiguration as Change,
  connectZookeeper,
  type ErrorCode,
  KeeperError,
  type ZookeeperClient,
} from '../../src/zookeeper/client/index.ts';
import { establish, type Membership, membershipOf } from '../../src/zookeeper/quorum/membership.ts';
import type { ServerId } from '../../src/zookeeper/quorum/quorum-verifier.ts';
import { reconfigure } from '../../src/zookeeper/quorum/reconfiguration.ts';
import { type ApacheZookeeper, startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { freePort } from './peers/free-port.ts';
import { tempDir } from './peers/temp-dir.ts';

type Keys = Readonly<Record<string, string | number>>;
const rules = { standaloneEnabled: true, multiAddressEnabled: false };

/** The leader's client, the membership as Apache has it, and our own beside it. */
class Pair {
  readonly #client: ZookeeperClient;
  readonly #running: readonly ServerId[];
  membership: Membership;

  constructor(client: ZookeeperClient, running: readonly ServerId[], membership: Membership) {
    this.#client = client;
    this.#running = running;
    this.membership = membership;
  }

  /** Both are asked; the answer that they agree on. */
  async ask(change: Change): Promise<'changed' | ErrorCode | number> {
    const before = this.membership;
    const what = JSON.stringify(change, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
    const theirs = await this.#client.reconfigure(change).catch((error: unknown) => {
      if (error instanceof KeeperError) return error.code;
      throw error;
    });
    const request = {
      joiningServers: change.joining ?? null,
      leavingServers: change.leaving ?? null,
      newMembers: change.members ?? null,
      curConfigId: change.fromConfig ?? -1n,
    };
    const isQuorumSynced = ({ verifier }: Membership): boolean => verifier.isQuorum(this.#running);
    const zxid = typeof theirs === 'number' ? before.version + 1n : theirs.stat.mzxid;
    const ours = reconfigure(request, { current: before, lastSeen: before, rules, isQuorumSynced }, zxid);
    if (ours.kind === 'refused') {
      assert.equal(
        new KeeperError(ours.code).name,
        typeof theirs === 'number' ? new KeeperError(theirs).name : 'changed',
        what,
      );
      return ours.code;
    }
    assert.ok(typeof theirs !== 'number', `ours: changed, theirs: ${theirs} ${what}`);
    assert.equal(ours.membership.text, theirs.data?.toString(), what);
    this.membership = ours.membership;
    return 'changed';
  }
}

async function ensemble(t: TestContext): Promise<{ pair: Pair; lines: readonly string[] }> {
  const dir = tempDir();
  const lines: string[] = [];
  const clientPorts: number[] = [];
  const config: Record<string, string | number> = {
    skipACL: 'yes',
    reconfigEnabled: 'true',
    tickTime: 500,
    // None of the three gives up another because the machine is busy.
    initLimit: 20,
    syncLimit: 40,
  };
  for (const id of [1, 2, 3]) {
    const port = await freePort();
    clientPorts.push(port);
    config[`server.${id}`] = `127.0.0.1:${await freePort()}:${await freePort()}:participant;127.0.0.1:${port}`;
    lines.push(`server.${id}=${config[`server.${id}`]}`);
  }
  const start = (myid: number): Promise<ApacheZookeeper> =>
    startApacheZookeeper({
      ...{ version: '3.9.4', dataDir: join(dir, `${myid}`), myid, config },
      port: clientPorts[myid - 1] ?? 0,
    });
  const servers = await Promise.all([1, 2, 3].map(start));
  t.after(() => Promise.all(servers.map((server) => server.kill())));
  const modes = await Promise.all(servers.map((server) => server.ask('srvr')));
  const leader = servers[modes.findIndex((mode) => mode.includes('Mode: leader'))];
  const client = connectZookeeper({ connect: leader?.connect ?? '' });
  t.after(() => client.close());
  const { data } = await client.getConfig();
  const version = BigInt(`0x${/version=(.*)$/.exec(data?.toString() ?? '')?.[1]}`);
  const initial = membershipOf(zooCfg({ dataDir: '/d', ...(config as Keys) }));
  const membership = establish(initial, version, rules);
  assert.equal(membership.text, data?.toString());
  return { pair: new Pair(client, [1, 2, 3], membership), lines };
}

/** The three that run, and lines, ids and oddities to join in any number: no draw changes or removes one of those three. */
function drawn(random: SimRandom, lines: readonly string[], version: bigint): Change {
  const of = <T>(choices: readonly T[]): T => choices[random.below(choices.length)] as T;
  const some = (least: number, make: () => string): string[] => Array.from({ length: least + random.below(3) }, make);
  const port = (): string => of(['1', '2', '3', '4', '5', '6', '70000', '-1', 'x', '', '+7', '2147483648']);
  const host = (): string =>
    of(['10.9.9.1', '10.9.9.2', '127.0.0.1', 'localhost', '[::1]', '[fe80::1]', '0.0.0.0', '[::1']);
  const role = (): string => of([':participant', ':observer', ':observer', ': Observer ', ':king', '']);
  const client = (): string => of([';2181', `;${host()}:${port()}`, `;${port()}`, ';2182', '', ';;1', ';a:b:c']);
  const spec = (): string =>
    random.below(2) === 0
      ? `10.9.9.${1 + random.below(3)}:${1 + random.below(9)}:${10 + random.below(9)}:observer;${20 + random.below(9)}`
      : `${host()}:${port()}:${port()}${role()}${client()}`;
  const id = (): string => of(['4', '5', '8', '9', '16', '17', '20', '33', '1000', 'x', '', '-', '+6']);
  const goodId = (): string => `${4 + random.below(40)}`;
  const line = (): string =>
    `${of(['server.', 'server.', 'server.', 'servers.', ''])}${of([id(), goodId(), goodId()])}=${spec()}`;
  const fromConfig = of([-1n, -1n, -1n, version, version - 1n, 0n]);
  switch (random.below(5)) {
    case 0:
      return { leaving: some(1, () => of([goodId(), goodId(), goodId(), id()])).join(of([',', ' , '])), fromConfig };
    case 1:
    case 2:
      return { joining: some(1, line).join(','), fromConfig };
    case 3:
      return { joining: some(1, line).join(','), leaving: some(1, goodId).join(), fromConfig };
    default: {
      const extras = some(0, () =>
        of([line(), line(), 'version=7', 'version=q', 'group.1=1:2:3', 'weight.2=3', 'a=b']),
      );
      return { members: [...lines, ...extras].join(of([',', '\n'])), fromConfig };
    }
  }
}

test('requests of every kind, one after the other', async (t) => {
  const { pair, lines } = await ensemble(t);
  const whole = lines.join('\n');
  const steps: readonly (readonly [want: string, change: Change])[] = [
    ['changed', { joining: 'server.9=127.0.0.1:1:2:observer;1,server.8=127.0.0.1:3:4:observer;2' }],
    ['BadVersion', { joining: 'nonsense', fromConfig: 5n }],
    ['changed', { joining: 'server.8=10.0.0.1:3:4:OBSERVER;10.0.0.1:5' }],
    ['BadArguments', { joining: 'server.10=10.0.0.1:4:6:observer;7' }],
    ['BadArguments', { joining: 'server.10=10.0.0.1:8:9:observer;10.0.0.1:3' }],
    ['changed', { joining: 'server.24=10.0.0.1:3:4:observer;5', leaving: '8,99' }],
    ['changed', { joining: 'server.10=127.0.0.1:1:2;3,server.11=127.0.0.1:1:2;3' }],
    ['NewConfigNoQuorum', { joining: 'server.12=127.0.0.1:1:2;3' }],
    ['changed', { leaving: '10, 11' }],
    ['BadArguments', { leaving: '2,3' }],
    ['MarshallingError', { leaving: 'two' }],
    ['MarshallingError', { joining: 'server.x=a:1:2;3' }],
    ['MarshallingError', { joining: 'server.4=127.0.0.1:1:70000;3' }],
    ['BadArguments', { joining: 'server.4=127.0.0.1:1:2' }],
    ['BadArguments', { joining: 'server.4=127.0.0.1:1:2|127.0.0.2:1:2;3' }],
    ['BadArguments', { members: '' }],
    ['BadArguments', { members: lines[0] ?? '' }],
    ['MarshallingError', { members: `${lines[0]},server.4=127.0.0.1:1:2:observer` }],
    ['MarshallingError', { members: 'server.4=127.0.0.1:1:2:observer' }],
    ['BadArguments', { members: `${whole},tickTime=5` }],
    ['BadArguments', { members: `${whole},group.1=1:2` }],
    ['BadArguments', { members: `${whole},group.1=1:2:3,group.2=3` }],
    ['MarshallingError', { members: `${whole},group.1=1:2:3:4` }],
    ['MarshallingError', { members: `${whole},server.5=\\u1` }],
    ['changed', { members: `${whole},server.20=127.0.0.1:1:2:observer,server.4=127.0.0.1:3:4:observer,version=1` }],
    ['changed', { members: `${whole},group.1=1:2:3,weight.3=2,server.18=127.0.0.1:5:6:observer` }],
    ['BadArguments', { leaving: '18' }],
    ['changed', { members: whole }],
    ['changed', {}],
  ];
  for (const [want, change] of steps) {
    const answer = await pair.ask(change);
    assert.equal(
      typeof answer === 'number' ? new KeeperError(answer).name : answer,
      want,
      JSON.stringify(change.members ?? change.joining),
    );
  }
});

test('requests drawn by chance', async (t) => {
  const { pair, lines } = await ensemble(t);
  const random = new SimRandom('reconfigurations');
  const counts = new Map<string, number>();
  for (let count = 0; count < 400; count += 1) {
    const answer = await pair.ask(drawn(random, lines, pair.membership.version));
    const name = typeof answer === 'number' ? new KeeperError(answer).name : answer;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  t.diagnostic([...counts].map(([name, count]) => `${name} ${count}`).join(', '));
  for (const name of ['changed', 'BadVersion', 'BadArguments', 'MarshallingError'])
    assert.ok((counts.get(name) ?? 0) > 10, name);
});
