import { ConfigError } from '../../config/config-error.ts';
import type { LoginModule } from '../../config/jaas.ts';
import { readJaasFile } from '../../config/jaas-file.ts';
import type { SystemProperties } from '../../config/system-properties.ts';
import { JAAS_FILE_PROPERTY } from '../../config/zoo-cfg-auth-options.ts';
import {
  type ClientSecurity,
  type SecurityProtocol,
  securityProtocols,
  usesSasl,
  usesTls,
} from '../security/client-security.ts';
import type { OAuthRuntime } from '../security/oauth/issuers.ts';
import { ALLOWED_URLS_PROPERTY, checkUrls } from '../security/oauth/oauth-keys.ts';
import { oauthLoginOf } from '../security/oauth/oauth-login.ts';
import { inlineLoginModules, loginMechanism, passwordLoginOf, refuseClass } from '../security/sasl/login-modules.ts';
import type { SaslLogin } from '../security/sasl/sasl-client.ts';
import { clientTlsOf } from '../security/ssl-client.ts';

type Properties = ReadonlyMap<string, string>;

const JAAS_KEY = 'sasl.jaas.config';
const HANDLER_KEY = 'sasl.login.callback.handler.class';
/** Of a JAAS file. */
const SECTION = 'KafkaClient';

/** Keys that are read here; what else begins like them has no effect. */
export const securityKeys: ReadonlySet<string> = new Set([
  'security.protocol',
  'sasl.mechanism',
  JAAS_KEY,
  HANDLER_KEY,
  ...['window.factor', 'window.jitter', 'min.period.seconds', 'buffer.seconds'].map(
    (name) => `sasl.login.refresh.${name}`,
  ),
  ...['connect.timeout.ms', 'read.timeout.ms', 'retry.backoff.ms', 'retry.backoff.max.ms'].map(
    (name) => `sasl.login.${name}`,
  ),
  ...['token.endpoint.url', 'sub.claim.name', 'header.urlencode'].map((name) => `sasl.oauthbearer.${name}`),
  ...['location', 'password', 'type', 'key', 'certificate.chain'].map((name) => `ssl.keystore.${name}`),
  ...['location', 'password', 'type', 'certificates'].map((name) => `ssl.truststore.${name}`),
  ...['key.password', 'protocol', 'enabled.protocols', 'cipher.suites', 'provider', 'engine.factory.class'].map(
    (name) => `ssl.${name}`,
  ),
  'ssl.endpoint.identification.algorithm',
]);

export interface SecurityWorld {
  readonly runtime: OAuthRuntime;
  /** `-D` flags of KAFKA_OPTS: they may name a JAAS file. */
  readonly systemProperties: SystemProperties;
}

/** What `security.protocol`, `ssl.*` and `sasl.*` of a client say. @throws ConfigError */
export function clientSecurityOf(properties: Properties, world: SecurityWorld): ClientSecurity {
  const protocol = protocolOf(properties.get('security.protocol') ?? 'PLAINTEXT');
  return {
    protocol,
    ...(usesTls(protocol) ? { tls: clientTlsOf((key) => properties.get(key), world.runtime.disk) } : {}),
    ...(usesSasl(protocol) ? { sasl: saslOf(properties, world) } : {}),
  };
}

function protocolOf(text: string): SecurityProtocol {
  const found = securityProtocols.find((protocol) => protocol === text.trim().toUpperCase());
  if (found !== undefined) return found;
  const fix = `String must be one of (case insensitive): ${securityProtocols.join(', ')}`;
  throw new ConfigError('security.protocol', text, fix);
}

function saslOf(properties: Properties, { runtime, systemProperties }: SecurityWorld): SaslLogin {
  const mechanism = loginMechanism('sasl.mechanism', properties.get('sasl.mechanism') ?? 'GSSAPI');
  const text = properties.get(JAAS_KEY);
  const key = text === undefined ? JAAS_FILE_PROPERTY : JAAS_KEY;
  const modules = text === undefined ? modulesOfFile(runtime, systemProperties) : inlineLoginModules(JAAS_KEY, text);
  const className = properties.get(HANDLER_KEY);
  if (mechanism !== 'OAUTHBEARER') {
    refuseClass(HANDLER_KEY, className);
    return passwordLoginOf(key, modules, mechanism);
  }
  checkUrls(properties, systemProperties[ALLOWED_URLS_PROPERTY]);
  const handler = { key: HANDLER_KEY, className };
  return oauthLoginOf({ key, modules, get: (name) => properties.get(name), handler, runtime });
}

/** @throws ConfigError in Apache's words (`JaasContext.defaultContext`) */
function modulesOfFile(runtime: OAuthRuntime, properties: SystemProperties): readonly LoginModule[] {
  const file = properties[JAAS_FILE_PROPERTY];
  const modules = file === undefined ? undefined : readJaasFile(runtime.disk, file, properties).get(SECTION);
  if (modules !== undefined) return modules;
  const fault = `Could not find a '${SECTION}' entry in the JAAS configuration. System property '${JAAS_FILE_PROPERTY}' is ${file ?? 'not set'}`;
  throw new ConfigError(JAAS_KEY, undefined, fault);
}
