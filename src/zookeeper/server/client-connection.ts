import { Deque } from '../../base/deque.ts';
import type { Slices } from '../../base/slices.ts';
import type { Timer } from '../../runtime/clock.ts';
import type { Address, Connection, ConnectionHandler } from '../../runtime/network.ts';
import { MalformedError } from '../../wire/errors.ts';
import { FrameSplitter } from '../../wire/framing.ts';
import { Reader } from '../../wire/reader.ts';
import { Writer } from '../../wire/writer.ts';
import type { ACL, Id } from '../jute/data.ts';
import type { SessionId, Zxid } from '../jute/ids.ts';
import { ConnectRequest } from '../jute/proto.ts';
import { allows, Perms } from '../tree/acl.ts';
import type { ApplyResult } from '../tree/data-tree.ts';
import type { WatchedEvent } from '../tree/watches.ts';
import type { ConnectionIdentity } from './auth/connection-identity.ts';
import type { ClientPortKind } from './client-listeners.ts';
import type { ConnectionHost } from './connection-host.ts';
import { ConnectionStats } from './connection-stats.ts';
import { Greeting, wordOf } from './greeting.ts';
import type { PendingRequest, Requester } from './pending-request.ts';
import type { ReadClient } from './reads.ts';
import { HEADER_BYTES, LENGTH_BYTES, replyHeader, writeEvent } from './replies.ts';
import { ReplyCounts } from './reply-counts.ts';
import { SessionRequests } from './session-requests.ts';
import type { Session } from './sessions.ts';

type Phase = 'greeting' | 'connecting' | 'establishing' | 'session' | 'ending' | 'closed';

/** What events may pile up for a client that does not read: then it has to connect again. */
const UNSENT_BYTES_MAX = 64 * 1024 * 1024;

/**
 * One client's connection: four-letter word or session, bytes into frames and back, back-pressure. What one read event brought
 * is handled together and answered with one write. What a frame of the session asks for is the matter of SessionRequests.
 *
 *   greeting ─ four letters ─▶ ending
 *      └─▶ connecting ─ ConnectRequest ─▶ establishing ─ createSession applied ─▶ session ─ closeSession ─▶ ending
 */
export class ClientConnection implements ConnectionHandler, ReadClient, Requester {
  readonly acceptedMs: number;
  readonly stats = new ConnectionStats();
  /** Four-letter words list the clients of their own port, as Apache's factories do. */
  readonly port: ClientPortKind;
  readonly #connection: Connection;
  readonly #host: ConnectionHost;
  readonly #splitter: FrameSplitter;
  /** Frames that arrived and may not be handled yet. */
  readonly #backlog = new Deque<Slices>();
  #phase: Phase = 'greeting';
  #session: Session | undefined;
  readonly #greeting: Greeting;
  readonly #identity: ConnectionIdentity;
  readonly #counts: ReplyCounts;
  readonly #requests: SessionRequests;
  #out: Writer | undefined;
  #outSizeHint = 512;
  #receivedMs: number;
  #peerIsSlow = false;
  #isPaused = false;
  #isHandling = false;
  #timer: Timer | undefined;

  constructor(connection: Connection, host: ConnectionHost, identity: ConnectionIdentity, port: ClientPortKind) {
    this.#connection = connection;
    this.port = port;
    this.#host = host;
    this.#identity = identity;
    this.#greeting = new Greeting(host.config);
    this.#counts = new ReplyCounts(host, this.stats);
    this.#requests = new SessionRequests(this, host, identity, this.#counts);
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

  /** Its requests are taken and answered. */
  get isInSession(): boolean {
    return this.#phase === 'session';
  }

  /** Requests under way, as `stat` shows them. */
  get queuedCount(): number {
    return this.#requests.size + this.#backlog.size;
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
      this.#host.largeRequests?.admit(this.#splitter.wantedBytes);
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

  /** Room was made: what waits goes on after this group. */
  pumpLater(): void {
    if (this.#backlog.size > 0 || this.#isPaused) this.#host.isHeldBack(this);
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
  established(session: Session, response: Uint8Array, createdInMs?: number): void {
    if (this.#phase !== 'establishing') return;
    this.#phase = 'session';
    this.#session = session;
    session.owner = this;
    if (createdInMs !== undefined) this.#counts.sessionCreated(session.scope, createdInMs);
    this.#timer?.cancel();
    this.#timer = undefined;
    this.out.bytes(response);
    this.#counts.sent();
    this.#host.hasOutput(this);
    this.#host.isHeldBack(this);
  }

  /** The session that the client asks for is no more: it is told, then the connection ends. */
  rejected(response: Uint8Array): void {
    this.out.bytes(response);
    this.#counts.sent();
    this.endAfterFlush();
  }

  /** A request is answered with an error that ends the connection. */
  refuse(xid: number, zxid: Zxid, err: number): void {
    replyHeader(this.out, xid, zxid, err);
    this.#counts.sentAside(HEADER_BYTES);
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
    this.#requests.completed(request, result);
  }

  /** A watch fires. Who may not read the node is not told of it (ZOOKEEPER-4799). */
  process(event: WatchedEvent, acl: readonly ACL[] | null): void {
    if (this.#phase !== 'session') return;
    const { config, authentication } = this.#host;
    if (acl !== null && !config.skipAcl && !allows(acl, Perms.READ, this.ids, authentication.schemes)) return;
    const before = this.out.size;
    writeEvent(this.out, event);
    this.#counts.eventSent(this.out.size - before - LENGTH_BYTES);
    this.#host.hasOutput(this);
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
    this.#requests.reportReads();
    this.flush();
    this.#regulateReading();
  }

  /** Runs what handles a frame. Within a read event of ours its end sends what we say; else we do. */
  handleTogether(act: () => void): void {
    if (this.#isHandling) act();
    else this.#guarded(act);
  }

  #mayHandle(): boolean {
    if (this.#phase !== 'session') return this.#phase === 'connecting';
    return !this.#peerIsSlow && this.#requests.hasRoom;
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
    const bytes = this.#greeting.add(chunk);
    if (bytes === undefined) return undefined;
    const answer = this.#host.fourLetterWord(wordOf(bytes), this, bytes.subarray(4));
    if (answer === undefined) {
      this.#phase = 'connecting';
      return bytes;
    }
    this.out.utf8(answer);
    this.endAfterFlush();
    return undefined;
  }

  #handle(frame: Slices): void {
    if (this.#phase !== 'connecting') {
      this.#requests.handle(frame);
      return;
    }
    this.#phase = 'establishing';
    this.#counts.received();
    this.#host.connect(ConnectRequest.read(new Reader(frame)), this);
  }

  #cleanUp(): void {
    this.#phase = 'closed';
    this.#timer?.cancel();
    this.#out = undefined;
    this.#backlog.clear();
    this.#requests.abandon();
    if (this.#session?.owner === this) this.#session.owner = undefined;
    this.#host.connectionClosed(this);
  }
}
