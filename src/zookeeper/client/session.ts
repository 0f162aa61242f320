import type { TlsFor } from '../../config/client-tls.ts';
import type { Timer } from '../../runtime/clock.ts';
import { type Address, NetworkError } from '../../runtime/network.ts';
import { below } from '../../runtime/random.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Reader } from '../../wire/reader.ts';
import { ErrorCode, KeeperError } from '../jute/errors.ts';
import { printHex, type SessionId, type Zxid } from '../jute/ids.ts';
import { OpCode, Xid } from '../jute/op-codes.ts';
import type { ConnectResponse, ReplyHeader } from '../jute/proto.ts';
import { SaslError } from '../sasl/directives.ts';
import { type Candidate, HostList } from './host-list.ts';
import { ReadWriteProbe } from './read-write-probe.ts';
import { type Packet, type Request, RequestQueue, type RequestQueueOptions } from './request-queue.ts';
import { type SaslCredentials, SaslExchange } from './sasl-exchange.ts';
import { SessionCredentials } from './session-credentials.ts';
import { Transport } from './transport.ts';

/**
 *   connecting ──▶ connected ──▶ disconnected ──▶ connected …
 *        └────────────┴────────────────┴──▶ expired | authFailed | closed   (for good)
 */
export type SessionState =
  | 'connecting'
  | 'connected'
  | 'connectedReadOnly'
  | 'disconnected'
  | 'expired'
  | 'authFailed'
  | 'closed';

/** What resumes a session on another client. */
export interface SessionIdentity {
  readonly id: SessionId;
  /** Sixteen bytes that the server gave. */
  readonly password: Uint8Array;
}

export interface SessionOptions extends RequestQueueOptions {
  readonly hosts: readonly Address[];
  readonly sessionTimeoutMs: number;
  readonly canBeReadOnly: boolean;
  readonly frameSizeMax: number;
  /** A request that is not answered by then fails with REQUESTTIMEOUT, and the connection is given up; 0 for never. */
  readonly requestTimeoutMs: number;
  /** A session to go on with. */
  readonly session: SessionIdentity | undefined;
  /** What waits for a connection fails once no server could be reached, as in Apache's client. */
  readonly failFast: boolean;
  /** Undefined: plain connections. */
  readonly tls: TlsFor | undefined;
  /** Proved on every connection before anything else is sent. */
  readonly sasl: SaslCredentials | undefined;
}

export interface SessionOwner {
  stateChanged(state: SessionState): void;
  /** The server knows by SASL who we are; after `connected`. */
  saslAuthenticated(): void;
  /** A watch event of the server. */
  notified(header: ReplyHeader, body: Reader): void;
  /** The setWatches requests that a new connection needs. */
  watchFrames(relativeZxid: Zxid): readonly Uint8Array[];
}

const noPassword = new Uint8Array(16);
/** Requests are handed to the connection in groups of about this many bytes. */
const WRITE_BYTES = 65_536;
const RECONNECT_DELAY_MS_MAX = 1000;

/** A session with an ensemble: one identity over many connections, requests in order, failing over between servers. */
export class Session {
  readonly #runtime: Runtime;
  readonly #options: SessionOptions;
  readonly #owner: SessionOwner;
  readonly #hosts: HostList;
  #state: SessionState = 'connecting';
  #sessionId: SessionId = 0n;
  #password: Uint8Array = noPassword;
  #timeoutMs: number;
  #lastZxid: Zxid = 0n;
  readonly #requests: RequestQueue;
  /** For the oldest request's deadline. */
  #deadline: Timer | undefined;
  readonly #credentials = new SessionCredentials();
  #transport: Transport | undefined;
  /** Until it is complete the connection is its alone. */
  #sasl: SaslExchange | undefined;
  #candidate: Candidate | undefined;
  #hasConnected = false;
  /**
   * The session is the ensemble's. Before that it is one that a read-only server made up, which no other server knows:
   * the next one is asked for a new session.
   */
  #isEnsembles: boolean;
  #flushScheduled = false;
  #congested = false;
  #retry: Timer | undefined;
  #expiry: Timer | undefined;
  #probe: ReadWriteProbe | undefined;
  #closing = false;
  /** Who closed it. */
  readonly #awaitEnd: (() => void)[] = [];

  constructor(runtime: Runtime, options: SessionOptions, owner: SessionOwner) {
    this.#runtime = runtime;
    this.#options = options;
    this.#owner = owner;
    this.#timeoutMs = options.sessionTimeoutMs;
    this.#requests = new RequestQueue(options);
    this.#isEnsembles = options.session !== undefined;
    if (options.session !== undefined) {
      this.#sessionId = options.session.id;
      this.#password = Uint8Array.from(options.session.password);
    }
    this.#hosts = new HostList(options.hosts, runtime.network, runtime.random);
  }

  get state(): SessionState {
    return this.#state;
  }

  get sessionId(): SessionId {
    return this.#sessionId;
  }

  /** Undefined before there is a session that every server of the ensemble knows. */
  get identity(): SessionIdentity | undefined {
    return this.#isEnsembles ? { id: this.#sessionId, password: this.#password } : undefined;
  }

  /** What the server granted; before that what we asked for. */
  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  get lastZxid(): Zxid {
    return this.#lastZxid;
  }

  get #isOver(): boolean {
    return this.#state === 'expired' || this.#state === 'authFailed' || this.#state === 'closed';
  }

  get #isConnected(): boolean {
    return this.#state === 'connected' || this.#state === 'connectedReadOnly';
  }

  /** SASL is under way: requests wait. */
  get isAuthenticating(): boolean {
    return this.#sasl !== undefined;
  }

  start(): void {
    if (this.#isEnsembles) this.#expireAfter(this.#runtime.clock.monotonicMs());
    this.#tryNext();
  }

  /** Undefined for a request that was refused; it has failed already. */
  submit(request: Request): Packet | undefined {
    if (this.#isOver || this.#closing) {
      request.failed(this.#endError(request.path));
      return undefined;
    }
    const packet = this.#requests.add(request, this.#nowMs);
    this.#queued();
    return packet;
  }

  #queued(): void {
    if (this.#deadline === undefined) this.#armDeadline();
    this.#scheduleFlush();
  }

  /** Other servers, from now on; moves to one of them where it should. */
  updateServerList(servers: readonly Address[]): void {
    const isAtServer = this.#isConnected ? this.#candidate : undefined;
    if (this.#probe !== undefined) {
      this.#probe.stop();
      this.#probeForReadWrite(servers);
    }
    if (this.#hosts.update(servers, isAtServer) && this.#transport !== undefined) {
      this.#abandon(new NetworkError('ECONNABORTED', 'the list of servers has changed'));
    }
  }

  /** Takes back a request that was not sent; false when it is under way, and its reply will come. */
  withdraw(packet: Packet): boolean {
    return this.#requests.withdraw(packet);
  }

  /** Identities are remembered and told to every server that we connect to. */
  addAuth(scheme: string, auth: Uint8Array | null): Promise<void> {
    if (this.#isOver) return Promise.reject(this.#endError(undefined));
    const isHeard = this.#isConnected && this.#sasl === undefined;
    return this.#credentials.add(scheme, auth, isHeard ? (frame) => this.#transport?.send([frame]) : undefined);
  }

  /** Ends the session at the server once earlier requests are answered; without a connection it is left to expire. */
  close(done: () => void): void {
    if (this.#isOver) {
      done();
      return;
    }
    this.#awaitEnd.push(done);
    if (this.#closing) return; // the request is on its way already
    const finish = (): void => this.#end('closed');
    if (!this.#isConnected) {
      finish();
      return;
    }
    this.#closing = true;
    this.#requests.addLast(
      { type: OpCode.closeSession, path: undefined, replied: finish, failed: finish },
      this.#nowMs,
    );
    this.#queued();
  }

  // Connecting.

  async #tryNext(): Promise<void> {
    const candidate = await this.#hosts.next();
    if (this.#isOver || this.#transport !== undefined) return;
    if (candidate === undefined) this.#attemptFailed(undefined);
    else this.#connect(candidate);
  }

  #connect(candidate: Candidate): void {
    this.#candidate = candidate;
    const { canBeReadOnly, frameSizeMax } = this.#options;
    this.#transport = new Transport(
      this.#runtime,
      {
        address: candidate.address,
        tls: this.#options.tls?.(candidate.server.host),
        hello: {
          protocolVersion: 0,
          lastZxidSeen: this.#lastZxid,
          timeOut: this.#options.sessionTimeoutMs,
          sessionId: this.#isEnsembles ? this.#sessionId : 0n,
          passwd: this.#isEnsembles ? this.#password : noPassword,
          readOnly: canBeReadOnly,
        },
        connectTimeoutMs: this.#timeoutMs / this.#hosts.size,
        frameSizeMax,
      },
      {
        established: (response) => this.#established(response),
        received: (header, body) => this.#received(header, body),
        drained: () => this.#drained(),
        lost: (reason) => this.#lost(reason),
      },
    );
  }

  #established(response: ConnectResponse): void {
    if (response.timeOut <= 0) {
      this.#runtime.log.warn('session expired', { sessionId: printHex(this.#sessionId) });
      this.#end('expired');
      return;
    }
    this.#hasConnected = true;
    this.#hosts.connected();
    this.#expiry?.cancel();
    this.#expiry = undefined;
    this.#timeoutMs = response.timeOut;
    this.#sessionId = response.sessionId;
    this.#password = Uint8Array.from(response.passwd ?? noPassword);
    this.#congested = false;
    this.#credentials.connected();
    if (this.#options.sasl === undefined) this.#resendRegistrations();
    else this.#beginSasl(this.#options.sasl);
    const readOnly = response.readOnly === true;
    if (!readOnly) this.#isEnsembles = true;
    if (readOnly) this.#probeForReadWrite(this.#hosts.servers);
    this.#state = readOnly ? 'connectedReadOnly' : 'connected';
    this.#owner.stateChanged(this.#state);
    this.#scheduleFlush();
  }

  /** Before any request of the new connection: who we are, then what we watch. */
  #resendRegistrations(): void {
    const frames = this.#credentials.frames();
    frames.push(...this.#owner.watchFrames(this.#lastZxid));
    if (frames.length > 0) this.#transport?.send(frames);
  }

  #beginSasl(credentials: SaslCredentials): void {
    this.#sasl = new SaslExchange(credentials, this.#runtime.random, () => this.#requests.takeXid());
    this.#transport?.send([this.#sasl.begin()]);
  }

  #saslAnswered(exchange: SaslExchange, header: ReplyHeader, body: Reader): void {
    try {
      const frame = exchange.answer(header, body);
      if (frame !== undefined) this.#transport?.send([frame]);
    } catch (error) {
      if (!(error instanceof SaslError)) throw error;
      this.#runtime.log.error('SASL authentication failed', { reason: error.message });
      this.#end('authFailed');
      return;
    }
    if (!exchange.isComplete) return;
    this.#sasl = undefined;
    this.#resendRegistrations();
    this.#owner.saslAuthenticated();
    this.#scheduleFlush();
  }

  #lost(reason: Error): void {
    const transport = this.#transport;
    this.#transport = undefined;
    this.#sasl = undefined;
    this.#probe?.stop();
    this.#probe = undefined;
    if (!this.#isConnected) {
      this.#attemptFailed(reason);
      return;
    }
    this.#runtime.log.info('connection lost', { server: this.#candidate?.server.host, reason: reason.message });
    if (this.#closing) {
      this.#end('closed');
      return;
    }
    this.#expireAfter(transport?.lastHeardMs ?? this.#runtime.clock.monotonicMs());
    this.#state = 'disconnected';
    this.#requests.failAll(ErrorCode.CONNECTIONLOSS, reason);
    this.#owner.stateChanged('disconnected');
    this.#retryLater(below(this.#runtime.random, RECONNECT_DELAY_MS_MAX));
  }

  #attemptFailed(reason: Error | undefined): void {
    const candidate = this.#candidate;
    this.#runtime.log.debug('cannot connect', { server: candidate?.server.host, reason: reason?.message });
    if (this.#options.failFast && this.#hosts.roundIsOver) this.#requests.failAll(ErrorCode.CONNECTIONLOSS, reason);
    const waits = this.#hasConnected || this.#hosts.roundIsOver;
    this.#retryLater(waits ? below(this.#runtime.random, RECONNECT_DELAY_MS_MAX) : 0);
  }

  #retryLater(delayMs: number): void {
    if (this.#isOver) return;
    this.#candidate = undefined;
    this.#retry?.cancel();
    this.#retry = this.#runtime.clock.after(delayMs, () => void this.#tryNext());
  }

  /** The ensemble has surely given up a session that is silent for 4/3 of its timeout (ZOOKEEPER-4508). */
  #expireAfter(lastHeardMs: number): void {
    const delayMs = lastHeardMs + (this.#timeoutMs * 4) / 3 - this.#runtime.clock.monotonicMs();
    this.#expiry?.cancel();
    this.#expiry = this.#runtime.clock.after(Math.max(0, delayMs), () => {
      if (!this.#isConnected) this.#end('expired');
    });
  }

  /** A read-only server will do until another one can write. */
  #probeForReadWrite(hosts: readonly Address[]): void {
    const { tls } = this.#options;
    this.#probe = new ReadWriteProbe(this.#runtime, { hosts, tls }, (server, address) => {
      this.#hosts.prefer(server, address);
      this.#abandon(new KeeperError(ErrorCode.NOTREADONLY));
    });
  }

  // Requests and replies.

  /** What one turn of the program asks is written together. */
  #scheduleFlush(): void {
    if (this.#flushScheduled || !this.#isConnected) return;
    this.#flushScheduled = true;
    queueMicrotask(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#isConnected && this.#sasl === undefined && !this.#congested && this.#requests.hasWaiting) {
      this.#congested = this.#transport?.send(this.#requests.takeWaiting(WRITE_BYTES)) === false;
    }
  }

  #drained(): void {
    this.#congested = false;
    this.#flush();
  }

  /** For the deadlines of requests; 0 when they have none. */
  get #nowMs(): number {
    return this.#options.requestTimeoutMs > 0 ? this.#runtime.clock.monotonicMs() : 0;
  }

  /** One timer for the oldest request: the others have as long as it. */
  #armDeadline(): void {
    if (this.#options.requestTimeoutMs <= 0) return;
    const sinceMs = this.#requests.oldestSinceMs();
    if (sinceMs === undefined) {
      this.#deadline = undefined;
      return;
    }
    const delayMs = sinceMs + this.#options.requestTimeoutMs - this.#runtime.clock.monotonicMs();
    this.#deadline = this.#runtime.clock.after(Math.max(0, delayMs), () => this.#checkDeadline());
  }

  #checkDeadline(): void {
    const dueMs = this.#runtime.clock.monotonicMs() - this.#options.requestTimeoutMs;
    const sinceMs = this.#requests.oldestSinceMs();
    if (sinceMs !== undefined && sinceMs <= dueMs) {
      this.#requests.failOlderThan(dueMs, ErrorCode.REQUESTTIMEOUT);
      if (this.#isConnected) this.#abandon(new KeeperError(ErrorCode.REQUESTTIMEOUT)); // the reply may be lost (ClientCnxn.submitRequest)
    }
    this.#armDeadline();
  }

  #received(header: ReplyHeader, body: Reader): void {
    switch (header.xid) {
      case Xid.notification:
        return this.#owner.notified(header, body);
      case Xid.auth:
        return this.#authAnswered(header.err);
      case Xid.setWatches:
        if (header.err !== 0) this.#runtime.log.warn('watches were not renewed', { error: header.err });
        return;
      default:
        if (this.#sasl !== undefined) return this.#saslAnswered(this.#sasl, header, body);
        return this.#answered(header, body);
    }
  }

  #answered(header: ReplyHeader, body: Reader): void {
    const packet = this.#requests.takeAnswered(header.xid);
    if (packet === undefined) {
      this.#runtime.log.error('a reply out of order', { found: header.xid });
      this.#abandon(new NetworkError('EPROTO', `a reply out of order, xid ${header.xid}`));
      return;
    }
    if (header.zxid > this.#lastZxid) this.#lastZxid = header.zxid;
    const { request } = packet;
    try {
      request.replied(header, body);
    } catch (cause) {
      request.failed(new KeeperError(ErrorCode.MARSHALLINGERROR, request.path, { cause }));
      throw cause;
    }
  }

  /** The connection cannot be trusted any more. */
  #abandon(reason: Error): void {
    this.#transport?.drop();
    this.#lost(reason);
  }

  #authAnswered(err: number): void {
    const credentials = this.#credentials.takeAnswered();
    if (err !== 0) {
      this.#runtime.log.error('authentication failed', { scheme: credentials?.scheme });
      this.#end('authFailed');
      return;
    }
    credentials?.confirm();
  }

  // The end.

  #end(state: 'expired' | 'authFailed' | 'closed'): void {
    if (this.#isOver) return;
    this.#state = state; // first: what fails now must fail with the right error, and nothing new may begin
    this.#retry?.cancel();
    this.#expiry?.cancel();
    this.#deadline?.cancel();
    this.#probe?.stop();
    this.#transport?.drop();
    this.#transport = undefined;
    this.#requests.failAll(this.#endCode());
    this.#credentials.rejectAll(() => this.#endError(undefined));
    this.#owner.stateChanged(state);
    for (const done of this.#awaitEnd.splice(0)) done();
  }

  #endCode(): number {
    return this.#state === 'authFailed' ? ErrorCode.AUTHFAILED : ErrorCode.SESSIONEXPIRED;
  }

  #endError(path: string | undefined): KeeperError {
    return new KeeperError(this.#endCode(), path);
  }
}
