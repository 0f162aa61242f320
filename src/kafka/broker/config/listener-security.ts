import { ConfigError } from '../../../config/config-error.ts';
import { type JaasConfig, type LoginModule, usersOf } from '../../../config/jaas.ts';
import { parseNumber, splitList } from '../../../config/values.ts';
import type { ServerTls } from '../../../runtime/tls.ts';
import { isSecured, OAUTHBEARER, OAUTHBEARER_MODULE } from '../../security/oauth/oauth-keys.ts';
import { inlineLoginModules, PLAIN_MODULE, refuseClass, SCRAM_MODULE } from '../../security/sasl/login-modules.ts';
import { scramMechanisms } from '../../security/scram-credential.ts';
import { type SslKeys, sslParametersOf } from '../../security/ssl-settings.ts';
import { brokerKeys } from './broker-keys.ts';
import { inPropertiesOrder } from './dynamic-keys.ts';
import {
  interBrokerListenerNameOf,
  type KeyTexts,
  type ListenerEndpoint,
  ListenerError,
  listenersOf,
} from './listener-endpoints.ts';

const CLIENT_AUTHENTICATION = { none: 'none', requested: 'want', required: 'need' } as const;
const JAAS_KEY = 'sasl.jaas.config';
const MECHANISMS_KEY = 'sasl.enabled.mechanisms';
/** For those who do not limit idle connections. */
const HANDSHAKE_TIMEOUT_MS = 600_000;

const HANDLER_KEY = 'sasl.server.callback.handler.class';

const mechanismNames: readonly string[] = ['PLAIN', ...scramMechanisms.map(({ name }) => name), OAUTHBEARER];
const moduleNames: readonly string[] = [PLAIN_MODULE, SCRAM_MODULE, OAUTHBEARER_MODULE];

type Listener = Pick<ListenerEndpoint, 'listenerName' | 'securityProtocol'>;

export function speaksTls({ securityProtocol }: Listener): boolean {
  return securityProtocol === 'SSL' || securityProtocol === 'SASL_SSL';
}

export function speaksSasl({ securityProtocol }: Listener): boolean {
  return securityProtocol === 'SASL_PLAINTEXT' || securityProtocol === 'SASL_SSL';
}

/** What is set for a listener alone (`listener.name.<name>.<key>`), else for all, else the default. */
export function listenerKeys(texts: KeyTexts, listenerName: string): SslKeys {
  return (key) => ofListener(texts, listenerName, key) ?? texts.get(key) ?? brokerKeys.get(key)?.default ?? undefined;
}

/** What is set for a listener's mechanism alone comes first. */
export function mechanismKeys(texts: KeyTexts, listenerName: string, mechanism: string): SslKeys {
  const get = listenerKeys(texts, listenerName);
  return (key) => texts.get(mechanismKey(listenerName, mechanism, key)) ?? get(key);
}

function ofListener(texts: KeyTexts, listenerName: string, key: string): string | undefined {
  return texts.get(listenerKey(listenerName, key));
}

function listenerKey(listenerName: string, key: string): string {
  return `listener.name.${listenerName.toLowerCase()}.${key}`;
}

function mechanismKey(listenerName: string, mechanism: string, key: string): string {
  return listenerKey(listenerName, `${mechanism.toLowerCase()}.${key}`);
}

/** How a listener speaks TLS, its keys apart. @throws ConfigError */
export function tlsParametersOf(texts: KeyTexts, listener: Listener): Omit<ServerTls, 'material'> {
  const get = listenerKeys(texts, listener.listenerName);
  const idleMs = parseNumber(get('connections.max.idle.ms') ?? '');
  return {
    ...sslParametersOf(get),
    clientAuthentication: clientAuthenticationOf(texts, listener),
    handshakeTimeoutMs: idleMs > 0 ? Math.min(idleMs, HANDSHAKE_TIMEOUT_MS) : HANDSHAKE_TIMEOUT_MS,
  };
}

/** Clients that prove themselves by SASL are asked for a certificate only where that is set for their listener. */
function clientAuthenticationOf(texts: KeyTexts, listener: Listener): ServerTls['clientAuthentication'] {
  const key = 'ssl.client.auth';
  const { listenerName } = listener;
  const text = speaksSasl(listener) ? ofListener(texts, listenerName, key) : listenerKeys(texts, listenerName)(key);
  const word = (text ?? 'none').toLowerCase();
  if (word in CLIENT_AUTHENTICATION) return CLIENT_AUTHENTICATION[word as keyof typeof CLIENT_AUTHENTICATION];
  throw new ConfigError(key, word, 'choose none, requested or required');
}

/** In the order in which clients are told of them, which is that of a `HashSet`. */
export function mechanismsOf(texts: KeyTexts, { listenerName }: Listener): string[] {
  return inPropertiesOrder([...new Set(splitList(listenerKeys(texts, listenerName)(MECHANISMS_KEY) ?? ''))]);
}

/** `connections.max.reauth.ms`; a mechanism may have its own. */
export function maxReauthMsOf(texts: KeyTexts, { listenerName }: Listener, mechanism: string): number {
  const key = 'connections.max.reauth.ms';
  const own = ofListener(texts, listenerName, `${mechanism.toLowerCase()}.${key}`);
  return parseNumber(own ?? listenerKeys(texts, listenerName)(key) ?? '0');
}

/** The class that judges clients of a mechanism, and the key that names it. */
export function serverHandlerOf(texts: KeyTexts, { listenerName }: Listener, mechanism: string): CallbackHandler {
  return callbackHandlerOf(texts, listenerName, mechanism, HANDLER_KEY);
}

/** A class that Apache calls, and the key that names it. */
export interface CallbackHandler {
  readonly key: string;
  readonly className: string | undefined;
}

/** @param key without listener and mechanism, as which Apache's broker does not look at it */
export function callbackHandlerOf(
  texts: KeyTexts,
  listenerName: string,
  mechanism: string,
  key: string,
): CallbackHandler {
  const full = mechanismKey(listenerName, mechanism, key);
  return { key: full, className: texts.get(full) };
}

/**
 * Whoever names a class without listener and mechanism would have tokens judged, or made, by another than he thinks.
 * @param everywhere what the key says without them
 * @throws ConfigError
 */
export function refuseHandlerForAll(handler: CallbackHandler, key: string, everywhere: string | undefined): void {
  if (handler.className !== undefined || everywhere === undefined) return;
  throw new ConfigError(key, everywhere, `Apache’s broker does not look at it: set ${handler.key}`);
}

/** Whoever names a class wants others to judge than those who would. @throws ConfigError */
function refuseHandlers(texts: KeyTexts, listener: Listener, mechanisms: readonly string[]): void {
  for (const mechanism of mechanisms) {
    const handler = serverHandlerOf(texts, listener, mechanism);
    if (mechanism === OAUTHBEARER) {
      refuseHandlerForAll(handler, HANDLER_KEY, listenerKeys(texts, listener.listenerName)(HANDLER_KEY));
      isSecured('validator', handler.key, handler.className);
    } else {
      refuseClass(handler.key, handler.className);
    }
  }
}

/** What Apache's listeners can have and ours cannot; undefined where all is well. @throws ConfigError for TLS that is not spoken */
export function unsupportedSecurity(texts: KeyTexts, listener: Listener): string | undefined {
  if (speaksTls(listener)) tlsParametersOf(texts, listener);
  if (!speaksSasl(listener)) return undefined;
  const mechanisms = mechanismsOf(texts, listener);
  const missing = mechanisms.find((name) => !mechanismNames.includes(name));
  refuseHandlers(texts, listener, mechanisms);
  if (missing === undefined && mechanisms.length > 0) return undefined;
  const what = missing === undefined ? 'no SASL mechanism is enabled' : `SASL mechanism ${missing} is not supported`;
  return `${listener.listenerName} (${listener.securityProtocol}): ${what}: set ${MECHANISMS_KEY} to some of ${mechanismNames.join(', ')}`;
}

/** Brokers speak to each other by a mechanism that their listener offers; what else is configured cannot be (`KafkaConfig.validateValues`). */
export function interBrokerSaslFault(texts: KeyTexts): ListenerError | undefined {
  const key = 'sasl.mechanism.inter.broker.protocol';
  const name = interBrokerListenerNameOf(texts);
  const listener = listenersOf(texts).find(({ listenerName }) => listenerName === name);
  if (listener === undefined || !speaksSasl(listener)) return undefined;
  if (mechanismsOf(texts, listener).includes(texts.get(key) ?? brokerKeys.get(key)?.default ?? '')) return undefined;
  return new ListenerError(
    key,
    `requirement failed: ${key} must be included in ${MECHANISMS_KEY} when SASL is used for inter-broker communication`,
  );
}

/** For which mechanism, and what the JAAS file has. */
interface LoginOptions {
  readonly mechanism: string;
  readonly jaas: JaasConfig;
}

/**
 * Login modules of a mechanism, whatever they are, and the key that they belong to: its own for this listener, else those of the JAAS
 * file's section for the listener or for all (`JaasContext.loadServerContext`). Servers do not look at the key without a mechanism.
 * @throws ConfigError
 */
export function configuredLogin(
  texts: KeyTexts,
  listenerName: string,
  { mechanism, jaas }: LoginOptions,
): { readonly key: string; readonly modules: readonly LoginModule[] } {
  const key = mechanismKey(listenerName, mechanism, JAAS_KEY);
  const text = texts.get(key);
  if (text !== undefined) return { key, modules: inlineLoginModules(key, text) };
  const own = `${listenerName.toLowerCase()}.KafkaServer`;
  const modules = jaas.get(own) ?? jaas.get('KafkaServer');
  if (modules !== undefined) return { key, modules };
  const fix = 'set the key, or name a JAAS file that has one in java.security.auth.login.config';
  const fault = `Could not find a 'KafkaServer' or '${own}' entry in the JAAS configuration: ${fix}`;
  throw new ConfigError(key, undefined, fault);
}

/** Those by which clients are judged. @throws ConfigError for modules that are not known here, too */
export function loginModulesOf(
  texts: KeyTexts,
  { listenerName }: Listener,
  options: LoginOptions,
): readonly LoginModule[] {
  const { key, modules } = configuredLogin(texts, listenerName, options);
  for (const { className } of modules) {
    if (moduleNames.includes(className)) continue;
    throw new ConfigError(key, '[hidden]', `${className} is not supported: use ${moduleNames.join(' or ')}`);
  }
  return modules;
}

/** Passwords of PLAIN's users. Never to be logged. */
export function plainUsersOf(modules: readonly LoginModule[]): ReadonlyMap<string, string> {
  const users = modules.filter(({ className }) => className === PLAIN_MODULE).flatMap((module) => usersOf(module));
  // The first module that names a user counts.
  return new Map(users.reverse());
}
