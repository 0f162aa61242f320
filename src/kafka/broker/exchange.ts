import type { Slices } from '../../base/slices.ts';
import { encodeResponse } from '../protocol/response-frame.ts';
import type { ApiHandler, RequestContext, Responder } from './api-handler.ts';
import type { RequestKind } from './metrics/request-metrics.ts';
import type { TimedRequest } from './metrics/request-sample.ts';
import type { ClientQuotas } from './quotas/client-quotas.ts';

/** What a request needs of the connection that it came from. */
export interface ExchangeOwner {
  readonly id: string;
  readonly listenerName: string;
  readonly clientAddress: string;
  readonly isClosed: boolean;
  readonly principal: string;
  readonly isTokenAuthenticated: boolean;
  readonly quotas: ClientQuotas;
  nowMs(): number;
  /** The exchange is no longer working. */
  complete(exchange: Exchange): void;
  /** The next request may be handled. */
  goOn(): void;
  destroy(reason: string): void;
}

export interface ReceivedRequest {
  readonly handler: ApiHandler;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string;
  readonly frameBytes: number;
  /** When its handling began; 0 while no quota counts. */
  readonly startedMs: number;
  /** What it counts as. */
  readonly kind: RequestKind | undefined;
  /** Given where its times are wanted. */
  readonly timed: TimedRequest | undefined;
}

/** A request whose answer has not left: what its handler knows of it, and how it is answered. */
export class Exchange implements RequestContext, Responder<unknown> {
  readonly handler: ApiHandler;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string;
  readonly frameBytes: number;
  readonly #owner: ExchangeOwner;
  readonly #startedMs: number;
  readonly #kind: RequestKind | undefined;
  readonly timed: TimedRequest | undefined;
  /** Set when the handler has returned; until the answer others are served. */
  #localMs: number | undefined;
  state: 'working' | 'answered' | 'silent' = 'working';
  /** How many parts of it hold back what follows. */
  #holds = 0;
  response: Slices | undefined;
  /** Who wants to hear when the response has been sent. */
  sent: (() => void) | undefined;
  /** How long the connection must be still, for its quotas. */
  throttleMs = 0;

  constructor(owner: ExchangeOwner, request: ReceivedRequest) {
    this.#owner = owner;
    this.handler = request.handler;
    this.apiVersion = request.apiVersion;
    this.correlationId = request.correlationId;
    this.clientId = request.clientId;
    this.frameBytes = request.frameBytes;
    this.#startedMs = request.startedMs;
    this.#kind = request.kind;
    this.timed = request.timed;
  }

  get apiKey(): number {
    return this.handler.request.apiKey;
  }

  get listenerName(): string {
    return this.#owner.listenerName;
  }

  get clientAddress(): string {
    return this.#owner.clientAddress;
  }

  get connectionId(): string {
    return this.#owner.id;
  }

  /** Nothing overlaps with it now, although its kind may. */
  get holdsOthers(): boolean {
    return this.#holds > 0;
  }

  holdOthers(): void {
    this.#holds += 1;
  }

  letOthers(): void {
    this.#holds -= 1;
    if (this.#holds === 0) this.#owner.goOn();
  }

  get principal(): string {
    return this.#owner.principal;
  }

  get isTokenAuthenticated(): boolean {
    return this.#owner.isTokenAuthenticated;
  }

  handledMs(): number {
    return this.#localMs ?? this.#owner.nowMs() - this.#startedMs;
  }

  /** Its handler has returned. */
  handled(): void {
    this.#localMs = this.handledMs();
    this.timed?.handled(this.#owner.nowMs());
  }

  isClosed(): boolean {
    return this.#owner.isClosed;
  }

  answer(response: unknown, sent?: () => void): void {
    this.answerAs(this.apiVersion, response as object, sent);
  }

  /** In a version of its own: what a client is told whose version is not served. */
  answerAs(version: number, response: object, sent?: () => void): void {
    if (this.state !== 'working' || this.#owner.isClosed) return;
    this.sent = sent;
    const { quotas } = this.#owner;
    const told = quotas.isCounting ? this.#judged(response) : response;
    this.#count(response);
    const judgedMs = quotas.isCounting ? this.#owner.nowMs() : 0;
    const { apiKey, correlationId, handler } = this;
    this.response = encodeResponse({ message: handler.response, apiKey, version, correlationId }, told);
    if (quotas.isCounting) quotas.recordTime(this, this.#owner.nowMs() - judgedMs);
    this.state = 'answered';
    this.#owner.complete(this);
  }

  none(): void {
    if (this.state !== 'working') return;
    const { quotas } = this.#owner;
    if (quotas.isCounting) this.throttleMs = quotas.throttleMs(this, { frameBytes: this.frameBytes, foundMs: 0 });
    this.#count();
    this.state = 'silent';
    this.#owner.complete(this);
  }

  close(reason: string, untold?: unknown): void {
    if (this.state === 'working') {
      this.#count(untold as object | undefined);
      this.timed?.left();
    }
    this.#owner.destroy(reason);
  }

  #count(response?: object): void {
    this.#kind?.answered(this.apiVersion, response);
    this.timed?.answered(this.#owner.nowMs(), this.throttleMs);
  }

  /** The answer tells the client how long its connection will be still, where there is a place for that. */
  #judged(response: object): object {
    const foundMs = 'throttleTimeMs' in response ? Number(response.throttleTimeMs) : 0;
    this.throttleMs = this.#owner.quotas.throttleMs(this, { frameBytes: this.frameBytes, foundMs, isAnswered: true });
    return this.throttleMs === foundMs ? response : { ...response, throttleTimeMs: this.throttleMs };
  }
}
