import type { Fields, Message, Value } from '../../wire/schema.ts';
import { bounds, type Versions } from '../../wire/versions.ts';

/** What a handler may know of where a request came from. */
export interface RequestContext {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  /** Null is treated as the empty string. */
  readonly clientId: string;
  /** `listeners` name the request arrived on: answers name only endpoints of this listener. */
  readonly listenerName: string;
  readonly clientAddress: string;
  /** The connection died: delayed work for it may stop. Never goes back to false. */
  readonly isClosed: () => boolean;
  /** Names the connection, as `<local>-<remote>-<sequence>`. */
  readonly connectionId: string;
  /** A request that may overlap waits for something: what follows on its connection is not handled before as many `letOthers`. */
  holdOthers(): void;
  letOthers(): void;
  /** The user's name, without its type. Absent for what the broker asks itself: no quota counts it. */
  readonly principal?: string | undefined;
  /** It proved itself with a delegation token: such a client may not ask for more of them. */
  readonly isTokenAuthenticated?: boolean;
  /** Milliseconds that the event loop spent on the request so far, where quotas count them. */
  handledMs?(): number;
}

export interface Responder<R> {
  /**
   * Exactly once, now or later. `sent` is called at most once, when the system has all the bytes of the answer or the connection
   * that they were written to is gone: memory that the response refers to may be used again. It never comes for an answer that
   * was not written, or not to a connection.
   */
  answer(response: R, sent?: () => void): void;
  /** The request has no answer (Produce with acks=0). */
  none(): void;
  /**
   * The connection is closed without an answer, as Apache does where an answer is impossible; `untold` is what it would have said,
   * for those who count errors.
   */
  close(reason: string, untold?: R): void;
}

/** One API key: which versions it honours, and what it does. */
export interface ApiHandler {
  readonly request: Message<Fields>;
  readonly response: Message<Fields>;
  /** What ApiVersions advertises; each of them works. */
  readonly versions: Versions;
  /** The ends of `versions`. */
  readonly firstVersion: number;
  readonly lastVersion: number;
  /**
   * A connection's requests are handled one after the other, as Apache's muted channels do. Appends may overlap: they are
   * ordered by the log itself.
   */
  readonly overlaps: boolean;
  /** The request's bytes are the handler's until `handle` returns: what it needs of them later it copies. Otherwise it may keep them. */
  readonly borrows: boolean;
  handle(request: unknown, context: RequestContext, responder: Responder<unknown>): void;
}

/** Ties a handler's types together once, so that the registry can hold all of them. */
export function apiHandler<Q extends Fields, R extends Fields>(handler: {
  readonly request: Message<Q>;
  readonly response: Message<R>;
  readonly versions: Versions;
  readonly overlaps?: boolean;
  readonly borrows?: boolean;
  handle(request: Value<Q>, context: RequestContext, responder: Responder<Value<R>>): void;
}): ApiHandler {
  const [firstVersion, lastVersion] = bounds(handler.versions);
  return { overlaps: false, borrows: false, ...handler, firstVersion, lastVersion } as unknown as ApiHandler;
}
