import { noSlices, type Slices } from '../../base/slices.ts';
import { ErrorCode } from '../jute/errors.ts';
import type { Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { ApplyResult } from '../tree/data-tree.ts';
import { AuthRequests } from './auth/auth-requests.ts';
import type { ConnectionIdentity } from './auth/connection-identity.ts';
import type { ClientConnection } from './client-connection.ts';
import type { ConnectionHost } from './connection-host.ts';
import type { PendingRequest } from './pending-request.ts';
import { LENGTH_BYTES, replyHeader, replySync, replyWrite } from './replies.ts';
import type { ReplyCounts } from './reply-counts.ts';
import { kindOf, type RequestKind } from './request-kind.ts';
import { RequestOrder } from './request-order.ts';
import type { Throttled } from './request-throttler.ts';
import type { Session } from './sessions.ts';

/** Replies above this are sent before the rest of the read event is handled, so that a slow reader shows early. */
const FLUSH_BYTES = 256 * 1024;
/** In place of the frame of a request that is refused when its turn comes. */
const THROTTLED: Slices = { chunks: [], size: 0 };

/**
 * The requests of a client's session, from the frame to the reply: a read is answered at once unless a write of the session is
 * under way; a write goes into the pipeline and is answered when it is completed, and after it the reads that came behind it.
 */
export class SessionRequests implements Throttled {
  readonly #client: ClientConnection;
  readonly #host: ConnectionHost;
  readonly #identity: ConnectionIdentity;
  readonly #counts: ReplyCounts;
  readonly #auth: AuthRequests;
  readonly #order: RequestOrder;
  /** Requests of ours in the request throttler's queue. */
  #throttledCount = 0;

  constructor(client: ClientConnection, host: ConnectionHost, identity: ConnectionIdentity, counts: ReplyCounts) {
    this.#client = client;
    this.#host = host;
    this.#identity = identity;
    this.#counts = counts;
    this.#auth = new AuthRequests(client, host, identity, counts);
    this.#order = new RequestOrder(host);
  }

  /** Those under way, and the reads behind them. */
  get size(): number {
    return this.#order.size;
  }

  /** Whether another request may be handled now. */
  get hasRoom(): boolean {
    if (this.#order.isFull) return false;
    return this.#order.size + this.#throttledCount === 0 || !this.#host.isOverloaded;
  }

  handle(frame: Slices): void {
    const header = this.#host.cursor.open(frame, 0);
    const xid = header.int32();
    const type = header.int32();
    this.#counts.received();
    const kind = kindOf(type);
    if (kind === 'auth' || kind === 'sasl') {
      this.#dispatch(kind, type, xid, frame);
      return;
    }
    if (this.#identity.isBarred) {
      this.#auth.refuseUnauthenticated(xid);
      return;
    }
    this.#client.stats.requested(type, xid);
    const { throttler, largeRequests } = this.#host;
    largeRequests?.admit(frame.size);
    if (throttler === undefined) {
      this.#dispatch(kind, type, xid, frame);
      return;
    }
    this.#throttledCount += 1;
    throttler.submit(this, type, xid, frame);
  }

  /** The read event, or the group of writes, that brought reads is over. */
  reportReads(): void {
    this.#counts.reportReads(this.#client.receivedMs);
  }

  /** The client has gone. */
  abandon(): void {
    this.#order.abandon();
  }

  // ---------------------------------------------------------------- the pipeline's event

  completed(request: PendingRequest, result: ApplyResult | undefined): void {
    const { stats, config } = this.#host;
    this.#order.completed(request);
    if (this.#client.isClosed) {
      if (request.type !== OpCode.closeSession && config.limits.staleConnectionCheck) stats.staleReplies += 1;
      return;
    }
    // Of the connection, not of the request: a renewal at a slow server that the client gave up may have overtaken this one
    // (ZOOKEEPER-710). The client comes back and renews its session here.
    if (result?.err === ErrorCode.SESSIONMOVED) this.#client.endAfterFlush();
    if (this.#client.isInSession) this.#answerWrite(request, result);
    this.#answerDeferred();
  }

  // ---------------------------------------------------------------- the request throttler's view and events

  get isClosed(): boolean {
    return this.#client.isClosed;
  }

  get isInvalid(): boolean {
    return !this.#client.isInSession;
  }

  get sessionTimeoutMs(): number {
    return this.#client.session?.timeoutMs ?? 0;
  }

  proceed(type: number, xid: number, frame: Slices): void {
    this.#throttledCount -= 1;
    const client = this.#client;
    if (client.isInSession) client.handleTogether(() => this.#dispatch(kindOf(type), type, xid, frame));
    // Nobody waits for an answer any more, but the session wanted to end.
    else if (type === OpCode.closeSession && client.session?.closing === false) this.#write(type, xid, frame);
  }

  refuseThrottled(xid: number): void {
    this.#throttledCount -= 1;
    if (!this.#client.isInSession) return;
    this.#client.handleTogether(() => {
      if (this.#order.size === 0) this.#replyThrottled(xid);
      else this.#defer(OpCode.ping, xid, THROTTLED);
    });
  }

  invalidate(): void {
    if (this.#client.isInSession) this.#client.endAfterFlush();
  }

  // ---------------------------------------------------------------- by kind

  #dispatch(kind: RequestKind, type: number, xid: number, frame: Slices): void {
    switch (kind) {
      case 'read':
        if (this.#order.size === 0) this.#answerRead(type, xid, frame);
        else this.#defer(type, xid, frame);
        return;
      case 'write':
        this.#write(type, xid, frame);
        return;
      case 'auth':
        this.#auth.authenticate(xid, frame);
        return;
      case 'sasl':
        this.#auth.evaluateSasl(xid, frame);
        return;
      default:
        this.#client.refuse(xid, -1n as Zxid, ErrorCode.UNIMPLEMENTED);
    }
  }

  #write(type: number, xid: number, frame: Slices): void {
    if (type !== OpCode.closeSession || this.#session.scope !== 'local') this.#submit(type, xid, frame);
    else if (this.#order.size === 0) this.#endLocalSession(xid);
    else this.#defer(type, xid, frame);
  }

  /** No other server knows it, and it owns nothing: no transaction. */
  #endLocalSession(xid: number): void {
    const client = this.#client;
    const { sessions, tree } = this.#host;
    sessions.remove(this.#session.id);
    if (!client.isInSession) return;
    const before = client.out.size;
    replyHeader(client.out, xid, tree.lastProcessedZxid, 0);
    this.#counts.readAnswered(OpCode.closeSession, client.out.size - before - LENGTH_BYTES);
    client.endAfterFlush();
  }

  #answerRead(type: number, xid: number, frame: Slices): void {
    const client = this.#client;
    const before = client.out.size;
    if (this.#session.closing)
      replyHeader(client.out, xid, this.#host.tree.lastProcessedZxid, ErrorCode.SESSIONEXPIRED);
    else this.#host.reads.answer(type, xid, frame, client);
    const { size } = client.out;
    this.#counts.readAnswered(type, size - before - LENGTH_BYTES);
    if (size > FLUSH_BYTES) client.flush();
  }

  #defer(type: number, xid: number, frame: Slices): void {
    this.#order.addRead(this.#pendingRequest(type, xid, frame));
  }

  #submit(type: number, xid: number, frame: Slices): void {
    const request = this.#pendingRequest(type, xid, frame);
    this.#order.addWrite(request);
    this.#host.submit(request);
    // Hundreds wait for a sync at a time: what they do not hold, the garbage collector need not copy. A sync answers its path,
    // and an audit log tells what was asked for.
    if (type !== OpCode.sync && !this.#host.config.auditEnabled) request.frame = noSlices;
  }

  #pendingRequest(type: number, xid: number, frame: Slices): PendingRequest {
    return {
      requester: this.#client,
      session: this.#session,
      xid,
      type,
      frame,
      ids: this.#identity.ids,
      receivedMs: this.#client.receivedMs,
    };
  }

  /** @param result undefined for sync */
  #answerWrite(request: PendingRequest, result: ApplyResult | undefined): void {
    const host = this.#host;
    const client = this.#client;
    const before = client.out.size;
    if (result === undefined) replySync(client.out, request.xid, host.tree, host.cursor, request.frame);
    else replyWrite(client.out, request.xid, host.tree, result);
    const latencyMs = host.appliedMs - request.receivedMs;
    if (host.config.limits.staleLatencyCheck && latencyMs > this.sessionTimeoutMs) host.stats.staleReplies += 1;
    this.#counts.writeAnswered(result, latencyMs, client.out.size - before - LENGTH_BYTES);
    host.hasOutput(client);
  }

  /** The reads up to the next write see what the last one did. */
  #answerDeferred(): void {
    for (let next = this.#order.takeRead(); next !== undefined; next = this.#order.takeRead()) {
      if (!this.#client.isInSession) continue;
      if (next.type === OpCode.closeSession) this.#endLocalSession(next.xid);
      else if (next.frame === THROTTLED) this.#replyThrottled(next.xid);
      else this.#answerRead(next.type, next.xid, next.frame);
    }
    this.reportReads();
    this.#client.pumpLater();
  }

  get #session(): Session {
    return this.#client.session as Session;
  }

  #replyThrottled(xid: number): void {
    replyHeader(this.#client.out, xid, this.#host.tree.lastProcessedZxid, ErrorCode.THROTTLEDOP);
    this.#counts.throttledRefused();
  }
}
