/**
 * The server's side of SASL on one connection (`SaslServerAuthenticator`), as a machine: frames in, effects out.
 *
 *   initial ──ApiVersions──▶ versioned ──SaslHandshake──▶ exchange ──▶ complete ──SaslHandshake──▶ exchange (KIP-368) …
 *      └───────────────────SaslHandshake──────────────────────▲            └ only where sessions end
 *
 * After SaslHandshake v0 the responses of the exchange are frames of their own, after v1 they come in SaslAuthenticate (KIP-152).
 * Whatever else comes before the end of an exchange ends the connection.
 */
import { present } from '../../../base/assert.ts';
import { flatten, type Slices, sliceOf } from '../../../base/slices.ts';
import { codecFor } from '../../../wire/codec.ts';
import { MalformedError, UnsupportedVersionError } from '../../../wire/errors.ts';
import { Reader } from '../../../wire/reader.ts';
import { build } from '../../../wire/schema.ts';
import { ApiKey } from '../../protocol/api-keys.ts';
import { namesItself } from '../../protocol/client-software.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { RequestHeader, requestHeaderVersion } from '../../protocol/headers.ts';
import { SaslHandshakeRequest, SaslHandshakeResponse } from '../../protocol/messages/17-sasl-handshake.ts';
import { ApiVersionsRequest, ApiVersionsResponse } from '../../protocol/messages/18-api-versions.ts';
import { SaslAuthenticateRequest, SaslAuthenticateResponse } from '../../protocol/messages/36-sasl-authenticate.ts';
import { encodeResponse } from '../../protocol/response-frame.ts';
import { refusedOpenly, type SaslIdentity, type SaslOutcome, type SaslServer } from './sasl-server.ts';

/** A mechanism that a listener offers. */
export interface ServerMechanism {
  readonly name: string;
  /** `connections.max.reauth.ms`: sessions end after that; 0 for never. */
  readonly maxReauthMs: number;
  /** For one exchange. */
  begin(): SaslServer;
}

export interface ServerAuthenticatorOptions {
  /** In the order in which clients are told of them. */
  readonly mechanisms: readonly ServerMechanism[];
  /** `sasl.server.max.receive.size` */
  readonly receiveBytesMax: number;
  /** The newest version of ApiVersions that is served. */
  readonly apiVersionsMax: number;
}

export type SaslEvent =
  /** One frame, without its length. */
  | { readonly kind: 'frame'; readonly frame: Slices; readonly nowMs: number; readonly wallMs: number }
  /** A frame has begun that will be so large. */
  | { readonly kind: 'announced'; readonly bytes: number };

export type SaslEffect =
  /** A whole frame for the client. */
  | { readonly kind: 'send'; readonly frame: Slices }
  /** The request is for the broker's handlers. */
  | { readonly kind: 'serve' }
  /** From now on the client is whom it has proved to be. */
  | { readonly kind: 'identify'; readonly identity: SaslIdentity }
  /** After `connection.failed.authentication.delay.ms` the client is told, where there is something to tell, and the connection closed. */
  | { readonly kind: 'fail'; readonly answer?: Slices; readonly reason: string }
  | { readonly kind: 'close'; readonly reason: string };

type State = 'initial' | 'unversioned' | 'versioned' | 'exchange' | 'badMechanism' | 'complete' | 'failed';
type FrameEvent = Extract<SaslEvent, { kind: 'frame' }>;

interface Request {
  readonly apiKey: number;
  readonly version: number;
  readonly correlationId: number;
  readonly body: Reader;
}

/** A client may not prove itself again sooner. */
const REAUTHENTICATION_INTERVAL_MS = 1000;

export class ServerAuthenticator {
  readonly #options: ServerAuthenticatorOptions;
  #state: State = 'initial';
  #mechanism: ServerMechanism | undefined;
  #server: SaslServer | undefined;
  /** The exchange comes in SaslAuthenticate requests. */
  #isWrapped = false;
  #identity: SaslIdentity | undefined;
  /** Of the loop's clock; undefined for a session without an end. */
  #sessionEndsMs: number | undefined;
  #reauthenticatedMs: number | undefined;

  constructor(options: ServerAuthenticatorOptions) {
    this.#options = options;
  }

  /** The client is known and its requests are served. */
  get isComplete(): boolean {
    return this.#state === 'complete';
  }

  step(event: SaslEvent): SaslEffect[] {
    switch (event.kind) {
      case 'announced':
        return this.isComplete ? [] : this.#judgeSize(event.bytes);
      case 'frame':
        return this.#received(event);
      default:
        return event satisfies never;
    }
  }

  #judgeSize(bytes: number): SaslEffect[] {
    return bytes > this.#options.receiveBytesMax ? this.#fail(`a SASL frame of ${bytes} bytes`) : [];
  }

  #received(event: FrameEvent): SaslEffect[] {
    if (this.#state === 'failed') return [];
    if (this.#state === 'complete') return this.#afterwards(event);
    const tooLarge = this.#judgeSize(event.frame.size);
    if (tooLarge.length > 0) return tooLarge;
    if (this.#state === 'badMechanism') return this.#fail('another mechanism than before was asked for');
    if (this.#state === 'exchange') return this.#exchange(event);
    return this.#beforeExchange(event.frame);
  }

  /** Requests of a client that is known; where its session ends it may prove itself again, and then must. */
  #afterwards(event: FrameEvent): SaslEffect[] {
    const endsMs = this.#sessionEndsMs;
    if (endsMs === undefined) return [{ kind: 'serve' }];
    const apiKey = event.frame.size >= 2 ? new Reader(event.frame).int16() : -1;
    if (apiKey === ApiKey.SaslHandshake && this.#mayReauthenticate(event.nowMs)) {
      this.#reauthenticatedMs = event.nowMs;
      this.#isWrapped = false;
      return this.#beforeExchange(event.frame).map(withoutAnswer);
    }
    if (event.nowMs > endsMs) return this.#close('the session of an authenticated client has ended');
    return [{ kind: 'serve' }];
  }

  #mayReauthenticate(nowMs: number): boolean {
    const lastMs = this.#reauthenticatedMs;
    return lastMs === undefined || nowMs - lastMs >= REAUTHENTICATION_INTERVAL_MS;
  }

  #beforeExchange(frame: Slices): SaslEffect[] {
    const request = requestOf(frame);
    if (request === undefined) {
      // Clients of 0.9 begin with GSSAPI, which is not spoken here.
      const reason = 'the first packet is no request that SASL begins with';
      return this.#state === 'initial' ? this.#fail(reason) : this.#close(reason);
    }
    if (this.#state === 'initial') this.#state = 'unversioned';
    if (request.apiKey === ApiKey.ApiVersions) return this.#versions(request);
    if (request.apiKey === ApiKey.SaslHandshake) return this.#handshake(request);
    return this.#fail(`unexpected request of API key ${request.apiKey} during SASL handshake`);
  }

  #versions({ version, body }: Request): SaslEffect[] {
    if (this.#state !== 'unversioned')
      return this.#close('ApiVersions is asked for a second time during SASL handshake');
    // A client that is told its version is not served may ask again.
    if (version > this.#options.apiVersionsMax) return [{ kind: 'serve' }];
    const request = decoded(() => codecFor(ApiVersionsRequest, version).read(body));
    if (request === undefined) return this.#close('a malformed ApiVersions request');
    if (namesItself(request, version)) this.#state = 'versioned';
    return [{ kind: 'serve' }];
  }

  #handshake(request: Request): SaslEffect[] {
    const { version } = request;
    const asked = decoded(() => codecFor(SaslHandshakeRequest, version).read(request.body))?.mechanism;
    if (asked === undefined) return this.#close('a malformed SaslHandshake request');
    if (version >= 1) this.#isWrapped = true;
    const found = this.#options.mechanisms.find(({ name }) => name === asked);
    const errorCode = found === undefined ? ErrorCode.UNSUPPORTED_SASL_MECHANISM : ErrorCode.NONE;
    const mechanisms = this.#options.mechanisms.map(({ name }) => name);
    const response = build(SaslHandshakeResponse, { errorCode, mechanisms });
    const frame = encodeResponse({ message: SaslHandshakeResponse, ...request }, response);
    if (found === undefined) return this.#fail(`unsupported SASL mechanism ${asked}`, frame);
    if (this.#mechanism !== undefined && this.#mechanism !== found) {
      this.#state = 'badMechanism';
    } else {
      this.#mechanism = found;
      this.#server = found.begin();
      this.#state = 'exchange';
    }
    return [{ kind: 'send', frame }];
  }

  #exchange(event: FrameEvent): SaslEffect[] {
    if (!this.#isWrapped) return this.#answered(this.#evaluate(flatten(event.frame)), event);
    const request = requestOf(event.frame);
    if (request === undefined) return this.#close('a malformed request during SASL authentication');
    if (request.apiKey !== ApiKey.SaslAuthenticate) return this.#unexpected(request);
    const asked = decoded(() => codecFor(SaslAuthenticateRequest, request.version).read(request.body));
    if (asked === undefined) return this.#close('a malformed SaslAuthenticate request');
    return this.#answered(this.#evaluate(asked.authBytes), event, request);
  }

  /** Without a request the exchange came bare, and there is no place for an error. */
  #answered(outcome: SaslOutcome, event: FrameEvent, request?: Request): SaslEffect[] {
    switch (outcome.kind) {
      case 'challenge':
        return [{ kind: 'send', frame: tokenFrame(outcome.bytes, 0, request) }];
      case 'complete': {
        const { identity, bytes } = outcome;
        const frame = tokenFrame(bytes, this.#complete(identity, event), request);
        return [
          { kind: 'send', frame },
          { kind: 'identify', identity },
        ];
      }
      case 'refused': {
        const { told, reason } = outcome;
        if (request !== undefined) return this.#fail(reason, refusalFrame(told ?? this.#plainRefusal(), request));
        return told === undefined ? this.#close(reason) : this.#fail(reason);
      }
      case 'broken':
        return this.#close(outcome.reason);
      default:
        return outcome satisfies never;
    }
  }

  /** Whoever proves himself again is who he was. */
  #evaluate(response: Uint8Array): SaslOutcome {
    const outcome = present(this.#server, 'an exchange has a mechanism').evaluate(response);
    const before = this.#identity?.name;
    if (outcome.kind !== 'complete' || before === undefined || outcome.identity.name === before) return outcome;
    return refusedOpenly(
      `Cannot change principals during re-authentication from User.${before}: User.${outcome.identity.name}`,
    );
  }

  /** Answers how long the session lasts, 0 for one without an end. */
  #complete(identity: SaslIdentity, { nowMs, wallMs }: FrameEvent): number {
    this.#state = 'complete';
    this.#identity = identity;
    this.#server = undefined;
    const limits = [this.#mechanism?.maxReauthMs ?? 0].filter((limit) => limit > 0);
    if (identity.expiresAtMs !== undefined) limits.push(Math.max(0, identity.expiresAtMs - wallMs));
    const lifetimeMs = limits.length === 0 ? undefined : Math.min(...limits);
    this.#sessionEndsMs = lifetimeMs === undefined ? undefined : nowMs + lifetimeMs;
    return lifetimeMs ?? 0;
  }

  /** Says nothing of whether there is such a user. */
  #plainRefusal(): string {
    const what = this.#identity === undefined ? 'authentication' : 're-authentication';
    return `Authentication failed during ${what} due to invalid credentials with SASL mechanism ${this.#mechanism?.name}`;
  }

  /** What may also come before it is told that this is not the time. */
  #unexpected(request: Request): SaslEffect[] {
    const { apiKey, version } = request;
    const reason = `unexpected request of API key ${apiKey} during SASL authentication`;
    const errorCode = ErrorCode.ILLEGAL_SASL_STATE;
    if (apiKey === ApiKey.SaslHandshake && version <= 1) {
      const response = build(SaslHandshakeResponse, { errorCode });
      return this.#fail(reason, encodeResponse({ message: SaslHandshakeResponse, ...request }, response));
    }
    if (apiKey === ApiKey.ApiVersions && version <= this.#options.apiVersionsMax) {
      const response = build(ApiVersionsResponse, { errorCode });
      return this.#fail(reason, encodeResponse({ message: ApiVersionsResponse, ...request }, response));
    }
    return this.#fail(reason);
  }

  #fail(reason: string, answer?: Slices): SaslEffect[] {
    this.#state = 'failed';
    return [answer === undefined ? { kind: 'fail', reason } : { kind: 'fail', reason, answer }];
  }

  #close(reason: string): SaslEffect[] {
    this.#state = 'failed';
    return [{ kind: 'close', reason }];
  }
}

/** Where clients prove themselves again Apache gives a handshake that fails no answer. */
function withoutAnswer(effect: SaslEffect): SaslEffect {
  return effect.kind === 'fail' ? { kind: 'close', reason: effect.reason } : effect;
}

/** Undefined for what is no request that this broker knows. */
function requestOf(frame: Slices): Request | undefined {
  return decoded(() => {
    const body = new Reader(frame);
    const apiKey = body.int16();
    const version = body.int16();
    body.restart();
    const { correlationId } = codecFor(RequestHeader, requestHeaderVersion(apiKey, version)).read(body);
    return { apiKey, version, correlationId, body };
  });
}

/** Undefined where the peer sent what cannot be. */
function decoded<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof MalformedError || error instanceof UnsupportedVersionError) return undefined;
    throw error;
  }
}

function tokenFrame(authBytes: Uint8Array, sessionLifetimeMs: number, request: Request | undefined): Slices {
  if (request !== undefined) {
    const response = build(SaslAuthenticateResponse, { authBytes, sessionLifetimeMs });
    return encodeResponse({ message: SaslAuthenticateResponse, ...request }, response);
  }
  const frame = Buffer.alloc(4 + authBytes.length);
  frame.writeInt32BE(authBytes.length);
  frame.set(authBytes, 4);
  return sliceOf(frame);
}

function refusalFrame(errorMessage: string, request: Request): Slices {
  const response = build(SaslAuthenticateResponse, { errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED, errorMessage });
  return encodeResponse({ message: SaslAuthenticateResponse, ...request }, response);
}
