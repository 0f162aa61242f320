/** Settings of ensembles, with Apache's servers and ours side by side. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectZookeeper } from '../../src/zookeeper/client/index.ts';
import { chosen } from './breadth.ts';
import { audit } from './ensemble/audit.ts';
import type { Member } from './ensemble/member.ts';
import { type Mixture, membersOf, nameOf } from './ensemble/mixtures.ts';
import { Workload } from './ensemble/workload.ts';
import { type Ensemble, startEnsemble } from './ensemble.ts';
import { freePorts } from './peers/free-port.ts';
import { until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';

const logOf = (member: Member): string => readFileSync(member.logFile, 'utf8');

async function electionPortsOf({ members }: Ensemble): Promise<Set<number>> {
  const [first] = members as [Member];
  const lines = readFileSync(first.configFile, 'utf8').matchAll(/^server\.\d+=[^:]+:\d+:(\d+)/gm);
  return new Set([...lines].map(([, port]) => Number(port)));
}

const beginsWithOurs = ([first]: readonly string[]): boolean => first === 'odradek';

// ---------------------------------------------------------------- observers under followers

for (const [mixture, observerKind] of chosen(
  [
    [['apache-3.9.4', 'apache-3.9.4', 'apache-3.9.4'], 'odradek'],
    [['odradek', 'odradek', 'apache-3.9.4'], 'apache-3.9.4'],
    [['odradek', 'odradek', 'odradek'], 'odradek'],
  ] as const,
  ([mixture, observerKind]) => new Set([...mixture, observerKind]).size > 1,
)) {
  test(`an observer of ${observerKind} serves under followers: ${nameOf(mixture)}`, async (t) => {
    const [port = 0] = await freePorts(1);
    const ensemble = await startEnsemble(t, {
      members: [...membersOf(mixture), { id: 4, kind: observerKind, role: 'observer' }],
      config: { observerMasterPort: port },
      quorumHosts: (id) => [`127.0.0.${10 + id}`],
    });
    const observer = ensemble.member(4);
    const master = await until('the follower that has the observer', () => masterOf(ensemble, observer));
    assert.notEqual(master, await ensemble.leader());
    const workload = await Workload.start(t, { connect: observer.connect });
    const elsewhere = await Workload.start(t, { connect: ensemble.member(3).connect, root: '/elsewhere' });
    await workload.progress();
    await master.kill();
    await observer.reached('observer');
    await until('another follower', () => {
      const now = masterOf(ensemble, observer);
      return now !== undefined && now !== master ? now : undefined;
    });
    await workload.progress();
    await master.start();
    const histories = [...(await workload.stop()), ...(await elsewhere.stop())];
    await audit(ensemble, histories);
  });
}

/** As its own log tells: the latest server that it has connected to. */
function masterOf(ensemble: Ensemble, observer: Member): Member | undefined {
  const text = logOf(observer);
  const told =
    observer.kind === 'odradek'
      ? text.matchAll(/connecting to the leader server=(\d)/g)
      : text.matchAll(/Observing new leader sid=(\d)/g);
  const last = [...told].at(-1)?.[1];
  const member = last === undefined ? undefined : ensemble.member(Number(last));
  return member?.isRunning === true ? member : undefined;
}

// ---------------------------------------------------------------- who decides

for (const mixture of chosen(
  [
    ['odradek', 'apache-3.9.4', 'apache-3.9.4'],
    ['apache-3.9.4', 'odradek', 'odradek'],
  ] satisfies Mixture[],
  beginsWithOurs,
)) {
  test(`weights decide: ${nameOf(mixture)}`, async (t) => {
    const ensemble = await startEnsemble(t, {
      members: membersOf(mixture),
      config: { 'group.1': '1:2:3', 'weight.1': 2, 'weight.2': 1, 'weight.3': 0 },
    });
    const [first, second, third] = ensemble.members as [Member, Member, Member];
    assert.equal(await first.mode(), 'leader');
    // it weighs more than the others together
    await Promise.all([second.kill(), third.kill()]);
    await using client = connectZookeeper({ connect: first.connect });
    await client.create('/alone');
    await Promise.all([second.start(), third.start()]);
    await first.kill();
    for (const member of [second, third]) {
      await until('end of service', async () => (await member.mode()) === undefined || undefined);
    }
    await first.start();
    await audit(ensemble);
  });
}

for (const kinds of chosen(
  [
    ['odradek', 'apache-3.9.4'],
    ['apache-3.9.4', 'odradek'],
  ] as const,
  beginsWithOurs,
)) {
  test(`an oracle lets ${kinds[0]} go on without ${kinds[1]}, which follows it later`, async (t) => {
    const oracles = [1, 2].map((id) => join(tempDir(), `oracle-${id}`));
    const say = (id: number, answer: string): void => writeFileSync(oracles[id - 1] ?? '', answer);
    say(1, '0');
    say(2, '0');
    const ensemble = await startEnsemble(t, {
      members: kinds.map((kind, index) => ({ id: index + 1, kind })),
      configOf: (id) => ({ oraclePath: oracles[id - 1] ?? '' }),
    });
    const [first, second] = ensemble.members as [Member, Member];
    await second.reached('leader');
    await second.kill();
    await until('end of service', async () => (await first.mode()) === undefined || undefined);
    say(1, '1');
    await first.reached('leader');
    await using client = connectZookeeper({ connect: first.connect });
    await client.create('/alone');
    await second.start();
    await second.reached('follower');
    await client.create('/together');
    await audit(ensemble);
  });
}

// ---------------------------------------------------------------- addresses

for (const mixture of chosen(
  [
    ['odradek', 'apache-3.9.4', 'apache-3.9.4'],
    ['apache-3.9.4', 'apache-3.9.4', 'odradek'],
  ] satisfies Mixture[],
  beginsWithOurs,
)) {
  test(`quorumListenOnAllIPs, ${nameOf(mixture)}: members are reached where they do not know it`, async (t) => {
    const ensemble = await startEnsemble(t, {
      members: membersOf(mixture),
      config: { quorumListenOnAllIPs: 'true' },
      quorumHosts: (to, from) => [to === from ? '127.0.0.1' : `127.0.0.${20 + to}`],
    });
    await writeEverywhere(ensemble);
    const leader = await ensemble.leader();
    await leader.kill();
    await ensemble.leader({ not: leader });
    await leader.start();
    await writeEverywhere(ensemble);
    await audit(ensemble);
  });

  test(`several addresses, ${nameOf(mixture)}: one that answers is enough`, async (t) => {
    const isOurs = (id: number): boolean => mixture[id - 1] === 'odradek';
    const ensemble = await startEnsemble(t, {
      members: membersOf(mixture),
      config: { 'multiAddress.enabled': 'true' },
      // Apache looks for it there alone
      properties: { 'zookeeper.multiAddress.enabled': 'true' },
      // Apache takes an address for reachable whose host is, so only ours are told one at which nobody listens
      quorumHosts: (to, from) => [
        ...(to !== from && isOurs(from) ? [`127.0.3.${to}`] : [`127.0.1.${to}`]),
        `127.0.2.${to}`,
      ],
    });
    await writeEverywhere(ensemble);
    const leader = await ensemble.leader();
    await leader.kill();
    await ensemble.leader({ not: leader });
    await leader.start();
    await writeEverywhere(ensemble);
    await audit(ensemble);
  });
}

async function writeEverywhere({ members }: Ensemble): Promise<void> {
  for (const { id, connect } of members) {
    await using client = connectZookeeper({ connect });
    await client.create(`/by-${id}-`, null, { mode: 2 });
  }
}

// ---------------------------------------------------------------- the end of an epoch

for (const mixture of chosen(
  [
    ['odradek', 'apache-3.9.4', 'apache-3.9.4'],
    ['apache-3.9.4', 'apache-3.9.4', 'odradek'],
    ['odradek', 'odradek', 'odradek'],
  ] satisfies Mixture[],
  (mixture) => beginsWithOurs(mixture) && new Set(mixture).size > 1,
)) {
  test(`the last zxid of an epoch, ${nameOf(mixture)}: another epoch begins, and nothing is lost`, async (t) => {
    const ensemble = await startEnsemble(t, {
      members: membersOf(mixture),
      properties: { 'zookeeper.testingonly.initialZxid': String(0xffff_ff00) },
    });
    const workload = await Workload.start(t, { connect: ensemble.connect });
    await until('the fourth epoch', async () => {
      const zxid = await ensemble.member(1).zxid();
      return zxid !== undefined && BigInt(zxid) >> 32n >= 4n ? true : undefined;
    });
    await workload.progress();
    await audit(ensemble, await workload.stop());
  });
}

// ---------------------------------------------------------------- sockets

for (const tcpKeepAlive of ['true', 'false']) {
  test(`tcpKeepAlive=${tcpKeepAlive}: the system looks after connections between election ports, or does not`, async (t) => {
    const ensemble = await startEnsemble(t, {
      members: membersOf(['odradek', 'odradek', 'odradek']),
      config: { tcpKeepAlive },
    });
    const ports = await electionPortsOf(ensemble);
    const timers = await until('connections of election ports', () => {
      const found = establishedTimers(ports);
      return found.length >= 6 ? found : undefined;
    });
    assert.deepEqual(new Set(timers), new Set([tcpKeepAlive === 'true' ? 'keep-alive' : 'none']));
  });
}

/** Of both ends of the connections to these ports, as Linux shows them: 02 is the timer that asks silent peers. */
function establishedTimers(ports: ReadonlySet<number>): string[] {
  const portOf = (address = ''): number => Number.parseInt(address.split(':')[1] ?? '', 16);
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local, remote, state, , timer = ''] = line.trim().split(/\s+/);
      if (state !== '01' || !(ports.has(portOf(local)) || ports.has(portOf(remote)))) return [];
      return [timer.startsWith('02') ? 'keep-alive' : timer.startsWith('00') ? 'none' : 'busy'];
    })
    .filter((timer) => timer !== 'busy');
}
