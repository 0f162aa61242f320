import { Deque } from '../../base/deque.ts';
import { flatten } from '../../base/slices.ts';
import { Writer } from '../../wire/writer.ts';
import type { ErrorCode } from '../jute/errors.ts';
import type { SessionId, Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { TxnHeader } from '../jute/txn.ts';
import { writeLearnerRequest } from '../quorum/packet-data.ts';
import { PacketType, type QuorumPacket } from '../quorum/quorum-packet.ts';
import type { PendingRequest, Requester } from '../server/pending-request.ts';

const HEADER_BYTES = 8;
const noBytes = new Uint8Array(0);

/** Requests of our clients that the leader has, in the order of each session: they come back as transactions, or as SYNC. */
export class LeaderRequests {
  readonly #requests = new Map<SessionId, Deque<PendingRequest>>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(request: PendingRequest): void {
    this.#count += 1;
    const pending = this.#requests.get(request.session.id);
    if (pending !== undefined) {
      pending.push(request);
      return;
    }
    const first = new Deque<PendingRequest>();
    first.push(request);
    this.#requests.set(request.session.id, first);
  }

  /** The one that has become this transaction, if it is next in its session's order; undefined of another server's. */
  take({ clientId, cxid, type }: TxnHeader): PendingRequest | undefined {
    const next = this.#requests.get(clientId)?.peek();
    if (next === undefined || next.xid !== cxid) return undefined;
    // A session that the leader ends has no number of a request.
    if ((type === OpCode.closeSession) !== (next.type === OpCode.closeSession)) return undefined;
    this.takeNext(clientId);
    return next;
  }

  takeNext(session: SessionId): void {
    const requests = this.#requests.get(session) as Deque<PendingRequest>;
    requests.shift();
    this.#count -= 1;
    if (requests.size === 0) this.#requests.delete(session);
  }
}

/** REQUEST */
export function requestPacket(request: PendingRequest): QuorumPacket {
  const { session, xid, type, ids } = request;
  const data = writeLearnerRequest({ sessionId: session.id, cxid: xid, opCode: type, body: bodyOf(request) });
  return { type: PacketType.REQUEST, zxid: -1n as Zxid, data, authinfo: ids };
}

function bodyOf({ type, frame, session }: PendingRequest): Uint8Array {
  if (type === OpCode.createSession) {
    const to = new Writer(4);
    to.int32(session.timeoutMs);
    return to.finishFlat();
  }
  return frame.size <= HEADER_BYTES ? noBytes : flatten(frame).subarray(HEADER_BYTES);
}

/**
 * The leader will refuse it, and cannot know why as well as we do. What the operations of a multi are told stays what the leader
 * says, as at Apache's.
 */
export function refused(request: PendingRequest, err: ErrorCode): PendingRequest {
  const { requester } = request;
  const completed: Requester['completed'] = (_, result) => {
    const isMulti = result === undefined || result.type === OpCode.multi;
    requester.completed(request, isMulti ? result : { ...result, type: OpCode.error, err });
  };
  return { ...request, requester: { completed } };
}
