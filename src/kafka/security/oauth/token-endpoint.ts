import type { TlsFor } from '../../../config/client-tls.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import { requestOverHttp } from './http-request.ts';
import { jsonObjectOf } from './json-object.ts';
import { retried } from './retry.ts';

export interface TokenEndpointOptions {
  readonly url: URL;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope: string | undefined;
  /** `sasl.oauthbearer.header.urlencode`: as RFC 6749 wants it, and not every provider understands it. */
  readonly encodesHeader: boolean;
  readonly tls: TlsFor | undefined;
  readonly connectTimeoutMs: number;
  readonly readTimeoutMs: number;
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
}

/** What is asked for will not be given. */
export class TokenEndpointError extends Error {
  /** Asking again will not help. */
  readonly isFinal: boolean;

  constructor(message: string, isFinal: boolean) {
    super(message);
    this.name = 'TokenEndpointError';
    this.isFinal = isFinal;
  }
}

/** Statuses of what is wrong with the request (`HttpAccessTokenRetriever`). */
const FINAL_STATUSES: ReadonlySet<number> = new Set([
  400, 401, 402, 403, 404, 405, 406, 407, 409, 410, 411, 412, 413, 414, 415, 501, 505,
]);

/** A token by the client's own credentials (RFC 6749, 4.4). @throws TokenEndpointError, NetworkError */
export function tokenByCredentials(
  runtime: Pick<Runtime, 'network' | 'clock'>,
  options: TokenEndpointOptions,
): Promise<string> {
  const { backoffMs, backoffMaxMs } = options;
  const isFinal = (error: unknown): boolean => error instanceof TokenEndpointError && error.isFinal;
  return retried(() => ask(runtime, options), { clock: runtime.clock, backoffMs, backoffMaxMs, isFinal });
}

async function ask(runtime: Pick<Runtime, 'network' | 'clock'>, options: TokenEndpointOptions): Promise<string> {
  const { url, scope } = options;
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) });
  const answer = await requestOverHttp(runtime, {
    ...options,
    method: 'POST',
    headers: {
      Accept: 'application/json',
      Authorization: authorizationOf(options),
      'Cache-Control': 'no-cache',
      'Content-Type': 'application/x-www-form-urlencoded',
    },
    body: body.toString(),
  });
  if (answer.status === 200 || answer.status === 201) return accessTokenOf(answer.body);
  const what = `The response code ${answer.status} and error response ${errorOf(answer.body)}`;
  throw new TokenEndpointError(
    `${what} was encountered reading the token endpoint response of ${url.origin}${url.pathname}`,
    FINAL_STATUSES.has(answer.status),
  );
}

function authorizationOf({ clientId, clientSecret, encodesHeader }: TokenEndpointOptions): string {
  const [id, secret] = encodesHeader ? [clientId, clientSecret].map(formEncoded) : [clientId, clientSecret];
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
}

function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}

function accessTokenOf(body: string): string {
  const token = jsonObjectOf(body)?.access_token;
  if (typeof token === 'string' && token.trim() !== '') return token.trim();
  throw new TokenEndpointError('The token endpoint response did not contain an access_token value', true);
}

/** What an endpoint says of an error (RFC 6749, 5.2); never of a token. */
function errorOf(body: string): string {
  const { error, error_description: description, errorCode, errorSummary } = jsonObjectOf(body) ?? {};
  if (error !== undefined) return `{${error} - ${description}}`;
  return errorCode === undefined ? '{}' : `{${errorCode} - ${errorSummary}}`;
}
