import { fileURLToPath } from 'node:url';
import { clientTls, type TlsFor } from '../../../config/client-tls.ts';
import { ConfigError } from '../../../config/config-error.ts';
import { readTextFile } from '../../../config/text-file.ts';
import { NetworkError } from '../../../runtime/network.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import { clientTlsOf } from '../ssl-client.ts';
import { requestOverHttp } from './http-request.ts';
import { type Jwk, JwkSetError, jwkSetOf } from './jwk-set.ts';
import { JwksEndpoint } from './jwks-endpoint.ts';
import { numberKey, type OAuthKeys, urlKey } from './oauth-keys.ts';
import type { IssuerKeys } from './secured-validator.ts';

export type OAuthRuntime = Pick<Runtime, 'disk' | 'network' | 'clock' | 'random' | 'log'>;

const URL_KEY = 'sasl.oauthbearer.jwks.endpoint.url';
const PREFIX = 'sasl.oauthbearer.jwks.endpoint';
const TIMEOUT_MS = 20_000;

/** Whose tokens a broker believes: each set of keys is read once, whatever listeners go by it. */
export class Issuers {
  readonly #runtime: OAuthRuntime;
  readonly #endpoints = new Map<string, JwksEndpoint>();
  #isOpen = false;

  constructor(runtime: OAuthRuntime) {
    this.#runtime = runtime;
  }

  /**
   * @param options of the login module: its `ssl.*` keys say whom to trust
   * @throws ConfigError, as for a file that cannot be read
   */
  keysOf(get: OAuthKeys, options: ReadonlyMap<string, string>): IssuerKeys {
    const url = urlKey(get, URL_KEY);
    if (url.protocol === 'file:') return { keys: keysOfFile(this.#runtime, url), missing: () => undefined };
    const settings = {
      refreshMs: numberKey(get, `${PREFIX}.refresh.ms`, 1),
      backoffMs: numberKey(get, `${PREFIX}.retry.backoff.ms`),
      backoffMaxMs: numberKey(get, `${PREFIX}.retry.backoff.max.ms`),
    };
    const name = JSON.stringify([url.href, settings, [...options]]);
    const known = this.#endpoints.get(name);
    if (known !== undefined) return known;
    const { clock, log } = this.#runtime;
    const tls = tlsOf(this.#runtime, url, options);
    const read = (): Promise<readonly Jwk[]> => keysOfUrl(this.#runtime, url, tls);
    const endpoint = new JwksEndpoint({ location: url.href, read, clock, log: log.named('kafka.oauth'), ...settings });
    this.#endpoints.set(name, endpoint);
    if (this.#isOpen) endpoint.open().catch((error: unknown) => log.error(`OAuth JWKS of ${url.href}`, { error }));
    return endpoint;
  }

  /** Reads the keys of all for the first time. @throws ConfigError */
  async open(): Promise<void> {
    this.#isOpen = true;
    for (const endpoint of this.#endpoints.values()) {
      await endpoint.open().catch((error: Error) => {
        throw new ConfigError(URL_KEY, endpoint.location, `the keys cannot be read (${error.message})`);
      });
    }
  }

  close(): void {
    for (const endpoint of this.#endpoints.values()) endpoint.close();
  }
}

/** Undefined for plain HTTP. @throws ConfigError */
export function tlsOf({ disk }: OAuthRuntime, url: URL, options: ReadonlyMap<string, string>): TlsFor | undefined {
  return url.protocol === 'https:'
    ? clientTls(
        disk,
        clientTlsOf((key) => options.get(key), disk),
      )
    : undefined;
}

function keysOfFile({ disk }: OAuthRuntime, url: URL): readonly Jwk[] {
  try {
    return jwkSetOf(readTextFile(disk, URL_KEY, fileURLToPath(url), url.href));
  } catch (error) {
    if (!(error instanceof JwkSetError)) throw error;
    throw new ConfigError(URL_KEY, url.href, error.message);
  }
}

async function keysOfUrl(runtime: OAuthRuntime, url: URL, tls: TlsFor | undefined): Promise<readonly Jwk[]> {
  const { status, body } = await requestOverHttp(runtime, {
    url,
    method: 'GET',
    headers: { Accept: '*/*' },
    tls,
    connectTimeoutMs: TIMEOUT_MS,
    readTimeoutMs: TIMEOUT_MS,
  });
  if (status !== 200) throw new NetworkError('EPROTO', `${url.href} answers with status ${status}`);
  return jwkSetOf(body);
}
