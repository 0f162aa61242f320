/**
 * Records what Apache's servers tell each other on the peer port: `node scripts/golden/zookeeper-quorum.ts`. A follower and an
 * observer reach their leader through proxies that note the bytes of both directions.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silent } from '../../src/runtime/log.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { connectZookeeper, type ZookeeperClient } from '../../src/zookeeper/client/client.ts';
import type { SessionIdentity } from '../../src/zookeeper/client/session.ts';
import { type ApacheZookeeper, startApacheZookeeper } from '../../test/interop/peers/apache-zookeeper.ts';
import { type Capture, startCapture } from '../../test/interop/peers/capture.ts';
import { startCuttableProxy } from '../../test/interop/peers/cuttable-proxy.ts';
import { freePort } from '../../test/interop/peers/free-port.ts';

const FOLLOWER = 1;
const OBSERVER = 2;
/** Of equals the greatest id wins. */
const LEADER = 3;
const runtime = nodeRuntime({ log: silent });
const golden = new URL('../../test/golden/zookeeper/quorum/', import.meta.url).pathname;

const dir = mkdtempSync(join(tmpdir(), 'golden-quorum-'));
const peerPort = await freePort();
const electionPorts = new Map<number, number>();
for (const id of [FOLLOWER, OBSERVER, LEADER]) electionPorts.set(id, await freePort());
const unusedPort = await freePort();
const running: { kill(): Promise<void> }[] = [];
const captures: Capture[] = [];

try {
  const [toFollower, toObserver] = [await capture(), await capture()];
  const [follower, observer, leader] = await Promise.all([
    start(FOLLOWER, toFollower.port),
    start(OBSERVER, toObserver.port),
    start(LEADER, peerPort),
  ]);
  await work(follower, leader, observer);
  write('follower', toFollower);
  write('observer', toObserver);

  await follower.kill();
  rmSync(join(dir, String(FOLLOWER)), { recursive: true });
  const afterLoss = await capture();
  await start(FOLLOWER, afterLoss.port);
  write('snapshot', afterLoss);
} finally {
  await Promise.all(running.map((member) => member.kill()));
  await Promise.all(captures.map((each) => each.close()));
  rmSync(dir, { recursive: true });
}

async function capture(): Promise<Capture> {
  const made = await startCapture({ port: peerPort, framed: false });
  captures.push(made);
  return made;
}

/** @param leaderPort where this member believes its leader's peer port to be */
async function start(id: number, leaderPort: number): Promise<ApacheZookeeper> {
  const line = (port: number, of: number) => `127.0.0.1:${port}:${electionPorts.get(of)}`;
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
      [`server.${FOLLOWER}`]: line(unusedPort, FOLLOWER),
      [`server.${OBSERVER}`]: `${line(unusedPort, OBSERVER)}:observer`,
      [`server.${LEADER}`]: line(leaderPort, LEADER),
    },
    // Who has lost everything gets a snapshot.
    properties: { 'zookeeper.snapshotSizeFactor': '-1' },
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
  await client.reconfigure({ joining: `server.9=127.0.0.1:${unusedPort}:${unusedPort}:observer` });
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
