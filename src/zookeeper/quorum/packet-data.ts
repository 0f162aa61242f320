import { MalformedError } from '../../wire/errors.ts';
import { Reader } from '../../wire/reader.ts';
import { Writer } from '../../wire/writer.ts';
import type { SessionId } from '../jute/ids.ts';
import type { ServerId } from './quorum-verifier.ts';

/*
 * What stands in the data of quorum packets, save for the transactions of PROPOSAL and INFORM and the membership of NEWLEADER,
 * which is text. Every reader throws MalformedError on what is none.
 */

type Data = Uint8Array | null;

/** Of the handshake since ZAB 1.0: LEADERINFO and ACKEPOCH. */
export const PROTOCOL_VERSION = 0x10000;

/** FOLLOWERINFO, OBSERVERINFO: who comes. */
export interface LearnerInfo {
  readonly server: ServerId;
  readonly protocolVersion: number;
  /** Of the membership that the learner has. */
  readonly configVersion: bigint;
}

/** 20 bytes; 3.4 sends 12 (without `configVersion`), still older servers 8 (`protocolVersion` 1, as LearnerHandler counts them). */
export function readLearnerInfo(data: Data): LearnerInfo {
  const from = readerOf(data, 'a LearnerInfo');
  const server = Number(from.bigint64());
  const protocolVersion = from.remaining >= 4 ? from.int32() : 1;
  const configVersion = from.remaining >= 8 ? from.bigint64() : 0n;
  return { server, protocolVersion, configVersion };
}

export function writeLearnerInfo({ server, protocolVersion, configVersion }: LearnerInfo): Uint8Array {
  const to = new Writer(20);
  to.bigint64(BigInt(server));
  to.int32(protocolVersion);
  to.bigint64(configVersion);
  return to.finishFlat();
}

/** LEADERINFO: the protocol's version. */
export function readLeaderInfo(data: Data): number {
  return readerOf(data, 'LEADERINFO').int32();
}

export function writeLeaderInfo(protocolVersion = PROTOCOL_VERSION): Uint8Array {
  return int32Data(protocolVersion);
}

/** ACKEPOCH: the learner's current epoch; -1 when it has accepted the leader's epoch before, and so does not count once more. */
export function readAckEpoch(data: Data): number {
  return readerOf(data, 'ACKEPOCH').int32();
}

export function writeAckEpoch(currentEpoch: number): Uint8Array {
  return int32Data(currentEpoch);
}

/** REQUEST: what a client of the learner asks for; the packet's `authinfo` tells who the client is. */
export interface LearnerRequest {
  readonly sessionId: SessionId;
  readonly cxid: number;
  readonly opCode: number;
  /** As the client sent it, without its header; empty for closeSession. A view. */
  readonly body: Uint8Array;
}

export function readLearnerRequest(data: Data): LearnerRequest {
  const from = readerOf(data, 'REQUEST');
  return {
    sessionId: from.bigint64() as SessionId,
    cxid: from.int32(),
    opCode: from.int32(),
    body: from.bytes(from.remaining),
  };
}

export function writeLearnerRequest({ sessionId, cxid, opCode, body }: LearnerRequest): Uint8Array {
  const to = new Writer(16 + body.length);
  to.bigint64(sessionId);
  to.int32(cxid);
  to.int32(opCode);
  to.bytes(body);
  return to.finishFlat();
}

/** A session that lives, as learners tell of it: REVALIDATE up, and each that was heard of in the answer to a PING. */
export interface SessionTouch {
  readonly sessionId: SessionId;
  readonly timeoutMs: number;
}

export function readRevalidation(data: Data): SessionTouch {
  return readTouch(readerOf(data, 'REVALIDATE'));
}

export function writeRevalidation(touch: SessionTouch): Uint8Array {
  return writeTouches([touch]);
}

/** REVALIDATE down: whether the session lives. */
export interface RevalidationAnswer {
  readonly sessionId: SessionId;
  readonly isValid: boolean;
}

export function readRevalidationAnswer(data: Data): RevalidationAnswer {
  const from = readerOf(data, 'REVALIDATE');
  return { sessionId: from.bigint64() as SessionId, isValid: from.bool() };
}

export function writeRevalidationAnswer({ sessionId, isValid }: RevalidationAnswer): Uint8Array {
  const to = new Writer(9);
  to.bigint64(sessionId);
  to.bool(isValid);
  return to.finishFlat();
}

/** The answer to a PING: 12 bytes for each session. */
export function readTouches(data: Data): SessionTouch[] {
  const touches: SessionTouch[] = [];
  if (data === null) return touches;
  const from = new Reader(data);
  while (from.remaining > 0) touches.push(readTouch(from));
  return touches;
}

export function writeTouches(touches: readonly SessionTouch[]): Uint8Array {
  const to = new Writer(12 * touches.length);
  for (const { sessionId, timeoutMs } of touches) {
    to.bigint64(sessionId);
    to.int32(timeoutMs);
  }
  return to.finishFlat();
}

/** COMMITANDACTIVATE: who should lead the new membership. */
export function readDesignatedLeader(data: Data): ServerId {
  return Number(readerOf(data, 'COMMITANDACTIVATE').bigint64());
}

export function writeDesignatedLeader(server: ServerId): Uint8Array {
  const to = new Writer(8);
  to.bigint64(BigInt(server));
  return to.finishFlat();
}

/** INFORMANDACTIVATE: both at once. */
export interface InformedActivation {
  readonly designatedLeader: ServerId;
  /** The data of the PROPOSAL. A view. */
  readonly proposal: Uint8Array;
}

export function readInformedActivation(data: Data): InformedActivation {
  const from = readerOf(data, 'INFORMANDACTIVATE');
  return { designatedLeader: Number(from.bigint64()), proposal: from.bytes(from.remaining) };
}

export function writeInformedActivation({ designatedLeader, proposal }: InformedActivation): Uint8Array {
  const to = new Writer(8 + proposal.length);
  to.bigint64(BigInt(designatedLeader));
  to.bytes(proposal);
  return to.finishFlat();
}

function readTouch(from: Reader): SessionTouch {
  return { sessionId: from.bigint64() as SessionId, timeoutMs: from.int32() };
}

function int32Data(value: number): Uint8Array {
  const to = new Writer(4);
  to.int32(value);
  return to.finishFlat();
}

function readerOf(data: Data, what: string): Reader {
  if (data === null) throw new MalformedError(`${what} without data`);
  return new Reader(data);
}
