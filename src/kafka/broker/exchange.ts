import type { Slices } from '../../base/slices.ts';
import { codecFor } from '../../wire/codec.ts';
import { Writer } from '../../wire/writer.ts';
import { responseHeaderVersion } from '../protocol/headers.ts';
import type { ApiHandler, RequestContext, Responder } from './api-handler.ts';

/** What a request needs of the connection that it came from. */
export interface ExchangeOwner {
  readonly id: string;
  readonly listenerName: string;
  readonly clientAddress: string;
  readonly isClosed: boolean;
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
}

/** A request whose answer has not left: what its handler knows of it, and how it is answered. */
export class Exchange implements RequestContext, Responder<unknown> {
  readonly handler: ApiHandler;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string;
  readonly frameBytes: number;
  readonly #owner: ExchangeOwner;
  state: 'working' | 'answered' | 'silent' = 'working';
  /** Nothing overlaps with it now, although its kind may. */
  holdsOthers = false;
  response: Slices | undefined;
  /** Who wants to hear when the response has been sent. */
  sent: (() => void) | undefined;

  constructor(owner: ExchangeOwner, request: ReceivedRequest) {
    this.#owner = owner;
    this.handler = request.handler;
    this.apiVersion = request.apiVersion;
    this.correlationId = request.correlationId;
    this.clientId = request.clientId;
    this.frameBytes = request.frameBytes;
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

  holdOthers(): void {
    this.holdsOthers = true;
  }

  letOthers(): void {
    this.holdsOthers = false;
    this.#owner.goOn();
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
    this.response = encodeResponse(this.handler, version, this.correlationId, response);
    this.state = 'answered';
    this.#owner.complete(this);
  }

  none(): void {
    if (this.state !== 'working') return;
    this.state = 'silent';
    this.#owner.complete(this);
  }

  close(reason: string): void {
    this.#owner.destroy(reason);
  }
}

/** `size | correlation id [| tags] | body`, ready to be sent. */
function encodeResponse(handler: ApiHandler, version: number, correlationId: number, response: object): Slices {
  const writer = new Writer(128);
  const place = writer.placeInt32();
  writer.int32(correlationId);
  if (responseHeaderVersion(handler.request.apiKey, version) >= 1) writer.uvarint(0);
  codecFor(handler.response, version).write(writer, response as never);
  writer.patchInt32(place, writer.size - 4);
  return writer.finish();
}
