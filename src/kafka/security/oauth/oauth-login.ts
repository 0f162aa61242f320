import { fileURLToPath } from 'node:url';
import { ConfigError } from '../../../config/config-error.ts';
import type { LoginModule } from '../../../config/jaas.ts';
import { readTextFile } from '../../../config/text-file.ts';
import { parseBoolean } from '../../../config/values.ts';
import type { OAuthLogin } from '../sasl/sasl-client.ts';
import { accessTokenOf } from './access-token.ts';
import { extensionFault } from './bearer-message.ts';
import { type OAuthRuntime, tlsOf } from './issuers.ts';
import { isSecured, numberKey, type OAuthKeys, onlyModule, textKey, urlKey } from './oauth-keys.ts';
import { type TokenEndpointOptions, tokenByCredentials } from './token-endpoint.ts';
import { type IssuedToken, TokenSource } from './token-source.ts';
import { unsecuredClaimsOf, unsecuredToken } from './unsecured-token.ts';

export interface OAuthLoginSettings {
  /** Where the modules come from. */
  readonly key: string;
  readonly modules: readonly LoginModule[];
  readonly get: OAuthKeys;
  /** `sasl.login.callback.handler.class`, by whatever key it is set. */
  readonly handler: { readonly key: string; readonly className: string | undefined };
  readonly runtime: OAuthRuntime;
}

const URL_KEY = 'sasl.oauthbearer.token.endpoint.url';

/** A login by tokens that are made here, or had from elsewhere, and kept until they are old. @throws ConfigError */
export function oauthLoginOf(settings: OAuthLoginSettings): OAuthLogin {
  const { key, modules, get, handler, runtime } = settings;
  const { options } = onlyModule(key, modules);
  const secured = isSecured('login', handler.key, handler.className);
  const extensions = extensionsOf(key, options, secured ? 'extension_' : 'unsecuredLoginExtension_');
  const source = new TokenSource({
    retrieve: secured ? remote(settings, options) : local(settings, options),
    refresh: {
      windowFactor: numberKey(get, 'sasl.login.refresh.window.factor'),
      windowJitter: numberKey(get, 'sasl.login.refresh.window.jitter'),
      minPeriodSeconds: numberKey(get, 'sasl.login.refresh.min.period.seconds'),
      bufferSeconds: numberKey(get, 'sasl.login.refresh.buffer.seconds'),
    },
    clock: runtime.clock,
    random: runtime.random,
  });
  return { mechanism: 'OAUTHBEARER', oauthToken: async () => ({ value: (await source.current()).value, extensions }) };
}

type Options = ReadonlyMap<string, string>;
type Retrieve = () => Promise<IssuedToken>;

function extensionsOf(key: string, options: Options, prefix: string): Readonly<Record<string, string>> {
  const found = [...options].flatMap(([name, value]): [string, string][] =>
    name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [],
  );
  const fault = extensionFault(new Map(found));
  if (fault !== undefined) throw new ConfigError(key, '[hidden]', fault);
  return Object.fromEntries(found);
}

function local({ key, runtime }: OAuthLoginSettings, options: Options): Retrieve {
  const claims = unsecuredClaimsOf(key, options);
  return async () => unsecuredToken(claims, runtime.clock.wallMs());
}

function remote(settings: OAuthLoginSettings, options: Options): Retrieve {
  const { get, runtime } = settings;
  const url = urlKey(get, URL_KEY);
  const subjectClaim = textKey(get, 'sasl.oauthbearer.sub.claim.name') ?? 'sub';
  if (url.protocol === 'file:') {
    const token = readTextFile(runtime.disk, URL_KEY, fileURLToPath(url), url.href);
    return async () => accessTokenOf(token, subjectClaim);
  }
  const endpoint = endpointOf(settings, url, options);
  return async () => accessTokenOf(await tokenByCredentials(runtime, endpoint), subjectClaim);
}

function endpointOf({ key, get, runtime }: OAuthLoginSettings, url: URL, options: Options): TokenEndpointOptions {
  const option = (name: string): string => {
    const value = options.get(name)?.trim() ?? '';
    if (value !== '') return value;
    throw new ConfigError(key, '[hidden]', `The OAuth configuration option ${name} value must be non-null`);
  };
  return {
    url,
    clientId: option('clientId'),
    clientSecret: option('clientSecret'),
    scope: options.get('scope')?.trim() || undefined,
    encodesHeader: parseBoolean(get('sasl.oauthbearer.header.urlencode') ?? 'false'),
    tls: tlsOf(runtime, url, options),
    connectTimeoutMs: numberKey(get, 'sasl.login.connect.timeout.ms'),
    readTimeoutMs: numberKey(get, 'sasl.login.read.timeout.ms'),
    backoffMs: numberKey(get, 'sasl.login.retry.backoff.ms'),
    backoffMaxMs: numberKey(get, 'sasl.login.retry.backoff.max.ms'),
  };
}
