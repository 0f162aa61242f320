import { ConfigError } from '../../config/config-error.ts';
import type { JaasConfig } from '../../config/jaas.ts';
import { readJaasFile } from '../../config/jaas-file.ts';
import type { SystemProperties } from '../../config/system-properties.ts';
import { certificateSubject } from '../../config/x509/certificate-subject.ts';
import { DerError } from '../../config/x509/der.ts';
import { JAAS_FILE_PROPERTY } from '../../config/zoo-cfg-auth-options.ts';
import type { ServerTls, TlsMaterial, TlsSession } from '../../runtime/tls.ts';
import { Issuers, type OAuthRuntime } from '../security/oauth/issuers.ts';
import { ALLOWED_URLS_PROPERTY, checkUrls, OAUTHBEARER } from '../security/oauth/oauth-keys.ts';
import { bearerValidatorOf } from '../security/oauth/validator-settings.ts';
import { type PrincipalMapper, principalMapper } from '../security/principal-rules.ts';
import { bearerServer } from '../security/sasl/bearer-server.ts';
import { plainServer } from '../security/sasl/plain-server.ts';
import type { SaslServer } from '../security/sasl/sasl-server.ts';
import { scramServer } from '../security/sasl/scram-server.ts';
import { ServerAuthenticator, type ServerMechanism } from '../security/sasl/server-authenticator.ts';
import { noTokenSecrets, type TokenSecrets } from '../security/sasl/token-secrets.ts';
import { scramMechanisms } from '../security/scram-credential.ts';
import { loadSslMaterial } from '../security/ssl-settings.ts';
import { brokerKeys } from './config/broker-keys.ts';
import { checkCertificateChange } from './config/certificate-changes.ts';
import { InterBrokerKeys } from './config/inter-broker-security.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import { type KeyTexts, type ListenerEndpoint, listenersOf } from './config/listener-endpoints.ts';
import {
  configuredLogin,
  listenerKeys,
  loginModulesOf,
  maxReauthMsOf,
  mechanismKeys,
  mechanismsOf,
  plainUsersOf,
  serverHandlerOf,
  speaksSasl,
  speaksTls,
  tlsParametersOf,
} from './config/listener-security.ts';
import { ScramCredentials } from './scram-credentials.ts';

export interface BrokerSecurityOptions {
  readonly runtime: OAuthRuntime;
  readonly config: KafkaConfig;
  /** `-D` flags: `java.security.auth.login.config` names the JAAS file. */
  readonly systemProperties: SystemProperties;
  /** Of delegation tokens. */
  readonly tokens?: TokenSecrets;
}

/** How the clients of one listener are met. */
export interface ListenerSecurity {
  readonly tls: ServerTls | undefined;
  /** Of a connection that proves itself by nothing else; undefined where its certificate is for nobody. */
  principalOf(tls: TlsSession | undefined): string | undefined;
  /** For one connection; undefined where there is no SASL. */
  authenticator(apiVersionsMax: number): ServerAuthenticator | undefined;
}

/** Whoever is not asked for a name. */
export const ANONYMOUS = 'ANONYMOUS';
/** What says which keys and whom to trust. */
const STORE_KEYS = [...brokerKeys.keys()].filter((key) => /^ssl\.(key|trust)store\.|^ssl\.key\.password$/.test(key));

/** What the configuration says of TLS and SASL, listener by listener. A listener keeps what it opened with, but for its keys. */
export class BrokerSecurity {
  readonly #options: BrokerSecurityOptions;
  readonly #jaas: JaasConfig;
  readonly #mapper: PrincipalMapper;
  /** What open listeners with TLS show now, by their names. */
  readonly #shown = new Map<string, TlsMaterial>();
  readonly #issuers: Issuers;
  /** Kept as ZooKeeper has them by whoever follows it. */
  readonly scram = new ScramCredentials();
  /** How other brokers are spoken to. */
  readonly interBroker: InterBrokerKeys;
  /** How the controller speaks to them. */
  readonly control: InterBrokerKeys;

  /** @throws ConfigError */
  constructor(options: BrokerSecurityOptions) {
    this.#options = options;
    this.#jaas = readJaas(options);
    this.#mapper = principalMapper(options.config.string('ssl.principal.mapping.rules'));
    checkUrls(options.config.current, options.systemProperties[ALLOWED_URLS_PROPERTY]);
    this.#issuers = new Issuers(options.runtime);
    for (const listener of options.config.listeners) this.#read(listener);
    const { interBrokerListenerName, controlListenerName } = options.config;
    this.interBroker = new InterBrokerKeys(options.config, interBrokerListenerName, options.runtime, this.#jaas);
    this.control =
      controlListenerName === interBrokerListenerName
        ? this.interBroker
        : new InterBrokerKeys(options.config, controlListenerName, options.runtime, this.#jaas);
  }

  /** Until the keys of those who sign tokens are there. @throws ConfigError when they cannot be had */
  open(): Promise<void> {
    return this.#issuers.open();
  }

  close(): void {
    this.#issuers.close();
  }

  /** Connections to other brokers that are opened from now on are as the configuration is now. */
  interBrokerChanged(): void {
    this.interBroker.changed();
    this.control.changed();
  }

  /** Of a listener that is about to be opened. @throws ConfigError when keys or credentials are missing or cannot be read */
  of(listener: ListenerEndpoint): ListenerSecurity {
    const security = this.#read(listener);
    if (security.tls !== undefined) this.#shown.set(listener.listenerName, security.tls.material);
    return security;
  }

  #read(listener: ListenerEndpoint): ListenerSecurity {
    const texts = this.#options.config.current;
    const material = this.#materialOf(texts, listener);
    const mechanisms = speaksSasl(listener) ? this.#mechanisms(texts, listener) : undefined;
    const receiveBytesMax = Number(listenerKeys(texts, listener.listenerName)('sasl.server.max.receive.size'));
    return {
      tls: material === undefined ? undefined : { ...tlsParametersOf(texts, listener), material },
      principalOf: (tls) => this.#principalOf(tls),
      authenticator: (apiVersionsMax) =>
        mechanisms === undefined ? undefined : new ServerAuthenticator({ mechanisms, receiveBytesMax, apiVersionsMax }),
    };
  }

  /** Of listeners whose keys or trust would be others. @throws ConfigError when they cannot be read */
  checkTlsKeys(next: KeyTexts): void {
    const { current } = this.#options.config;
    for (const listener of listenersOf(next)) {
      const [now, then] = [current, next].map((texts) => listenerKeys(texts, listener.listenerName));
      if (STORE_KEYS.some((key) => now?.(key) !== then?.(key))) this.#changedMaterial(next, listener);
    }
  }

  /** What an open listener is to show from now on; undefined without TLS. @throws ConfigError when that cannot be */
  renewedMaterial(listener: ListenerEndpoint): TlsMaterial | undefined {
    const material = this.#changedMaterial(this.#options.config.current, listener);
    if (material !== undefined) this.#shown.set(listener.listenerName, material);
    return material;
  }

  #changedMaterial(texts: KeyTexts, listener: ListenerEndpoint): TlsMaterial | undefined {
    const material = this.#materialOf(texts, listener);
    const shown = this.#shown.get(listener.listenerName);
    if (material !== undefined && shown !== undefined) {
      checkCertificateChange(shown, material, listenerKeys(texts, listener.listenerName));
    }
    return material;
  }

  /** Keys and trust of a listener as these texts and the files have them; undefined without TLS. @throws ConfigError */
  #materialOf(texts: KeyTexts, listener: ListenerEndpoint): TlsMaterial | undefined {
    if (!speaksTls(listener)) return undefined;
    const material = loadSslMaterial(listenerKeys(texts, listener.listenerName), this.#options.runtime.disk);
    if (material.identity !== undefined) return material;
    const fix = `listener ${listener.listenerName} speaks TLS and needs a key: name a key store`;
    throw new ConfigError('ssl.keystore.location', undefined, fix);
  }

  #mechanisms(texts: KeyTexts, listener: ListenerEndpoint): ServerMechanism[] {
    return mechanismsOf(texts, listener).map((name) => ({
      name,
      maxReauthMs: maxReauthMsOf(texts, listener, name),
      begin: this.#serverOf(texts, listener, name),
    }));
  }

  /** Begins an exchange of this mechanism. @throws ConfigError */
  #serverOf(texts: KeyTexts, listener: ListenerEndpoint, name: string): () => SaslServer {
    const { scram } = this;
    const { tokens = noTokenSecrets, runtime } = this.#options;
    if (name === OAUTHBEARER) return this.#bearerServerOf(texts, listener);
    const modules = loginModulesOf(texts, listener, { mechanism: name, jaas: this.#jaas });
    const mechanism = scramMechanisms.find((one) => one.name === name);
    if (mechanism === undefined) {
      const users = plainUsersOf(modules);
      return () => plainServer((user) => users.get(user));
    }
    const credentialOf = (user: string) => scram.find(user, name);
    const { random } = runtime;
    return () => scramServer({ mechanism, credentialOf, tokens, random });
  }

  #bearerServerOf(texts: KeyTexts, listener: ListenerEndpoint): () => SaslServer {
    const { clock } = this.#options.runtime;
    const { listenerName } = listener;
    const validate = bearerValidatorOf({
      ...configuredLogin(texts, listenerName, { mechanism: OAUTHBEARER, jaas: this.#jaas }),
      get: mechanismKeys(texts, listenerName, OAUTHBEARER),
      handler: serverHandlerOf(texts, listener, OAUTHBEARER),
      issuers: this.#issuers,
    });
    return () => bearerServer(validate, () => clock.wallMs());
  }

  #principalOf(tls: TlsSession | undefined): string | undefined {
    const certificate = tls?.peerCertificates[0];
    if (certificate === undefined) return ANONYMOUS;
    try {
      return this.#mapper(certificateSubject(certificate));
    } catch (error) {
      if (error instanceof DerError) return undefined;
      throw error;
    }
  }
}

function readJaas({ runtime, systemProperties }: BrokerSecurityOptions): JaasConfig {
  const file = systemProperties[JAAS_FILE_PROPERTY];
  if (file === undefined) return new Map();
  return readJaasFile(runtime.disk, file, systemProperties);
}
