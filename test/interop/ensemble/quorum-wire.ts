/**
 * What passes between a learner and its leader, as text. Read here by hand, so that nothing depends on how our own code reads it.
 *
 *     int type; long zxid; int n, n bytes of data (-1: null); int n, n × (string scheme, string id) of authinfo (-1: null)
 */
import type { Capture } from '../peers/capture.ts';

const NAMES = new Map(
  Object.entries({
    ...{ 1: 'REQUEST', 2: 'PROPOSAL', 3: 'ACK', 4: 'COMMIT', 5: 'PING', 6: 'REVALIDATE', 7: 'SYNC', 8: 'INFORM' },
    ...{ 9: 'COMMITANDACTIVATE', 10: 'NEWLEADER', 11: 'FOLLOWERINFO', 12: 'UPTODATE', 13: 'DIFF', 14: 'TRUNC' },
    ...{ 15: 'SNAP', 16: 'OBSERVERINFO', 17: 'LEADERINFO', 18: 'ACKEPOCH', 19: 'INFORMANDACTIVATE' },
  }).map(([type, name]) => [Number(type), name]),
);
/** As the stream writes it, with its length: the end of a snapshot. */
const SNAPSHOT_END = Buffer.from('\0\0\0\nBenWasHere');

interface Packet {
  readonly name: string;
  readonly zxid: bigint;
  readonly data: Buffer | null;
  readonly end: number;
}

/**
 * The last connection's packets to the learner (`<`) and from it (`>`), up to the learner's second ACK, when it serves; undefined
 * before that. Pings are left out, and several pairs of PROPOSAL and COMMIT are one line.
 */
export function joining({ frames }: Capture): readonly string[] | undefined {
  const connection = frames.at(-1)?.connection;
  const stream = (direction: '<' | '>'): Buffer =>
    Buffer.concat(
      frames.filter((each) => each.connection === connection && each.direction === direction).map(({ bytes }) => bytes),
    );
  const up = packetsOf(stream('>')).filter(({ name }) => name !== 'PING');
  const down = packetsOf(stream('<')).filter(({ name }) => name !== 'PING');
  const upToDate = down.findIndex(({ name }) => name === 'UPTODATE');
  const [hello, ackEpoch, newLeaderAck, upToDateAck] = up;
  if (upToDate === -1 || upToDateAck === undefined) return undefined;
  const beforeAck = down.findIndex(({ name }) => name === 'NEWLEADER') + 1;
  const line = (direction: string) => (packet: Packet | undefined) => `${direction} ${textOf(packet)}`;
  return [
    line('>')(hello),
    ...down.slice(0, 1).map(line('<')),
    line('>')(ackEpoch),
    ...shortened(down.slice(1, beforeAck).map(line('<'))),
    line('>')(newLeaderAck),
    ...down.slice(beforeAck, upToDate + 1).map(line('<')),
    line('>')(upToDateAck),
  ];
}

function packetsOf(stream: Buffer): Packet[] {
  const packets: Packet[] = [];
  for (let at = 0; ; ) {
    const packet = packetAt(stream, at);
    if (packet === undefined) return packets;
    packets.push(packet);
    at = packet.end;
    if (packet.name !== 'SNAP') continue;
    const end = stream.indexOf(SNAPSHOT_END, at);
    if (end === -1) return packets;
    at = end + SNAPSHOT_END.length;
  }
}

/** Undefined where the stream ends before the packet does. */
function packetAt(stream: Buffer, at: number): Packet | undefined {
  if (stream.length < at + 20) return undefined;
  const size = stream.readInt32BE(at + 12);
  let end = at + 16 + Math.max(0, size);
  if (stream.length < end + 4) return undefined;
  const strings = 2 * Math.max(0, stream.readInt32BE(end));
  end += 4;
  for (let left = strings; left > 0; left -= 1) {
    if (stream.length < end + 4) return undefined;
    end += 4 + stream.readInt32BE(end);
  }
  if (stream.length < end) return undefined;
  const type = stream.readInt32BE(at);
  return {
    name: NAMES.get(type) ?? `type ${type}`,
    zxid: stream.readBigInt64BE(at + 4),
    data: size < 0 ? null : stream.subarray(at + 16, at + 16 + size),
    end,
  };
}

function textOf(packet: Packet | undefined): string {
  if (packet === undefined) return 'nothing';
  const { name, zxid, data } = packet;
  const number = zxid < 0n ? `${zxid}` : `0x${zxid.toString(16)}`;
  return `${name} ${number} ${data === null ? 'null' : detailOf(name, data)}`;
}

function detailOf(name: string, data: Buffer): string {
  switch (name) {
    case 'FOLLOWERINFO':
    case 'OBSERVERINFO':
      return `sid ${data.readBigInt64BE(0)} protocol ${data.readInt32BE(8)} config ${data.readBigInt64BE(12)}`;
    case 'LEADERINFO':
    case 'ACKEPOCH':
      return `${data.readInt32BE(0)}`;
    case 'NEWLEADER':
      return data.toString().split('\n').at(-1) ?? '';
    case 'PROPOSAL':
    case 'INFORM':
      return `transaction of type ${data.readInt32BE(28)}`; // session 8, cxid 4, zxid 8, time 8
    default:
      return `${data.length} bytes`;
  }
}

/** Of more than four lines of PROPOSAL and COMMIT the first two and the last two. */
function shortened(lines: readonly string[]): string[] {
  const isPart = (line: string): boolean => /^< (PROPOSAL|COMMIT) /.test(line);
  const first = lines.findIndex(isPart);
  const last = lines.findLastIndex(isPart);
  if (last - first < 4) return [...lines];
  return [...lines.slice(0, first + 2), `… ${last - first - 3} more`, ...lines.slice(last - 1)];
}
