/**
 * Records what Apache's leader sends to a server that joins with nothing: `node scripts/golden/zookeeper-snap-stream.ts`. Two of three
 * servers run, and the third one's part is played here, by hand.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silent } from '../../src/runtime/log.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { connectZookeeper, type ZookeeperClient } from '../../src/zookeeper/client/client.ts';
import { CreateMode } from '../../src/zookeeper/jute/create-mode.ts';
import { type ApacheZookeeper, startApacheZookeeper } from '../../test/interop/peers/apache-zookeeper.ts';
import { freePorts } from '../../test/interop/peers/free-port.ts';
import { PeerError } from '../../test/interop/peers/process.ts';

const runtime = nodeRuntime({ log: silent });
const FOLLOWERINFO = 11;
const ACKEPOCH = 18;
const SNAP = 15;
const SIGNATURE = Buffer.from('\0\0\0\nBenWasHere');

interface Recorded {
  /** Hexadecimal: the zxid of SNAP, the stream with its signature, and the packet behind it. */
  readonly zxid: string;
  readonly stream: string;
  readonly follows: string;
  /** Timeouts in milliseconds, by hexadecimal id. */
  readonly sessions: Record<string, number>;
}

async function record(): Promise<Recorded> {
  const dir = mkdtempSync(join(tmpdir(), 'golden-snap-'));
  const ports = await freePorts(6);
  const lines: Record<string, string> = {};
  for (const id of [1, 2, 3]) lines[`server.${id}`] = `127.0.0.1:${ports[2 * id - 2]}:${ports[2 * id - 1]}`;
  const config = { ...lines, extendedTypesEnabled: 'true', initLimit: 20, syncLimit: 10, skipACL: 'yes' };
  // Without a snapshot to compare with, the log of few transactions would do.
  const properties = { 'zookeeper.snapshotSizeFactor': '-1' };
  const servers = await Promise.all(
    [1, 2].map((myid) =>
      startApacheZookeeper({ version: '3.9.4', dataDir: join(dir, `${myid}`), config, properties, myid }),
    ),
  );
  try {
    const client = connectZookeeper(runtime, { connect: servers[0]!.connect, sessionTimeoutMs: 12_000 });
    await client.connected();
    await fill(client);
    const stream = await syncWith(ports[2 * (await leaderOf(servers)) - 2]!);
    await client.close();
    return stream;
  } finally {
    await Promise.all(servers.map((server) => server.kill()));
    rmSync(dir, { recursive: true });
  }
}

async function leaderOf(servers: readonly ApacheZookeeper[]): Promise<number> {
  for (const [index, server] of servers.entries()) {
    if ((await server.ask('srvr')).includes('Mode: leader')) return index + 1;
  }
  throw new PeerError('no leader');
}

async function fill(client: ZookeeperClient): Promise<void> {
  await client.addAuth('digest', 'user:pass');
  await client.create('/plain', 'one');
  await client.create('/null', null);
  await client.create('/plain/grüße', Buffer.from([0, 255, 66, 66]));
  await client.create('/private', 'x', { acl: [{ perms: 31, id: { scheme: 'auth', id: '' } }] });
  await client.create('/two-rules', 'x', {
    acl: [
      { perms: 1, id: { scheme: 'ip', id: '10.0.0.0/8' } },
      { perms: 30, id: { scheme: 'world', id: 'anyone' } },
    ],
  });
  await client.create('/plain/ephemeral', 'e', { mode: CreateMode.EPHEMERAL });
  await client.create('/container', 'c', { mode: CreateMode.CONTAINER });
  await client.create('/container/child', '');
  await client.create('/ttl', 't', { mode: CreateMode.PERSISTENT_WITH_TTL, ttlMs: 123_456_789 });
  await client.setData('/plain', 'two');
}

/** From FOLLOWERINFO to NEWLEADER; then the learner is gone. */
function syncWith(port: number): Promise<Recorded> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let received = Buffer.alloc(0);
    let hasAcknowledged = false;
    socket.on('error', reject);
    socket.on('close', () => reject(new PeerError('the leader closed the connection')));
    socket.on('connect', () => socket.write(packet(FOLLOWERINFO, learnerInfo(3n))));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (!hasAcknowledged && received.length >= LEADERINFO_BYTES) {
        hasAcknowledged = true;
        received = received.subarray(LEADERINFO_BYTES);
        socket.write(packet(ACKEPOCH, Buffer.alloc(4)));
      }
      const recorded = hasAcknowledged ? cut(received) : undefined;
      if (recorded === undefined) return;
      resolve(recorded);
      socket.destroy();
    });
  });
}

/** Head, four bytes of data, no ids. */
const LEADERINFO_BYTES = 24;
const SNAP_BYTES = 20;

/** Cut by the signature alone: nothing of ours reads what is recorded. */
function cut(received: Buffer): Recorded | undefined {
  const end = received.indexOf(SIGNATURE) + SIGNATURE.length;
  if (end < SNAP_BYTES || received.length < end + 20) return undefined;
  const followsBytes = 20 + received.readInt32BE(end + 12);
  if (received.length < end + followsBytes) return undefined;
  if (received.readInt32BE(0) !== SNAP) throw new PeerError(`packet ${received.readInt32BE(0)} in place of SNAP`);
  const stream = received.subarray(SNAP_BYTES, end);
  return {
    zxid: received.subarray(4, 12).toString('hex'),
    stream: stream.toString('hex'),
    follows: received.subarray(end, end + followsBytes).toString('hex'),
    sessions: sessionsOf(stream),
  };
}

function sessionsOf(stream: Buffer): Record<string, number> {
  const sessions: Record<string, number> = {};
  for (let index = 0; index < stream.readInt32BE(0); index += 1) {
    const at = 4 + 12 * index;
    sessions[stream.subarray(at, at + 8).toString('hex')] = stream.readInt32BE(at + 8);
  }
  return sessions;
}

function packet(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(16);
  head.writeInt32BE(type, 0);
  head.writeInt32BE(data.length, 12);
  return Buffer.concat([head, data, Buffer.from([255, 255, 255, 255])]);
}

function learnerInfo(server: bigint): Buffer {
  const info = Buffer.alloc(20);
  info.writeBigInt64BE(server, 0);
  info.writeInt32BE(0x10000, 8);
  return info;
}

const file = new URL('../../test/golden/zookeeper/apache-3.9.4-snap-stream.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(await record(), null, 1)}\n`);
