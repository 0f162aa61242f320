/** How the `sasl.oauthbearer.*` and `sasl.login.*` keys of brokers and clients are read. */
import { ConfigError } from '../../../config/config-error.ts';
import type { LoginModule } from '../../../config/jaas.ts';

/** What a key says, its default if it has one and nothing else is set. */
export type OAuthKeys = (key: string) => string | undefined;

export const OAUTHBEARER = 'OAUTHBEARER';
export const OAUTHBEARER_MODULE = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule';

const PACKAGE = 'org.apache.kafka.common.security.oauthbearer';
/** Of the two that Apache has; the secured ones stood in a package of their own until 3.5. */
export const handlerClasses = {
  validator: {
    secured: [
      `${PACKAGE}.OAuthBearerValidatorCallbackHandler`,
      `${PACKAGE}.secured.OAuthBearerValidatorCallbackHandler`,
    ],
    unsecured: [`${PACKAGE}.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler`],
  },
  login: {
    secured: [`${PACKAGE}.OAuthBearerLoginCallbackHandler`, `${PACKAGE}.secured.OAuthBearerLoginCallbackHandler`],
    unsecured: [`${PACKAGE}.internals.unsecured.OAuthBearerUnsecuredLoginCallbackHandler`],
  },
} as const;

/** Defaults of what brokers and clients both have. */
const defaults: Readonly<Record<string, string>> = {
  'sasl.login.refresh.window.factor': '0.8',
  'sasl.login.refresh.window.jitter': '0.05',
  'sasl.login.refresh.min.period.seconds': '60',
  'sasl.login.refresh.buffer.seconds': '300',
  'sasl.login.retry.backoff.ms': '100',
  'sasl.login.retry.backoff.max.ms': '10000',
  'sasl.login.connect.timeout.ms': '20000',
  'sasl.login.read.timeout.ms': '20000',
  'sasl.oauthbearer.clock.skew.seconds': '30',
  'sasl.oauthbearer.jwks.endpoint.refresh.ms': '3600000',
  'sasl.oauthbearer.jwks.endpoint.retry.backoff.ms': '100',
  'sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms': '10000',
  'sasl.oauthbearer.scope.claim.name': 'scope',
  'sasl.oauthbearer.sub.claim.name': 'sub',
};

/** @throws ConfigError for a handler that is none of Apache's own */
export function isSecured(kind: keyof typeof handlerClasses, key: string, className: string | undefined): boolean {
  const { secured, unsecured } = handlerClasses[kind];
  if (className === undefined || (unsecured as readonly string[]).includes(className)) return false;
  if ((secured as readonly string[]).includes(className)) return true;
  throw new ConfigError(key, className, `there are no classes of Java: leave it out, or choose ${secured[0]}`);
}

/** Both handlers take their options from one module. @throws ConfigError in Apache's words */
export function onlyModule(key: string, modules: readonly LoginModule[]): LoginModule {
  const [module] = modules;
  if (module === undefined || modules.length > 1) {
    const fault = `Must supply exactly 1 non-null JAAS mechanism configuration (size was ${modules.length})`;
    throw new ConfigError(key, '[hidden]', fault);
  }
  if (module.className === OAUTHBEARER_MODULE) return module;
  throw new ConfigError(key, '[hidden]', `${OAUTHBEARER} needs the login module ${OAUTHBEARER_MODULE}`);
}

/** Undefined for nothing but white space. */
export function textKey(get: OAuthKeys, key: string): string | undefined {
  const text = (get(key) ?? defaults[key])?.trim();
  return text === '' ? undefined : text;
}

/** @throws ConfigError for what is no number, or less than `min` */
export function numberKey(get: OAuthKeys, key: string, min = 0): number {
  const text = textKey(get, key) ?? '';
  const number = Number(text);
  if (text !== '' && Number.isFinite(number) && number >= min) return number;
  throw new ConfigError(key, text, `The OAuth configuration option ${key} value must be at least ${min}`);
}

/** @throws ConfigError */
export function urlKey(get: OAuthKeys, key: string): URL {
  const text = textKey(get, key);
  if (text === undefined) {
    throw new ConfigError(key, undefined, `The OAuth configuration option ${key} value must be non-null`);
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && ['http:', 'https:', 'file:'].includes(url.protocol)) return url;
  throw new ConfigError(key, text, 'only "http", "https", and "file" protocol are supported');
}

/** System property: the only URLs that may be asked, where it is set. */
export const ALLOWED_URLS_PROPERTY = 'org.apache.kafka.sasl.oauthbearer.allowed.urls';
const URL_KEYS = /(?:^|\.)sasl\.oauthbearer\.(?:jwks|token)\.endpoint\.url$/;

/** @throws ConfigError for a URL that is none of them */
export function checkUrls(texts: ReadonlyMap<string, string>, allowed: string | undefined): void {
  if (allowed === undefined) return;
  const urls = allowed.split(',').map((url) => url.trim());
  for (const [key, url] of texts) {
    if (!URL_KEYS.test(key) || urls.includes(url)) continue;
    throw new ConfigError(key, url, `Update system property '${ALLOWED_URLS_PROPERTY}' to allow ${url}`);
  }
}
