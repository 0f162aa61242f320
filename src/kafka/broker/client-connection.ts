import { present } from '../../base/assert.ts';
import { Deque } from '../../base/deque.ts';
import type { Slices } from '../../base/slices.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Connection, ConnectionHandler, NetworkError } from '../../runtime/network.ts';
import type { TurnEnd } from '../../runtime/turn-end.ts';
import { codecFor } from '../../wire/codec.ts';
import { MalformedError } from '../../wire/errors.ts';
import type { FrameMemory } from '../../wire/framing.ts';
import { Reader } from '../../wire/reader.ts';
import { ApiKey } from '../protocol/api-keys.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { RequestHeader, requestHeaderVersion } from '../protocol/headers.ts';
import type { ServerAuthenticator } from '../security/sasl/server-authenticator.ts';
import type { ApiHandler } from './api-handler.ts';
import { type AuthenticatedConnection, Authentication } from './authentication.ts';
import type { ByteBudget } from './byte-budget.ts';
import { Exchange, type ExchangeOwner } from './exchange.ts';
import type { RequestMetrics } from './metrics/request-metrics.ts';
import { OutgoingAnswers } from './outgoing-answers.ts';
import type { ClientQuotas } from './quotas/client-quotas.ts';
import { giveBack, own, ReceivedRequests } from './received-requests.ts';

export interface ConnectionOptions {
  readonly id: string;
  readonly listenerName: string;
  readonly handlers: ReadonlyMap<number, ApiHandler>;
  readonly budget: ByteBudget;
  /** Of answers that clients have not taken, over all connections: while it is spent, nobody's next request is handled. */
  readonly responseBudget: ByteBudget;
  /** Memory for requests that do not come in one read, shared by all connections. */
  readonly requestMemory: FrameMemory;
  /** When answers leave that were not ready at once. */
  readonly turnEnd: TurnEnd;
  /** `socket.request.max.bytes`. */
  readonly requestBytesMax: number;
  readonly log: Log;
  readonly clock: Clock;
  readonly quotas: ClientQuotas;
  /** Undefined where nobody looks at metrics. */
  readonly metrics?: RequestMetrics | undefined;
  /** Who the peer is, without the type, until it proves more. */
  readonly principal: string;
  /** Where clients prove themselves by SASL. */
  readonly authenticator?: ServerAuthenticator | undefined;
  /** `connection.failed.authentication.delay.ms` */
  readonly failedAuthenticationDelayMs: number;
  readonly onClosed: (connection: ClientConnection) => void;
  /** A broken invariant: the broker stops, its host lives. */
  readonly onFatal: (error: unknown) => void;
}

/** How long a peer whose authentication failed may take to read why. */
const LAST_WORD_MS = 1000;

/** Answers beyond this are written before the next request is handled: the peer may be slow. */
const GATHERED_BYTES_MAX = 262_144;

/**
 * One client: cuts frames, handles them in order, answers in order. What one read event brought is handled together and
 * answered with one write.
 */
export class ClientConnection implements ConnectionHandler, ExchangeOwner, AuthenticatedConnection {
  readonly borrowsChunks = true;
  readonly #options: ConnectionOptions;
  readonly #connection: Connection;
  readonly #authentication: Authentication | undefined;
  readonly #received: ReceivedRequests;
  readonly #exchanges = new Deque<Exchange>();
  readonly #outgoing: OutgoingAnswers;
  #closed = false;
  #paused = false;
  /** Nobody has let it in yet. */
  #held = false;
  /** Runs while the peer is over its quotas, or must not know yet that it has failed. */
  #muted: Timer | undefined;
  #mutedUntilMs = 0;
  /** Between a read event and its flush answers are gathered instead of written one by one. */
  #gathering = false;
  /** Answers wait for the end of this turn. */
  #waitsForTurnEnd = false;
  #lastUsedMs: number;
  readonly #resume = (): void => this.#pump();
  readonly #turnEnded = (): void => {
    this.#waitsForTurnEnd = false;
    this.#pump();
  };

  constructor(connection: Connection, options: ConnectionOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#received = new ReceivedRequests(options);
    this.#outgoing = new OutgoingAnswers(connection, options.responseBudget, () => this.nowMs());
    this.#lastUsedMs = this.nowMs();
    const { authenticator, clock } = options;
    this.#authentication = authenticator === undefined ? undefined : new Authentication(authenticator, this, clock);
  }

  get id(): string {
    return this.#options.id;
  }

  get listenerName(): string {
    return this.#options.listenerName;
  }

  get clientAddress(): string {
    return this.#connection.remote.host;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  get principal(): string {
    return this.#authentication?.principal ?? this.#options.principal;
  }

  get isTokenAuthenticated(): boolean {
    return this.#authentication?.isByToken === true;
  }

  get quotas(): ClientQuotas {
    return this.#options.quotas;
  }

  nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  /** Nothing is being handled, nor held back: an idle connection may be closed by the broker. */
  get isQuiet(): boolean {
    return this.#exchanges.size === 0 && this.#received.count === 0 && this.#muted === undefined && !this.#held;
  }

  /** Bytes of answers that the peer has not taken yet. */
  get unsentBytes(): number {
    return this.#connection.unsentBytes;
  }

  get lastUsedMs(): number {
    return this.#lastUsedMs;
  }

  data(chunk: Uint8Array): void {
    if (this.#closed) return;
    this.#lastUsedMs = this.nowMs();
    const receivedMs = this.#options.metrics === undefined ? 0 : this.#lastUsedMs;
    try {
      this.#received.push(chunk, receivedMs);
    } catch (error) {
      this.#refuse(error);
      return;
    }
    this.#authentication?.announced(this.#received.wantedBytes);
    this.#pump();
    this.#received.ownAll();
  }

  drained(): void {
    this.#outgoing.drained();
    this.#pump();
  }

  /** Nothing is read until it is let in. */
  hold(): void {
    this.#held = true;
    this.#regulateReading();
  }

  letIn(): void {
    this.#held = false;
    this.#lastUsedMs = this.nowMs();
    this.#pump();
  }

  closed(reason?: NetworkError): void {
    this.#closed = true;
    this.#muted?.cancel();
    this.#options.budget.forget(this.#resume);
    this.#options.responseBudget.forget(this.#resume);
    this.#outgoing.close();
    this.#received.close();
    for (const exchange of this.#exchanges) this.#options.budget.release(exchange.frameBytes);
    this.#exchanges.clear();
    if (reason !== undefined) this.#options.log.debug('connection lost', { id: this.id, reason: reason.message });
    this.#options.onClosed(this);
  }

  destroy(reason?: string): void {
    if (this.#closed) return;
    if (reason !== undefined) this.#options.log.warn(reason, { connection: this.id });
    this.#closed = true;
    this.#connection.destroy();
  }

  /** Handles what may be handled now, then writes what was answered. */
  #pump(): void {
    if (this.#gathering || this.#closed) return;
    this.#gathering = true;
    try {
      while (!this.#closed && !this.#outgoing.peerIsSlow && this.#mayAnswer() && this.#mayHandleNext()) {
        this.#handleNext();
        if (this.#outgoing.bytes > GATHERED_BYTES_MAX) this.#flush();
      }
    } catch (error) {
      this.#refuse(error);
    } finally {
      this.#gathering = false;
    }
    this.#flush();
    this.#regulateReading();
  }

  /** There is room for another answer; else this connection goes on when there is. */
  #mayAnswer(): boolean {
    const { responseBudget } = this.#options;
    if (!responseBudget.exhausted) return true;
    if (this.#received.count > 0) responseBudget.whenFree(this.#resume);
    return false;
  }

  #mayHandleNext(): boolean {
    const next = this.#received.peek();
    if (next === undefined || this.#held || this.#muted !== undefined) return false;
    if (this.#exchanges.size === 0) return true;
    // One after the other where quotas count: whoever is over them gets no further.
    if (this.#options.quotas.isCounting) return false;
    // Everything in flight overlaps, and so does the next: appends.
    const last = this.#exchanges.at(this.#exchanges.size - 1);
    return last?.handler.overlaps === true && !last.holdsOthers && this.#overlaps(next.frame);
  }

  #overlaps(frame: Slices): boolean {
    return frame.size >= 2 && this.#options.handlers.get(new Reader(frame).int16())?.overlaps === true;
  }

  #handleNext(): void {
    const received = present(this.#received.peek(), 'a frame waits');
    if (this.#authentication?.takes(received.frame) === true) return this.#received.drop();
    let from = new Reader(received.frame);
    const apiKey = from.int16();
    const apiVersion = from.int16();
    const frameBytes = received.frame.size;
    const { metrics, quotas } = this.#options;
    const { receivedMs } = received;
    const startedMs = quotas.isCounting ? this.nowMs() : 0;
    const handler = this.#options.handlers.get(apiKey);
    if (handler === undefined) return this.destroy(`unknown request api key ${apiKey}`);
    if (apiVersion < handler.firstVersion || apiVersion > handler.lastVersion) {
      // The rest of the header has the form of a version that we do not know.
      const correlationId = from.int32();
      const kind = metrics?.kindOf(apiKey);
      const timed = kind?.begin(receivedMs, from.remaining);
      const facts = { handler, apiVersion, correlationId, clientId: '', frameBytes, startedMs, kind, timed };
      return this.#refuseVersion(this.#begin(new Exchange(this, facts)));
    }
    if (handler.borrows || received.isOwned) {
      from.restart();
    } else {
      own(received);
      from = new Reader(received.frame);
    }
    const { correlationId, clientId } = codecFor(RequestHeader, requestHeaderVersion(apiKey, apiVersion)).read(from);
    const bodyBytes = from.remaining;
    const request = codecFor(handler.request, apiVersion).read(from);
    const kind = metrics?.kindOf(apiKey, request);
    const timed = kind?.begin(receivedMs, bodyBytes);
    const exchange = this.#begin(
      new Exchange(this, {
        handler,
        apiVersion,
        correlationId,
        clientId: clientId ?? '',
        frameBytes,
        startedMs,
        kind,
        timed,
      }),
    );
    try {
      handler.handle(request, exchange, exchange);
    } catch (error) {
      this.#handlerFailed(error, exchange);
    }
    if (!received.isOwned) giveBack(received);
    if (quotas.isCounting || timed !== undefined) exchange.handled();
  }

  send(frame: Slices): void {
    this.#outgoing.push(frame);
  }

  /** Whoever guesses passwords waits for every answer. */
  fail(answer: Slices | undefined, reason: string): void {
    const { log, clock, failedAuthenticationDelayMs: delayMs } = this.#options;
    log.info(`Failed authentication with ${this.clientAddress} (${reason})`, { listener: this.listenerName });
    this.#muted?.cancel();
    this.#muted = clock.after(delayMs, () => {
      if (answer !== undefined) this.#connection.write(answer.chunks);
      this.#connection.end();
      this.#muted = clock.after(LAST_WORD_MS, () => this.destroy());
    });
  }

  /** The frame is no longer waiting but being answered. */
  #begin(exchange: Exchange): Exchange {
    this.#received.shift();
    this.#exchanges.push(exchange);
    return exchange;
  }

  /**
   * A version outside the advertised range closes the connection, save for ApiVersions: its answer is a version 0 body with
   * error 35 and the range of ApiVersions itself, so that the client can ask again (KIP-511).
   */
  #refuseVersion(exchange: Exchange): void {
    const { apiKey, apiVersion, handler } = exchange;
    if (apiKey !== ApiKey.ApiVersions) {
      return this.destroy(
        `received request api key ${handler.request.name} with version ${apiVersion} which is not enabled`,
      );
    }
    exchange.answerAs(0, {
      errorCode: ErrorCode.UNSUPPORTED_VERSION,
      apiKeys: [{ apiKey, minVersion: handler.firstVersion, maxVersion: handler.lastVersion }],
    });
  }

  #handlerFailed(error: unknown, exchange: Exchange): void {
    this.#options.log.error('a request failed', {
      api: exchange.handler.request.name,
      client: exchange.clientId,
      error: describe(error),
    });
    if (error instanceof Error && error.name === 'InvariantError') this.#options.onFatal(error);
    exchange.close('the request could not be answered');
  }

  /** An answer is ready (or there will be none): now, or later, when it leaves with those of the same turn. */
  complete(exchange: Exchange): void {
    if (this.#closed) return;
    if (exchange.throttleMs > 0) this.#mute(exchange.throttleMs);
    if (this.#exchanges.peek() === exchange) this.#collect();
    if (this.#gathering || this.#waitsForTurnEnd) return;
    this.#waitsForTurnEnd = true;
    this.#options.turnEnd.afterWrites(this.#turnEnded);
  }

  goOn(): void {
    this.#pump();
  }

  /** The peer is over its quotas: its next request is not even read before the time is up (KIP-219). */
  #mute(milliseconds: number): void {
    const untilMs = this.nowMs() + milliseconds;
    if (this.#muted !== undefined && untilMs <= this.#mutedUntilMs) return;
    this.#mutedUntilMs = untilMs;
    this.#muted?.cancel();
    this.#muted = this.#options.clock.after(milliseconds, () => {
      this.#muted = undefined;
      this.#lastUsedMs = this.nowMs();
      this.#pump();
    });
  }

  /** Moves finished answers from the head of the queue to the outgoing list. */
  #collect(): void {
    for (;;) {
      const head = this.#exchanges.peek();
      if (head === undefined || head.state === 'working') return;
      this.#exchanges.shift();
      this.#options.budget.release(head.frameBytes);
      this.#outgoing.pushAnswer(head);
    }
  }

  #flush(): void {
    if (!this.#closed) this.#outgoing.flush();
  }

  #regulateReading(): void {
    if (this.#closed) return;
    const hasNoBudget = !this.#received.reserve();
    const full =
      this.#received.isFull || this.#outgoing.peerIsSlow || this.#held || this.#muted !== undefined || hasNoBudget;
    if (hasNoBudget) this.#options.budget.whenFree(this.#resume);
    if (full === this.#paused) return;
    this.#paused = full;
    if (full) this.#connection.pause();
    else this.#connection.resume();
  }

  #refuse(error: unknown): void {
    if (error instanceof MalformedError)
      return this.destroy(`closing a connection after a bad frame: ${error.message}`);
    this.#options.log.error('a connection failed', { error: describe(error) });
    this.destroy();
    if (error instanceof Error && error.name === 'InvariantError') this.#options.onFatal(error);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
