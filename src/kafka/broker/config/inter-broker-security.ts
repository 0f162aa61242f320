import type { JaasConfig } from '../../../config/jaas.ts';
import { type ConnectionSecurity, connectionSecurity, usesSasl, usesTls } from '../../security/client-security.ts';
import type { OAuthRuntime } from '../../security/oauth/issuers.ts';
import { OAUTHBEARER } from '../../security/oauth/oauth-keys.ts';
import { oauthLoginOf } from '../../security/oauth/oauth-login.ts';
import { loginMechanism, passwordLoginOf, refuseClass } from '../../security/sasl/login-modules.ts';
import type { SaslLogin } from '../../security/sasl/sasl-client.ts';
import { clientTlsOf } from '../../security/ssl-client.ts';
import type { KafkaConfig } from './kafka-config.ts';
import { securityProtocolOf } from './listener-endpoints.ts';
import { callbackHandlerOf, configuredLogin, mechanismKeys, refuseHandlerForAll } from './listener-security.ts';

/** How this broker speaks to others. */
export type InterBrokerSecurity = ConnectionSecurity;

/** Of the listener's mechanism; Apache does not look at it without. */
const HANDLER_KEY = 'sasl.login.callback.handler.class';
const MECHANISM_KEY = 'sasl.mechanism.inter.broker.protocol';

/**
 * What the configuration says of a listener on which brokers speak to each other: `listener.name.<listener>.ssl.*` before `ssl.*`,
 * and as a login what that listener's login module of the mechanism has as `username` and `password`.
 *
 * @param jaas sections of the JAAS file that `java.security.auth.login.config` names, if any
 * @throws ConfigError when keys or a login are missing, or cannot be read
 */
export function interBrokerSecurityOf(
  config: KafkaConfig,
  listener: string,
  runtime: OAuthRuntime,
  jaas: JaasConfig = new Map(),
): InterBrokerSecurity {
  const protocol = securityProtocolOf(config.current, listener);
  const scope = `listener.name.${listener.toLowerCase()}.`;
  const keyOf = (key: string): string | undefined =>
    config.optional(`${scope}${key}`) ?? config.optional(key) ?? undefined;
  return connectionSecurity(runtime.disk, {
    protocol,
    ...(usesTls(protocol) ? { tls: clientTlsOf(keyOf, runtime.disk) } : {}),
    ...(usesSasl(protocol) ? { sasl: saslOf(config, listener, runtime, jaas) } : {}),
  });
}

/** How a broker speaks to others on a listener now; key stores are read once, and again when something was configured anew. */
export class InterBrokerKeys {
  readonly #read: () => InterBrokerSecurity;
  #current: InterBrokerSecurity | undefined;

  /** @throws ConfigError */
  constructor(config: KafkaConfig, listener: string, runtime: OAuthRuntime, jaas?: JaasConfig) {
    this.#read = () => interBrokerSecurityOf(config, listener, runtime, jaas);
    this.#current = this.#read();
  }

  /** For a connection that is being opened. @throws ConfigError while they cannot be read */
  get current(): InterBrokerSecurity {
    this.#current ??= this.#read();
    return this.#current;
  }

  changed(): void {
    this.#current = undefined;
  }
}

function saslOf(config: KafkaConfig, listener: string, runtime: OAuthRuntime, jaas: JaasConfig): SaslLogin {
  const mechanism = loginMechanism(MECHANISM_KEY, config.string(MECHANISM_KEY));
  const { key, modules } = configuredLogin(config.current, listener, { mechanism, jaas });
  const handler = callbackHandlerOf(config.current, listener, mechanism, HANDLER_KEY);
  if (mechanism !== OAUTHBEARER) {
    refuseClass(handler.key, handler.className);
    return passwordLoginOf(key, modules, mechanism);
  }
  refuseHandlerForAll(handler, HANDLER_KEY, config.current.get(HANDLER_KEY));
  return oauthLoginOf({
    key,
    modules,
    get: mechanismKeys(config.current, listener, mechanism),
    handler,
    runtime,
  });
}
