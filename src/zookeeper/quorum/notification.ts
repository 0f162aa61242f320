import { MalformedError } from '../../wire/errors.ts';
import { Reader } from '../../wire/reader.ts';
import { Writer } from '../../wire/writer.ts';
import { epochOf, type Zxid } from '../jute/ids.ts';
import type { ServerId } from './quorum-verifier.ts';

/** In the order of their numbers on the wire (QuorumPeer.ServerState). */
export const peerStates = ['LOOKING', 'FOLLOWING', 'LEADING', 'OBSERVING'] as const;
export type PeerState = (typeof peerStates)[number];

/** For whom a server votes, and in which round. */
export interface Vote {
  readonly leader: ServerId;
  /** The last transaction that the candidate has logged. */
  readonly zxid: Zxid;
  /** The round of elections, a clock that each server keeps. */
  readonly electionEpoch: bigint;
  /** The candidate's current epoch. */
  readonly peerEpoch: bigint;
}

/** What servers tell each other on the election port. */
export interface Notification extends Vote {
  readonly state: PeerState;
  /** Of the message: 2 since 3.5; 0 also for the form of 3.4.6 to 3.4.14, as Apache 3.9 counts it. */
  readonly version: number;
  /** The sender's membership as text; undefined before version 2. */
  readonly config: string | undefined;
}

export const NOTIFICATION_VERSION = 2;

/**
 * ```
 *  0  int   state          20  long  electionEpoch    36  int   version        (not in 28 and 36 bytes)
 *  4  long  leader         28  long  peerEpoch        40  int   config length  (version 2 and later)
 * 12  long  zxid               (not in 28 bytes)      44  bytes config
 * ```
 */
export function encodeNotification({
  state,
  leader,
  zxid,
  electionEpoch,
  peerEpoch,
  config,
}: Notification): Uint8Array {
  const to = new Writer(64);
  to.int32(peerStates.indexOf(state));
  to.bigint64(BigInt(leader));
  to.bigint64(zxid);
  to.bigint64(electionEpoch);
  to.bigint64(peerEpoch);
  to.int32(NOTIFICATION_VERSION);
  const text = Buffer.from(config ?? '');
  to.int32(text.length);
  to.bytes(text);
  return to.finishFlat();
}

/** @throws MalformedError for what Apache skips with a warning */
export function decodeNotification(message: Uint8Array): Notification {
  if (message.length < 28) throw new MalformedError(`a notification of ${message.length} bytes`);
  const from = new Reader(message);
  const state = peerStates[from.int32()];
  if (state === undefined) throw new MalformedError('a notification of an unknown state');
  const leader = Number(from.bigint64());
  const zxid = from.bigint64() as Zxid;
  const electionEpoch = from.bigint64();
  const peerEpoch = message.length === 28 ? BigInt(epochOf(zxid)) : from.bigint64();
  const version = message.length > 40 ? from.int32() : 0;
  const config = version < NOTIFICATION_VERSION ? undefined : configOf(from);
  return { state, leader, zxid, electionEpoch, peerEpoch, version, config };
}

function configOf(from: Reader): string {
  const length = from.int32();
  if (length < 0 || length > from.remaining)
    throw new MalformedError(`a notification with a config of ${length} bytes`);
  return from.utf8(length);
}
