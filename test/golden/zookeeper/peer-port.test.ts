/** What Apache's servers say on the peer port, see scripts/golden/zookeeper-quorum.ts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { Reader } from '../../../src/wire/reader.ts';
import { OpCode } from '../../../src/zookeeper/jute/op-codes.ts';
import { readTxnRecord } from '../../../src/zookeeper/jute/txn.ts';
import * as data from '../../../src/zookeeper/quorum/packet-data.ts';
import { PacketSplitter } from '../../../src/zookeeper/quorum/packet-splitter.ts';
import { encodePacket, PacketType, type QuorumPacket } from '../../../src/zookeeper/quorum/quorum-packet.ts';
import { parseCapture } from '../../interop/peers/capture.ts';

type Direction = '>' | '<';
const SIZE_MAX = 2 * 1_048_575;
const SIGNATURE = 'BenWasHere';

/** The chunks of each connection, from the learner or from the leader. */
function streams(name: string, direction: Direction): Buffer[][] {
  const frames = parseCapture(readFileSync(new URL(`quorum/${name}.txt`, import.meta.url), 'latin1'));
  const byConnection = Map.groupBy(
    frames.filter((frame) => frame.direction === direction),
    ({ connection }) => connection,
  );
  return [...byConnection.values()].map((chunks) => chunks.map(({ bytes }) => bytes));
}

interface Spoken {
  readonly packets: readonly QuorumPacket[];
  /** What stands behind SNAP, its signature included. */
  readonly snapshot: Buffer;
}

function read(chunks: readonly Uint8Array[]): Spoken {
  const splitter = new PacketSplitter(SIZE_MAX);
  const packets: QuorumPacket[] = [];
  let snapshot = Buffer.alloc(0);
  let isSnapshot = false;
  for (const chunk of chunks) {
    for (let rest: Uint8Array | undefined = chunk; rest !== undefined && rest.length > 0; ) {
      if (isSnapshot) {
        const before = snapshot.length;
        snapshot = Buffer.concat([snapshot, rest]);
        const end = snapshot.indexOf(SIGNATURE);
        isSnapshot = end < 0;
        if (isSnapshot) break;
        snapshot = snapshot.subarray(0, end + SIGNATURE.length);
        rest = rest.subarray(snapshot.length - before);
      } else {
        rest = splitter.push(rest, (packet) => {
          packets.push({ ...packet, data: packet.data && Buffer.from(packet.data) });
          isSnapshot = packet.type === PacketType.SNAP;
          return !isSnapshot;
        });
      }
    }
  }
  assert.equal(splitter.isBetweenPackets, true);
  return { packets, snapshot };
}

const kindsOf = (spoken: readonly Spoken[]): Set<number> =>
  new Set(spoken.flatMap(({ packets }) => packets.map(({ type }) => type)));

function hasAll(kinds: ReadonlySet<number>, names: readonly (keyof typeof PacketType)[]): void {
  for (const name of names) assert.ok(kinds.has(PacketType[name]), name);
}

for (const name of ['follower', 'observer', 'snapshot']) {
  for (const direction of ['>', '<'] as const) {
    const spoken = streams(name, direction).map((chunks) => ({ chunks, ...read(chunks) }));

    test(`${name} ${direction}: every packet is written again byte for byte`, () => {
      assert.ok(spoken.length > 0);
      for (const { chunks, packets, snapshot } of spoken) {
        const written = packets.flatMap((packet) => [
          encodePacket(packet),
          ...(packet.type === PacketType.SNAP ? [snapshot] : []),
        ]);
        assert.equal(Buffer.concat(written).toString('hex'), Buffer.concat(chunks).toString('hex'));
      }
    });

    test(`${name} ${direction}: however it is cut, the packets are the same`, () => {
      for (const { chunks, packets, snapshot } of spoken) {
        const whole = Buffer.concat(chunks);
        fc.assert(
          fc.property(fc.array(fc.nat(whole.length)), (cuts) => {
            const at = [0, ...cuts.sort((a, b) => a - b), whole.length];
            const pieces = at.slice(1).map((end, index) => whole.subarray(at[index], end));
            assert.deepEqual(read(pieces), { packets, snapshot });
          }),
          { numRuns: 20 },
        );
      }
    });

    test(`${name} ${direction}: what stands in the packets is written again byte for byte`, () => {
      for (const { packets } of spoken) {
        for (const packet of packets) {
          const written = rewritten(packet, direction);
          if (written === undefined || packet.data === null) continue;
          assert.equal(
            Buffer.from(written).toString('hex'),
            Buffer.from(packet.data).toString('hex'),
            `${packet.type}`,
          );
        }
      }
    });
  }
}

/** Undefined for packets whose data is text, a transaction or nothing. */
function rewritten(packet: QuorumPacket, direction: Direction): Uint8Array | undefined {
  const { type, data: given } = packet;
  switch (type) {
    case PacketType.FOLLOWERINFO:
    case PacketType.OBSERVERINFO:
      return data.writeLearnerInfo(data.readLearnerInfo(given));
    case PacketType.LEADERINFO:
      return data.writeLeaderInfo(data.readLeaderInfo(given));
    case PacketType.ACKEPOCH:
      return data.writeAckEpoch(data.readAckEpoch(given));
    case PacketType.REQUEST:
      return data.writeLearnerRequest(data.readLearnerRequest(given));
    case PacketType.PING:
      return data.writeTouches(data.readTouches(given));
    case PacketType.REVALIDATE:
      return direction === '>'
        ? data.writeRevalidation(data.readRevalidation(given))
        : data.writeRevalidationAnswer(data.readRevalidationAnswer(given));
    case PacketType.COMMITANDACTIVATE:
      return data.writeDesignatedLeader(data.readDesignatedLeader(given));
    case PacketType.INFORMANDACTIVATE:
      return data.writeInformedActivation(data.readInformedActivation(given));
    default:
      return undefined;
  }
}

test('a follower and its leader say everything that they can', () => {
  const up = streams('follower', '>').map(read);
  const down = streams('follower', '<').map(read);
  hasAll(kindsOf(up), ['FOLLOWERINFO', 'ACKEPOCH', 'ACK', 'PING', 'REQUEST', 'REVALIDATE']);
  hasAll(kindsOf(down), ['LEADERINFO', 'NEWLEADER', 'UPTODATE', 'PING', 'PROPOSAL', 'COMMIT', 'REVALIDATE', 'SYNC']);
  hasAll(kindsOf(down), ['COMMITANDACTIVATE']);
  const requests = up.flatMap(({ packets }) => packets.filter(({ type }) => type === PacketType.REQUEST));
  const opCodes = new Set(requests.map((packet) => data.readLearnerRequest(packet.data).opCode));
  for (const opCode of [OpCode.createSession, OpCode.closeSession, OpCode.create, OpCode.sync, OpCode.reconfig]) {
    assert.ok(opCodes.has(opCode), `opcode ${opCode}`);
  }
  const schemes = new Set(requests.flatMap(({ authinfo }) => (authinfo ?? []).map(({ scheme }) => scheme)));
  assert.deepEqual([...schemes].sort(), ['digest', 'ip']);
  const touches = up.flatMap(({ packets }) => packets.filter(({ type }) => type === PacketType.PING));
  assert.ok(touches.some((packet) => data.readTouches(packet.data).length > 0));
});

test('an observer and its leader say everything that they can', () => {
  hasAll(kindsOf(streams('observer', '>').map(read)), ['OBSERVERINFO', 'ACKEPOCH', 'ACK', 'PING', 'REQUEST']);
  hasAll(kindsOf(streams('observer', '<').map(read)), ['LEADERINFO', 'NEWLEADER', 'UPTODATE', 'INFORM']);
  hasAll(kindsOf(streams('observer', '<').map(read)), ['INFORMANDACTIVATE']);
});

test('a follower that has lost everything gets a snapshot between two packets', () => {
  const spoken = streams('snapshot', '<').map(read);
  hasAll(kindsOf(spoken), ['LEADERINFO', 'SNAP', 'NEWLEADER', 'UPTODATE']);
  const [snapshot] = spoken.map((each) => each.snapshot).filter(({ length }) => length > 0);
  assert.ok(snapshot?.includes('/observed'));
});

test('the transactions in proposals are those that we read', () => {
  const records = [...streams('follower', '<'), ...streams('observer', '<')].flatMap((chunks) =>
    read(chunks).packets.flatMap(({ type, data: given }) => {
      if (given === null) return [];
      if (type === PacketType.PROPOSAL || type === PacketType.INFORM) return [readTxnRecord(new Reader(given))];
      if (type !== PacketType.INFORMANDACTIVATE) return [];
      return [readTxnRecord(new Reader(data.readInformedActivation(given).proposal))];
    }),
  );
  const types = new Set(records.map(({ header }) => header.type));
  for (const type of [OpCode.createSession, OpCode.create, OpCode.setData, OpCode.reconfig, OpCode.closeSession]) {
    assert.ok(types.has(type), `type ${type}`);
  }
});
