import { assert } from '../../base/assert.ts';
import { Deque } from '../../base/deque.ts';
import { noSlices, type Slices } from '../../base/slices.ts';
import type { Timer } from '../../runtime/clock.ts';
import type { Address, Connection, ConnectionHandler } from '../../runtime/network.ts';
import { MalformedError } from '../../wire/errors.ts';
import { FrameSplitter } from '../../wire/framing.ts';
import { Reader } from '../../wire/reader.ts';
import { Writer } from '../../wire/writer.ts';
import type { ACL, Id } from '../jute/data.ts';
import { ErrorCode } from '../jute/errors.ts';
import { printHex, type SessionId, type Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import { AuthPacket, ConnectRequest } from '../jute/proto.ts';
import { allows, Perms } from '../tree/acl.ts';
import type { ApplyResult } from '../tree/data-tree.ts';
import type { WatchedEvent } from '../tree/watches.ts';
import type { ConnectionIdentity } from './auth/connection-identity.ts';
import type { ClientPortKind } from './client-listeners.ts';
import type { ConnectionHost } from './connection-host.ts';
import { ConnectionStats } from './connection-stats.ts';
import { wordLength } from './four-letter-words.ts';
import type { PendingRequest, Requester } from './pending-request.ts';
import type { ReadClient } from './reads.ts';
import { beginReply, replyHeader, replyPath, replySasl, replyWrite, writeEvent } from './replies.ts';
import { kindOf, type RequestKind } from './request-kind.ts';
import type { Throttled } from './request-throttler.ts';
import type { Session } from './sessions.ts';

type Phase = 'greeting' | 'connecting' | 'establishing' | 'session' | 'ending' | 'closed';

/** Replies above this are sent before the rest of the read event is handled, so that a slow reader shows early. */
const FLUSH_BYTES = 256 * 1024;
/** What events may pile up for a client that does not read: then it has to connect again. */
const UNSENT_BYTES_MAX = 64 * 1024 * 1024;
/** A reply begins with its length, which nobody counts. */
const LENGTH_BYTES = 4;
/** Reads that may wait behind a session's own writes. */
const DEFERRED_READS_MAX = 128;
/** In place of the frame of a request that is refused when its turn comes. */
const THROTTLED: Slices = { chunks: [], size: 0 };

/**
 * One client: four-letter word or session, frames, the order of its requests, back-pressure. What one read event brought is
 * handled together and answered with one write.
 *
 *   greeting ─ four letters ─▶ ending
 *      └─▶ connecting ─ ConnectRequest ─▶ establishing ─ createSession applied ─▶ session ─ closeSession ─▶ ending
 */
export class ClientConnection implements ConnectionHandler, ReadClient, Requester, Throttled {
  readonly acceptedMs: number;
  readonly stats = new ConnectionStats();
  /** Four-letter words list the clients of their own port, as Apache's factories do. */
  readonly port: ClientPortKind;
  readonly #connection: Connection;
  readonly #host: ConnectionHost;
  readonly #splitter: FrameSplitter;
  /** Frames that arrived and may not be handled yet. */
  readonly #backlog = new Deque<Slices>();
  /** Writes under way, and the reads behind them, in the session's order. */
  readonly #pending = new Deque<PendingRequest>();
  #deferredReads = 0;
  /** Requests of ours in the request throttler's queue. */
  #throttledCount = 0;
  #phase: Phase = 'greeting';
  #session: Session | undefined;
  #hello: Uint8Array | undefined;
  readonly #identity: ConnectionIdentity;
  #out: Writer | undefined;
  #outSizeHint = 512;
  #receivedMs: number;
  /** Reads answered since the last flush, for the latency. */
  #readsAnswered = 0;
  #peerIsSlow = false;
  #isPaused = false;
  #isHandling = false;
  #timer: Timer | undefined;

  constructor(connection: Connection, host: ConnectionHost, identity: ConnectionIdentity, port: ClientPortKind) {
    this.#connection = connection;
    this.port = port;
    this.#host = host;
    this.#identity = identity;
    this.#splitter = new FrameSplitter(host.config.juteMaxBuffer);
    this.acceptedMs = host.clock.wallMs();
    this.#receivedMs = host.clock.monotonicMs();
    // NIOServerCnxnFactory's sessionless timeout.
    this.#timer = host.clock.after(host.config.sessionlessTimeoutMs, () => {
      host.stats.sessionlessExpired += 1;
      this.destroy();
    });
  }

  get remote(): Address {
    return this.#connection.remote;
  }

  get ids(): readonly Id[] {
    return this.#identity.ids;
  }

  get session(): Session | undefined {
    return this.#session;
  }

  get sessionId(): SessionId {
    return this.#session?.id ?? (0n as SessionId);
  }

  /** When the client was last heard, monotonic. */
  get receivedMs(): number {
    return this.#receivedMs;
  }

  get isClosed(): boolean {
    return this.#phase === 'closed';
  }

  get isInvalid(): boolean {
    return this.#phase !== 'session';
  }

  get sessionTimeoutMs(): number {
    return this.#session?.timeoutMs ?? 0;
  }

  /** Requests under way, as `stat` shows them. */
  get queuedCount(): number {
    return this.#pending.size + this.#backlog.size;
  }

  /** Bytes that the client has not taken. */
  get unsentBytes(): number {
    return this.#connection.unsentBytes + (this.#out?.size ?? 0);
  }

  /** We do not read although the peer does: what it sends waits for us. */
  get waitsForUs(): boolean {
    return this.#isPaused && !this.#peerIsSlow;
  }

  get isReading(): boolean {
    return !this.#isPaused && (this.#phase === 'session' || this.#phase === 'connecting');
  }

  /** What waits to be sent; whoever writes outside a read event says so by `hasOutput`. */
  get out(): Writer {
    this.#out ??= new Writer(this.#outSizeHint);
    return this.#out;
  }

  // ---------------------------------------------------------------- the connection's events

  data(chunk: Uint8Array): void {
    if (this.#phase === 'closed' || this.#phase === 'ending') return;
    this.#host.stats.bytesReceived += chunk.length;
    const rest = this.#phase === 'greeting' ? this.#greet(chunk) : chunk;
    if (rest === undefined) return;
    const nowMs = this.#host.clock.monotonicMs();
    this.#receivedMs = nowMs;
    if (this.#session !== undefined) this.#host.sessions.touch(this.#session, nowMs);
    this.#guarded(() => {
      this.#splitter.push(rest, this.#onFrame);
      // A large request is judged by the length that it announces, before its bytes are here.
      if (this.#host.largeRequests !== undefined) this.#admitLarge(this.#splitter.wantedBytes);
    });
  }

  drained(): void {
    this.#peerIsSlow = false;
    this.pump();
  }

  closed(): void {
    if (this.#phase === 'closed') return;
    if (this.#phase === 'session') this.#host.stats.connectionsDropped += 1;
    this.#cleanUp();
  }

  /** Closes at once; what is unsent may be lost. */
  destroy(reason?: string): void {
    if (this.#phase === 'closed') return;
    if (reason !== undefined) {
      this.#host.log.warn(reason, { client: `${this.remote.host}:${this.remote.port}` });
    }
    this.#cleanUp();
    this.#connection.destroy();
  }

  /** Handles what had to wait, as far as it may now. */
  pump(): void {
    if (this.#isHandling || this.#phase === 'closed') return;
    this.#guarded(() => {
      while (this.#mayHandle()) {
        const frame = this.#backlog.shift();
        if (frame === undefined) break;
        this.#handle(frame);
      }
    });
  }

  /** Sends what waits. */
  flush(): void {
    const out = this.#out;
    if (out === undefined || this.#phase === 'closed') return;
    this.#out = undefined;
    const { chunks, size } = out.finish();
    if (size === 0) return;
    this.stats.lastResponseMs = this.#host.clock.wallMs();
    this.#outSizeHint = Math.min(Math.max(size + 64, 512), 64 * 1024);
    if (!this.#connection.write(chunks)) this.#peerIsSlow = true;
    if (this.#peerIsSlow && this.#connection.unsentBytes > UNSENT_BYTES_MAX) {
      this.destroy('closing a client that does not read');
    }
  }

  // ---------------------------------------------------------------- the session

  /** The session stands: requests are taken from now on. */
  established(session: Session, response: Uint8Array): void {
    if (this.#phase !== 'establishing') return;
    this.#phase = 'session';
    this.#session = session;
    session.owner = this;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.out.bytes(response);
    this.#sent();
    this.#host.hasOutput(this);
    this.#host.isHeldBack(this);
  }

  /** The session that the client asks for is no more: it is told, then the connection ends. */
  rejected(response: Uint8Array): void {
    this.out.bytes(response);
    this.#sent();
    this.endAfterFlush();
  }

  /** No request counts any more; what was written is sent, then the connection closes. */
  endAfterFlush(): void {
    if (this.#phase === 'closed' || this.#phase === 'ending') return;
    this.#phase = 'ending';
    this.flush();
    if (this.isClosed) return;
    this.#connection.end();
    this.#host.connectionEnding(this);
    // A peer that does not close its side is not waited for long.
    this.#timer?.cancel();
    this.#timer = this.#host.clock.after(this.#host.config.sessionlessTimeoutMs, () => this.destroy());
  }

  // ---------------------------------------------------------------- the pipeline's events

  completed(request: PendingRequest, result: ApplyResult | undefined): void {
    const host = this.#host;
    host.outstandingCount -= 1;
    host.largeRequests?.finished(request);
    if (this.#phase === 'closed') {
      if (request.type !== OpCode.closeSession && host.config.limits.staleConnectionCheck) host.stats.staleReplies += 1;
      return;
    }
    assert(this.#pending.shift() === request, "writes complete in their session's order", request.xid);
    if (this.#phase === 'session') {
      const before = this.out.size;
      if (result === undefined) this.#replySync(request);
      else replyWrite(this.out, request.xid, host.tree, result);
      const latencyMs = host.appliedMs - request.receivedMs;
      if (host.config.limits.staleLatencyCheck && latencyMs > this.sessionTimeoutMs) host.stats.staleReplies += 1;
      host.stats.answered(latencyMs);
      // As Apache's, which does not get as far as naming it.
      if (result?.type === OpCode.error) this.stats.lastType = 0;
      if (result === undefined) host.metrics.answeredReads(latencyMs, 1);
      else host.metrics.answeredWrite(latencyMs);
      const size = this.out.size - before - LENGTH_BYTES;
      host.stats.responded(size);
      host.stats.responseBytes += size;
      this.stats.answered(latencyMs, 1);
      this.#sent();
      host.hasOutput(this);
    }
    this.#answerDeferred();
  }

  /** A watch fires. Who may not read the node is not told of it (ZOOKEEPER-4799). */
  process(event: WatchedEvent, acl: readonly ACL[] | null): void {
    if (this.#phase !== 'session') return;
    const { config, authentication } = this.#host;
    if (acl !== null && !config.skipAcl && !allows(acl, Perms.READ, this.ids, authentication.schemes)) return;
    const before = this.out.size;
    writeEvent(this.out, event);
    const { stats } = this.#host;
    const size = this.out.size - before - LENGTH_BYTES;
    stats.responded(size);
    stats.watchBytes += size;
    this.stats.packetsSent += 1;
    stats.packetsSent += 1;
    this.#host.hasOutput(this);
  }

  // ---------------------------------------------------------------- the request throttler's events

  proceed(type: number, xid: number, frame: Slices): void {
    this.#throttledCount -= 1;
    if (this.#phase === 'session') this.#guardedUnlessHandling(() => this.#dispatch(kindOf(type), type, xid, frame));
    // Nobody waits for an answer any more, but the session wanted to end.
    else if (type === OpCode.closeSession && this.#session?.closing === false) this.#submit(type, xid, frame);
  }

  refuseThrottled(xid: number): void {
    this.#throttledCount -= 1;
    if (this.#phase !== 'session') return;
    this.#guardedUnlessHandling(() => {
      if (this.#pending.size === 0) this.#replyThrottled(xid);
      else this.#defer(OpCode.ping, xid, THROTTLED);
    });
  }

  invalidate(): void {
    if (this.#phase === 'session') this.endAfterFlush();
  }

  // ---------------------------------------------------------------- frames

  readonly #onFrame = (frame: Slices): boolean => {
    if (this.#backlog.size > 0 || !this.#mayHandle()) this.#backlog.push(frame);
    else this.#handle(frame);
    return this.#phase !== 'closed' && this.#phase !== 'ending';
  };

  /** Runs what handles frames; then what they caused leaves in one write. */
  #guarded(act: () => void): void {
    this.#isHandling = true;
    try {
      act();
    } catch (error) {
      if (error instanceof MalformedError) {
        this.flush();
        this.destroy(`closing a connection after a bad frame: ${error.message}`);
      } else {
        this.destroy();
        this.#host.fatal(error);
      }
    } finally {
      this.#isHandling = false;
    }
    if (this.#phase === 'closed') return;
    this.#countReads();
    this.flush();
    this.#regulateReading();
  }

  /** Within a read event of ours its end sends what we say; else we do. */
  #guardedUnlessHandling(act: () => void): void {
    if (this.#isHandling) act();
    else this.#guarded(act);
  }

  #mayHandle(): boolean {
    if (this.#phase !== 'session') return this.#phase === 'connecting';
    if (this.#peerIsSlow || this.#deferredReads >= DEFERRED_READS_MAX) return false;
    return this.#pending.size + this.#throttledCount === 0 || !this.#host.isOverloaded;
  }

  #regulateReading(): void {
    if (this.#phase === 'closed' || this.#phase === 'ending') return;
    const full = this.#backlog.size > 0 || !this.#mayHandle();
    if (full && !this.#peerIsSlow) this.#host.isHeldBack(this);
    if (full === this.#isPaused) return;
    this.#isPaused = full;
    if (full) this.#connection.pause();
    else this.#connection.resume();
  }

  /** The first four bytes are a four-letter word or the length of the first frame. */
  #greet(chunk: Uint8Array): Uint8Array | undefined {
    const bytes = this.#hello === undefined ? chunk : Buffer.concat([this.#hello, chunk]);
    if (bytes.length < 4) {
      this.#hello = bytes;
      return undefined;
    }
    const word = Buffer.prototype.latin1Slice.call(bytes, 0, 4);
    this.#hello = bytes.length < wordLength(word, this.#host.config) ? bytes : undefined;
    if (this.#hello !== undefined) return undefined;
    const answer = this.#host.fourLetterWord(word, this, bytes.subarray(4));
    if (answer === undefined) {
      this.#phase = 'connecting';
      return bytes;
    }
    this.out.utf8(answer);
    this.endAfterFlush();
    return undefined;
  }

  #handle(frame: Slices): void {
    if (this.#phase === 'connecting') {
      this.#phase = 'establishing';
      this.#received();
      this.#host.connect(ConnectRequest.read(new Reader(frame)), this);
      return;
    }
    const header = this.#host.cursor.open(frame, 0);
    const xid = header.int32();
    const type = header.int32();
    this.#received();
    this.stats.lastType = type;
    this.stats.lastCxid = xid;
    const kind = kindOf(type);
    if (kind === 'auth' || kind === 'sasl') {
      this.#dispatch(kind, type, xid, frame);
      return;
    }
    if (this.#identity.isBarred) {
      this.#refuseUnauthenticated(xid);
      return;
    }
    const { throttler, largeRequests } = this.#host;
    if (largeRequests !== undefined) this.#admitLarge(frame.size);
    if (throttler === undefined) {
      this.#dispatch(kind, type, xid, frame);
      return;
    }
    this.#throttledCount += 1;
    throttler.submit(this, type, xid, frame);
  }

  #admitLarge(size: number): void {
    if (this.#host.largeRequests?.admits(size) === false) throw new MalformedError(`a large request of ${size} bytes`);
  }

  #dispatch(kind: RequestKind, type: number, xid: number, frame: Slices): void {
    switch (kind) {
      case 'read':
        if (this.#pending.size === 0) this.#answerRead(type, xid, frame);
        else this.#defer(type, xid, frame);
        return;
      case 'write':
        this.#submit(type, xid, frame);
        return;
      case 'auth':
        this.#authenticate(xid, frame);
        return;
      case 'sasl':
        this.#evaluateSasl(xid, frame);
        return;
      default:
        this.#refuseUnknown(xid);
    }
  }

  #answerRead(type: number, xid: number, frame: Slices): void {
    const session = this.#session as Session;
    const before = this.out.size;
    if (session.closing) replyHeader(this.out, xid, this.#host.tree.lastProcessedZxid, ErrorCode.SESSIONEXPIRED);
    else this.#host.reads.answer(type, xid, frame, this);
    this.#readsAnswered += 1;
    const size = this.out.size - before - LENGTH_BYTES;
    this.#host.stats.responded(size);
    if (type !== OpCode.ping) this.#host.stats.responseBytes += size;
    if (this.out.size > FLUSH_BYTES) this.flush();
  }

  #defer(type: number, xid: number, frame: Slices): void {
    this.#deferredReads += 1;
    this.#enqueue(type, xid, frame);
  }

  #submit(type: number, xid: number, frame: Slices): void {
    const request = this.#enqueue(type, xid, frame);
    this.#host.submit(request);
    // Hundreds wait for a sync at a time: what they do not hold, the garbage collector need not copy. A sync answers its path,
    // and an audit log tells what was asked for.
    if (type !== OpCode.sync && !this.#host.config.auditEnabled) request.frame = noSlices;
  }

  #enqueue(type: number, xid: number, frame: Slices): PendingRequest {
    const request: PendingRequest = {
      requester: this,
      session: this.#session as Session,
      xid,
      type,
      frame,
      ids: this.#identity.ids,
      receivedMs: this.#receivedMs,
    };
    this.#pending.push(request);
    this.#host.outstandingCount += 1;
    this.#host.largeRequests?.begun(request, frame.size);
    return request;
  }

  #replyThrottled(xid: number): void {
    replyHeader(this.out, xid, this.#host.tree.lastProcessedZxid, ErrorCode.THROTTLEDOP);
    this.#readsAnswered += 1;
  }

  /** The reads up to the next write see what the last one did. */
  #answerDeferred(): void {
    for (let next = this.#pending.peek(); next !== undefined; next = this.#pending.peek()) {
      if (kindOf(next.type) !== 'read') break;
      this.#pending.shift();
      this.#deferredReads -= 1;
      this.#host.outstandingCount -= 1;
      this.#host.largeRequests?.finished(next);
      if (this.#phase !== 'session') continue;
      if (next.frame === THROTTLED) this.#replyThrottled(next.xid);
      else this.#answerRead(next.type, next.xid, next.frame);
    }
    this.#countReads();
    if (this.#backlog.size > 0 || this.#isPaused) this.#host.isHeldBack(this);
  }

  /** The answer is the path of the request, whatever it is. */
  #replySync(request: PendingRequest): void {
    const { lastProcessedZxid } = this.#host.tree;
    try {
      const path = this.#host.cursor.open(request.frame, 8).buffer();
      if (path !== null) {
        replyPath(this.out, request.xid, lastProcessedZxid, Buffer.prototype.utf8Slice.call(path, 0, path.length));
        return;
      }
      beginReply(this.out, request.xid, lastProcessedZxid, 0, 4);
      this.out.int32(-1);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      replyHeader(this.out, request.xid, lastProcessedZxid, ErrorCode.MARSHALLINGERROR);
    }
  }

  #authenticate(xid: number, frame: Slices): void {
    // The lengths of scheme and credentials, as the other bodies' (a length below -1 ends the connection).
    const lengths = this.#host.cursor.open(frame, 8 + 4);
    for (let fields = 2; fields > 0; fields -= 1) lengths.buffer();
    const from = new Reader(frame);
    from.skip(8);
    const packet = AuthPacket.read(from);
    const outcome = this.#identity.authenticate(packet);
    if (outcome === 'authenticated') {
      replyHeader(this.out, xid, 0n as Zxid, 0);
      this.#sent();
      return;
    }
    this.#host.log.warn('authentication failed', { scheme: packet.scheme, ...this.#whoFor() });
    if (outcome === 'disconnect') this.destroy();
    else this.#refuseAndEnd(xid, ErrorCode.AUTHFAILED);
  }

  #evaluateSasl(xid: number, frame: Slices): void {
    const token = this.#host.cursor.open(frame, 8).buffer();
    if (token === null) throw new MalformedError('a null SASL token');
    const answer = this.#identity.evaluateSasl(token);
    replySasl(this.out, xid, answer.err, answer.token);
    this.#sent();
    if (answer.fault !== undefined) this.#host.log.warn(`failed to SASL authenticate: ${answer.fault}`, this.#whoFor());
    if (answer.err !== 0) this.endAfterFlush();
  }

  #refuseUnauthenticated(xid: number): void {
    this.#host.log.error('closing a session: the client has not authenticated in a scheme that is enforced', {
      enforced: this.#host.config.auth.enforcedSchemes?.join(','),
      ...this.#whoFor(),
    });
    this.#refuseAndEnd(xid, ErrorCode.SESSIONCLOSEDREQUIRESASLAUTH);
  }

  #refuseAndEnd(xid: number, err: number): void {
    replyHeader(this.out, xid, 0n as Zxid, err);
    this.#sent();
    this.endAfterFlush();
  }

  /** For the log. */
  #whoFor(): { session: string; client: string } {
    return { session: printHex(this.sessionId), client: `${this.remote.host}:${this.remote.port}` };
  }

  #refuseUnknown(xid: number): void {
    replyHeader(this.out, xid, -1n as Zxid, ErrorCode.UNIMPLEMENTED);
    this.#sent();
    this.endAfterFlush();
  }

  #received(): void {
    this.stats.packetsReceived += 1;
    this.#host.stats.packetsReceived += 1;
  }

  #sent(): void {
    this.stats.packetsSent += 1;
    this.stats.lastZxid = this.#host.tree.lastProcessedZxid;
    this.#host.stats.packetsSent += 1;
  }

  /** Reads of one event share one latency: they came together and leave together. */
  #countReads(): void {
    const count = this.#readsAnswered;
    if (count === 0) return;
    this.#readsAnswered = 0;
    const latencyMs = this.#host.clock.monotonicMs() - this.#receivedMs;
    this.stats.answered(latencyMs, count);
    this.stats.packetsSent += count;
    this.stats.lastZxid = this.#host.tree.lastProcessedZxid;
    this.#host.stats.answered(latencyMs, count);
    this.#host.metrics.answeredReads(latencyMs, count);
    this.#host.stats.packetsSent += count;
  }

  #cleanUp(): void {
    this.#phase = 'closed';
    this.#timer?.cancel();
    this.#out = undefined;
    this.#backlog.clear();
    // Writes under way go on without us; the pipeline will tell their completion.
    this.#host.outstandingCount -= this.#deferredReads;
    this.#deferredReads = 0;
    const { largeRequests } = this.#host;
    if (largeRequests !== undefined) {
      for (const request of this.#pending) if (kindOf(request.type) === 'read') largeRequests.finished(request);
    }
    this.#pending.clear();
    if (this.#session?.owner === this) this.#session.owner = undefined;
    this.#host.connectionClosed(this);
  }
}
