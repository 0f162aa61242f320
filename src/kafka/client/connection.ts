import { Deque } from '../../base/deque.ts';
import type { Slices } from '../../base/slices.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Address, Connection, ConnectionHandler, NetworkError } from '../../runtime/network.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { codecFor } from '../../wire/codec.ts';
import { LossyEncodingError, MalformedError } from '../../wire/errors.ts';
import { FrameSplitter } from '../../wire/framing.ts';
import { Reader } from '../../wire/reader.ts';
import { build, type Fields, type Message, type Value } from '../../wire/schema.ts';
import { Writer } from '../../wire/writer.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { RequestHeader, requestHeaderVersion, responseHeaderVersion } from '../protocol/headers.ts';
import { ApiVersionsRequest, ApiVersionsResponse } from '../protocol/messages/18-api-versions.ts';
import type { ConnectionSecurity } from '../security/client-security.ts';
import { AuthenticationGate } from '../security/sasl/authentication-gate.ts';
import { commonVersion, type VersionRange } from './api-versions.ts';
import { disconnected, SslAuthenticationError, timedOut } from './client-errors.ts';

export interface BrokerConnectionOptions {
  readonly address: Address;
  readonly clientId: string;
  /** `request.timeout.ms`. */
  readonly requestTimeoutMs: number;
  /** `socket.connection.setup.timeout.ms`, the negotiation of versions included. */
  readonly connectTimeoutMs: number;
  /** Largest answer that is taken. */
  readonly frameSizeMax: number;
  /** In plain without. */
  readonly security?: ConnectionSecurity | undefined;
}

/** A request's fields, or how to make them once its version is known; what is left out has its default. */
export type Given<F extends Fields> = Partial<Value<F>> | ((version: number) => Partial<Value<F>>);

export interface RequestOptions {
  /** Instead of the connection's own. */
  readonly timeoutMs?: number;
}

interface Pending {
  readonly correlationId: number;
  readonly name: string;
  readonly timeoutMs: number;
  timer: Timer;
  isAnswered: boolean;
  take(reader: Reader): void;
  fail(error: Error): void;
}

const SOFTWARE = { clientSoftwareName: 'odradek', clientSoftwareVersion: '0.2.0' } as const;

/**
 * One connection to one broker. Requests go out as they are made and are answered in that order; a request whose time is over
 * ends the connection, since nothing behind it could be answered.
 *
 *   connecting ── ApiVersions ──▶ negotiating ── answer ──▶ open ── close, reset, timeout, malformed ──▶ closed
 *
 * With TLS its handshake is a part of connecting; with SASL the authentication comes before ApiVersions, and again before its session
 * ends. A broker that refuses closes the connection with the reason.
 */
export class BrokerConnection {
  /** Settles once the broker's versions are known. */
  readonly opened: Promise<void>;
  readonly #clock: Clock;
  readonly #options: BrokerConnectionOptions;
  readonly #socket: Connection;
  readonly #splitter: FrameSplitter;
  readonly #pending = new Deque<Pending>();
  readonly #closeListeners = new Set<(reason: KafkaError) => void>();
  readonly #gate: AuthenticationGate | undefined;
  #versions: ReadonlyMap<number, VersionRange> = new Map();
  #correlationId = 0;
  #isOpen = false;
  #isWritable = true;
  #mutedUntilMs = Number.NEGATIVE_INFINITY;
  #drained: (() => void) | undefined;
  #closedBy: KafkaError | undefined;

  constructor(runtime: Runtime, options: BrokerConnectionOptions) {
    this.#clock = runtime.clock;
    this.#options = options;
    this.#splitter = new FrameSplitter(options.frameSizeMax);
    this.#gate = this.#gateOf(runtime);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => undefined); // whoever waits for it hears of it; nobody has to
    this.opened = promise;
    const timer = this.#clock.after(options.connectTimeoutMs, () =>
      this.#close(timedOut(`no connection to ${this.peer} within ${options.connectTimeoutMs} ms`)),
    );
    this.onClosed((reason) => {
      timer.cancel();
      reject(reason);
    });
    const handler: ConnectionHandler = {
      connected: () => {
        this.#gate?.open();
        this.#negotiate().then(
          () => {
            timer.cancel();
            this.#isOpen = true;
            resolve();
          },
          (error: unknown) => this.#close(asKafkaError(error)),
        );
      },
      data: (chunk) => this.#take(chunk),
      drained: () => {
        this.#isWritable = true;
        this.#drained?.();
      },
      closed: (reason) => this.#close(this.#reasonOf(reason)),
    };
    const tls = options.security?.tls?.(options.address.host);
    this.#socket = runtime.network.connect(options.address, handler, { tls });
  }

  get peer(): string {
    return `${this.#options.address.host}:${this.#options.address.port}`;
  }

  /** Versions are negotiated: requests may be made. */
  get isOpen(): boolean {
    return this.#isOpen && this.#closedBy === undefined;
  }

  /** False while the broker reads too slowly; `onDrained` tells when that is over. */
  get isWritable(): boolean {
    return this.#isWritable;
  }

  get isClosed(): boolean {
    return this.#closedBy !== undefined;
  }

  get lastCorrelationId(): number {
    return this.#correlationId;
  }

  /** Requests that wait for their answers, or to be sent. */
  get inFlight(): number {
    return this.#pending.size + (this.#gate?.heldCount ?? 0);
  }

  /** What the broker says it speaks, by key. */
  get versions(): ReadonlyMap<number, VersionRange> {
    return this.#versions;
  }

  onDrained(listener: () => void): void {
    this.#drained = listener;
  }

  onClosed(listener: (reason: KafkaError) => void): void {
    this.#closeListeners.add(listener);
  }

  /** @throws KafkaError UNSUPPORTED_VERSION */
  versionOf<F extends Fields>(request: Message<F>): number {
    return commonVersion(request, this.#versions.get(request.apiKey));
  }

  /** In the newest version that both speak. Rejects with a KafkaError only. */
  async request<Q extends Fields, R extends Fields>(
    request: Message<Q>,
    response: Message<R>,
    given: Given<Q>,
    options: RequestOptions = {},
  ): Promise<Value<R>> {
    if (this.#closedBy !== undefined) throw this.#closedBy;
    return this.#ask(request, response, this.versionOf(request), given, options);
  }

  /** A request that the broker does not answer (Produce with acks 0). */
  tell<Q extends Fields>(request: Message<Q>, given: Given<Q>): void {
    if (this.#closedBy !== undefined) throw this.#closedBy;
    const frame = this.#frame(request, this.versionOf(request), given, this.#nextCorrelationId());
    this.#pass(
      () => {
        this.#isWritable = this.#socket.write(frame);
      },
      () => undefined,
    );
  }

  close(): void {
    this.#close(disconnected(`${this.peer}: closed by this client`));
  }

  #gateOf({ clock, random }: Runtime): AuthenticationGate | undefined {
    const login = this.#options.security?.sasl;
    if (login === undefined) return undefined;
    return new AuthenticationGate({
      login,
      clock,
      random,
      ask: (request, response, version, value) => this.#exchange(request, response, version, value, {}),
      failed: (error) => this.#close(asKafkaError(error)),
    });
  }

  /** Now, or when the connection is authenticated. */
  #pass(send: () => void, fail: (reason: Error) => void): void {
    if (this.#gate === undefined) send();
    else this.#gate.pass(send, fail);
  }

  #reasonOf(reason: NetworkError | undefined): KafkaError {
    if (reason?.code === 'EPROTO') return new SslAuthenticationError(reason);
    return disconnected(`${this.peer}: ${reason?.message ?? 'closed'}`, reason);
  }

  /** Asks in the newest version, then in what the broker named, 0 where it named nothing (KIP-511). */
  async #negotiate(): Promise<void> {
    const ask = (version: number) =>
      this.#ask(ApiVersionsRequest, ApiVersionsResponse, version, SOFTWARE, {
        timeoutMs: this.#options.connectTimeoutMs,
      });
    let answer = await ask(4);
    if (answer.errorCode === ErrorCode.UNSUPPORTED_VERSION) {
      const own = answer.apiKeys.find(({ apiKey }) => apiKey === ApiVersionsRequest.apiKey);
      answer = await ask(Math.max(0, Math.min(3, own?.maxVersion ?? 0)));
    }
    if (answer.errorCode !== ErrorCode.NONE) throw new KafkaError(answer.errorCode);
    this.#versions = new Map(answer.apiKeys.map((range) => [range.apiKey, range]));
  }

  /** An exchange whose turn comes when the connection is authenticated; its time begins then. */
  #ask<Q extends Fields, R extends Fields>(
    request: Message<Q>,
    response: Message<R>,
    version: number,
    given: Given<Q>,
    options: RequestOptions,
  ): Promise<Value<R>> {
    return new Promise((resolve, reject) => {
      this.#pass(() => resolve(this.#exchange(request, response, version, given, options)), reject);
    });
  }

  #exchange<Q extends Fields, R extends Fields>(
    request: Message<Q>,
    response: Message<R>,
    version: number,
    given: Given<Q>,
    options: RequestOptions,
  ): Promise<Value<R>> {
    return new Promise((resolve, reject) => {
      if (this.#closedBy !== undefined) {
        reject(this.#closedBy);
        return;
      }
      const correlationId = this.#nextCorrelationId();
      const frame = this.#frame(request, version, given, correlationId);
      const timeoutMs = options.timeoutMs ?? this.#options.requestTimeoutMs;
      const pending: Pending = {
        correlationId,
        name: request.name,
        timeoutMs,
        timer: this.#clock.after(timeoutMs, () => this.#expire(pending)),
        isAnswered: false,
        take: (reader) => {
          const answer = readBody(response, version, reader);
          this.#noteThrottle(answer);
          resolve(answer);
        },
        fail: reject,
      };
      this.#pending.push(pending);
      this.#isWritable = this.#socket.write(frame);
    });
  }

  #nextCorrelationId(): number {
    this.#correlationId = (this.#correlationId + 1) & 0x7fffffff;
    return this.#correlationId;
  }

  #frame<F extends Fields>(
    request: Message<F>,
    version: number,
    given: Given<F>,
    correlationId: number,
  ): readonly Uint8Array[] {
    const value = build(request, typeof given === 'function' ? given(version) : given);
    const header = {
      requestApiKey: request.apiKey,
      requestApiVersion: version,
      correlationId,
      clientId: this.#options.clientId,
    };
    const writer = new Writer();
    const place = writer.placeInt32();
    try {
      codecFor(RequestHeader, requestHeaderVersion(request.apiKey, version)).write(writer, header);
      codecFor(request, version).write(writer, value);
    } catch (error) {
      if (!(error instanceof LossyEncodingError)) throw error;
      throw new KafkaError(ErrorCode.UNSUPPORTED_VERSION, error.message, { cause: error });
    }
    writer.patchInt32(place, writer.size - 4);
    return writer.finish().chunks;
  }

  #take(chunk: Uint8Array): void {
    if (this.#closedBy !== undefined) return;
    try {
      this.#splitter.push(chunk, (frame) => {
        this.#answer(frame);
        return this.#closedBy === undefined;
      });
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      this.#close(disconnected(`${this.peer}: ${error.message}`, error));
    }
  }

  #answer(frame: Slices): void {
    const pending = this.#pending.shift();
    if (pending === undefined) throw new MalformedError('an answer that nothing asked for');
    pending.timer.cancel();
    pending.isAnswered = true;
    const reader = new Reader(frame);
    try {
      const correlationId = reader.int32();
      if (correlationId !== pending.correlationId) {
        throw new MalformedError(`an answer to request ${correlationId}, not to ${pending.correlationId}`);
      }
      pending.take(reader);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      const reason = disconnected(`${this.peer}, ${pending.name}: ${error.message}`, error);
      pending.fail(reason);
      this.#close(reason);
    }
  }

  /** A broker that throttles answers at once, and then does not read from us for a while (KIP-219). */
  #noteThrottle(answer: object): void {
    const { throttleTimeMs } = answer as { throttleTimeMs?: unknown };
    if (typeof throttleTimeMs !== 'number' || throttleTimeMs <= 0) return;
    this.#mutedUntilMs = Math.max(this.#mutedUntilMs, this.#clock.monotonicMs() + throttleTimeMs);
  }

  /** After a stall of ours the answer may already wait in the kernel: one poll decides. */
  #expire(pending: Pending): void {
    this.#clock.afterPoll(() => {
      if (pending.isAnswered || this.#closedBy !== undefined) return;
      const leftMs = this.#mutedUntilMs + pending.timeoutMs - this.#clock.monotonicMs();
      if (leftMs > 0) pending.timer = this.#clock.after(leftMs, () => this.#expire(pending));
      else this.#close(timedOut(`${this.peer} did not answer ${pending.name} within ${pending.timeoutMs} ms`));
    });
  }

  #close(reason: KafkaError): void {
    if (this.#closedBy !== undefined) return;
    this.#closedBy = reason;
    this.#socket.destroy();
    for (const pending of this.#pending) {
      pending.timer.cancel();
      pending.fail(reason);
    }
    this.#pending.clear();
    this.#gate?.close(reason);
    for (const listener of this.#closeListeners) listener(reason);
  }
}

/** An ApiVersions answer of another version than was asked is of version 0, with the error in front (KIP-511). */
function readBody<F extends Fields>(response: Message<F>, version: number, reader: Reader): Value<F> {
  if (responseHeaderVersion(response.apiKey, version) === 1) {
    // The correlation id is read: what is left of the header are its tags.
    skipTags(reader);
  }
  if (response.apiKey !== ApiVersionsResponse.apiKey || version === 0) return codecFor(response, version).read(reader);
  const body = reader.slices(reader.remaining);
  if (new Reader(body).int16() === ErrorCode.UNSUPPORTED_VERSION) {
    return codecFor(response, 0).read(new Reader(body));
  }
  return codecFor(response, version).read(new Reader(body));
}

function skipTags(reader: Reader): void {
  for (let count = reader.uvarint(); count > 0; count -= 1) {
    reader.uvarint();
    reader.skip(reader.uvarint());
  }
}

function asKafkaError(error: unknown): KafkaError {
  return error instanceof KafkaError ? error : disconnected(String(error), error);
}
