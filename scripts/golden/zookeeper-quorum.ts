/**
 * Records what Apache's servers tell each other on the peer port: `node scripts/golden/zookeeper-quorum.ts`. A follower and an
 * observer reach their leader through proxies that note the bytes of both directions. All members must agree on the membership, so
 * the leader has one name, which each of them finds at another address (`jdk.net.hosts.file`).
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { silent } from '../../src/runtime/log.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { connectZookeeper, type ZookeeperClient } from '../../src/zookeeper/client/client.ts';
import type { SessionIdentity } from '../../src/zookeeper/client/session.ts';
import { type ApacheZookeeper, startApacheZookeeper } from '../../test/interop/peers/apache-zookeeper.ts';
import { type Capture, startCapture } from '../../test/interop/peers/capture.ts';
import { startCuttableProxy } from '../../test/interop/peers/cuttable-proxy.ts';
import { freePort } from '../../test/interop/peers/free-port.ts';
import { until } from '../../test/interop/peers/process.ts';

const FOLLOWER = 1;
const OBSERVER = 2;
/** Of equals the greatest id wins. */
const LEADER = 3;
/** Where each believes its leader to be; the first two addresses are those of proxies. */
const leaderHosts = new Map([
  [FOLLOWER, '127.0.0.1'],
  [OBSERVER, '127.0.0.2'],
  [LEADER, '127.0.0.3'],
]);
const runtime = nodeRuntime({ log: silent });
const golden = new URL('../../test/golden/zookeeper/quorum/', import.meta.url).pathname;

const dir = mkdtempSync(join(tmpdir(), 'golden-quorum-'));
const peerPort = await freePort();
const electionPorts = new Map<number, number>();
for (const id of [FOLLOWER, OBSERVER, LEADER]) electionPorts.set(id, await freePort());
/** Peer ports of those that never lead: nothing is heard there. */
const idlePorts = new Map<number, number>();
for (const id of [FOLLOWER, OBSERVER]) idlePorts.set(id, await freePort());
const running: { kill(): Promise<void> }[] = [];
const captures: Capture[] = [];

try {
  for (const learner of [FOLLOWER, OBSERVER]) await relay(learner, electionPorts.get(LEADER) ?? 0);
  const members = Promise.all([start(FOLLOWER), start(OBSERVER), start(LEADER)]);
  // A relay that cannot reach the leader yet would look like a leader that hangs up.
  await Promise.race([members, until('leader', canReachLeader, { timeoutMs: 60_000 })]);
  const [toFollower, toObserver] = [await relay(FOLLOWER, peerPort), await relay(OBSERVER, peerPort)];
  const [follower, observer, leader] = await members;
  await work(follower, leader, observer);
  write('follower', toFollower);
  write('observer', toObserver);

  await follower.kill();
  await toFollower.close();
  rmSync(join(dir, String(FOLLOWER)), { recursive: true });
  const afterLoss = await relay(FOLLOWER, peerPort);
  await start(FOLLOWER);
  write('snapshot', afterLoss);
} finally {
  await Promise.all(running.map((member) => member.kill()));
  await Promise.all(captures.map((each) => each.close()));
  rmSync(dir, { recursive: true });
}

/** Between a learner and a port of its leader. */
async function relay(learner: number, port: number): Promise<Capture> {
  const at = { host: leaderHosts.get(learner) ?? '', port };
  const made = await startCapture({ at, host: leaderHosts.get(LEADER) ?? '', port, framed: false });
  captures.push(made);
  return made;
}

function canReachLeader(): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: leaderHosts.get(LEADER) ?? '', port: peerPort });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(undefined));
  });
}

async function start(id: number): Promise<ApacheZookeeper> {
  const hosts = join(dir, `hosts${id}`);
  writeFileSync(hosts, `127.0.0.1 localhost ${hostname()}\n${leaderHosts.get(id)} leader.test\n`);
  const member = await startApacheZookeeper({
    version: '3.9.4',
    dataDir: join(dir, String(id)),
    myid: id,
    config: {
      tickTime: 1000,
      reconfigEnabled: 'true',
      standaloneEnabled: 'false',
      skipACL: 'yes',
      ...(id === OBSERVER ? { peerType: 'observer' } : {}),
      [`server.${FOLLOWER}`]: `127.0.0.1:${idlePorts.get(FOLLOWER)}:${electionPorts.get(FOLLOWER)}`,
      [`server.${OBSERVER}`]: `127.0.0.1:${idlePorts.get(OBSERVER)}:${electionPorts.get(OBSERVER)}:observer`,
      [`server.${LEADER}`]: `leader.test:${peerPort}:${electionPorts.get(LEADER)}`,
    },
    properties: {
      'jdk.net.hosts.file': hosts,
      // The relays begin later.
      'zookeeper.leaderConnectDelayDuringRetryMs': '2000',
      // Who has lost everything gets a snapshot.
      'zookeeper.snapshotSizeFactor': '-1',
    },
  });
  running.push(member);
  return member;
}

/** Something of every kind that goes between a leader and those who learn from it. */
async function work(follower: ApacheZookeeper, leader: ApacheZookeeper, observer: ApacheZookeeper): Promise<void> {
  const client = await connected(follower.connect);
  await client.addAuth('digest', 'user:pass');
  await client.create('/node', 'one');
  await client.setData('/node', 'two');
  await client.sync('/');
  const moved = await moveSession(leader, follower);
  const observed = await connected(observer.connect);
  await observed.create('/observed', 'o');
  await observed.close();
  // A tick or two of pings with sessions in them.
  await new Promise((resolve) => runtime.clock.after(2500, () => resolve(undefined)));
  await client.reconfigure({
    joining: `server.9=127.0.0.1:${await freePort()}:${await freePort()}:observer;127.0.0.1:${await freePort()}`,
  });
  await moved.close();
  await client.close();
}

/** The client that goes on with a session whose first connection was to another server. */
async function moveSession(from: ApacheZookeeper, to: ApacheZookeeper): Promise<ZookeeperClient> {
  const proxy = await startCuttableProxy(from.port);
  const first = await connected(proxy.connect);
  const { session } = first;
  proxy.cut();
  await first.close();
  await proxy.close();
  if (session === undefined) throw new RangeError('a client without a session');
  const moved = await connected(to.connect, session);
  await moved.exists('/node');
  return moved;
}

async function connected(connect: string, session?: SessionIdentity): Promise<ZookeeperClient> {
  const client = connectZookeeper(runtime, { connect, sessionTimeoutMs: 20_000, ...(session && { session }) });
  await client.connected();
  return client;
}

function write(name: string, capture: Capture): void {
  mkdirSync(golden, { recursive: true });
  writeFileSync(join(golden, `${name}.txt`), capture.text());
}
