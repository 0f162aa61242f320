import type { Reader } from '../../wire/reader.ts';
import { Writer } from '../../wire/writer.ts';
import type { Id } from '../jute/data.ts';
import type { Zxid } from '../jute/ids.ts';
import * as jute from '../jute/quorum.ts';

/** What a packet of the peer port is (constants of Leader). */
export const PacketType = {
  REQUEST: 1,
  PROPOSAL: 2,
  ACK: 3,
  COMMIT: 4,
  PING: 5,
  REVALIDATE: 6,
  SYNC: 7,
  INFORM: 8,
  COMMITANDACTIVATE: 9,
  NEWLEADER: 10,
  FOLLOWERINFO: 11,
  UPTODATE: 12,
  DIFF: 13,
  TRUNC: 14,
  SNAP: 15,
  OBSERVERINFO: 16,
  LEADERINFO: 17,
  ACKEPOCH: 18,
  INFORMANDACTIVATE: 19,
} as const;
export type PacketType = (typeof PacketType)[keyof typeof PacketType];

/**
 * What servers tell each other on the peer port. It travels without a length of its own:
 *
 * ```
 *  0  int   type     4  long  zxid    12  int  size of data, -1 for none    16  bytes data
 *  .. int   how many ids, -1 for none         .. each: int | bytes scheme, int | bytes id
 * ```
 */
export interface QuorumPacket {
  /** A PacketType, or what a peer of another age sends. */
  readonly type: number;
  readonly zxid: Zxid;
  /** Null and empty differ. Of a packet that was received, a view: copy what is kept. */
  readonly data: Uint8Array | null;
  /** Who asks, with a REQUEST. */
  readonly authinfo: readonly Id[] | null;
}

export function writePacket(to: Writer, packet: QuorumPacket): void {
  jute.QuorumPacket.write(to, packet as jute.QuorumPacket);
}

/** For `PeerLink.sendPrepared`. */
export function encodePacket(packet: QuorumPacket): Uint8Array {
  const to = new Writer(32 + (packet.data?.length ?? 0));
  writePacket(to, packet);
  return to.finishFlat();
}

/** @throws MalformedError */
export function readPacket(from: Reader): QuorumPacket {
  return jute.QuorumPacket.read(from);
}
