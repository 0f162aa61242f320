import { brokerKeys } from './broker-keys.ts';

const LISTENERS = 'listeners';
const ADVERTISED = 'advertised.listeners';
const PROTOCOL_MAP = 'listener.security.protocol.map';
const INTER_BROKER_NAME = 'inter.broker.listener.name';
const INTER_BROKER_PROTOCOL = 'security.inter.broker.protocol';

/** Change together while a broker runs. */
export const LISTENER_KEYS = [LISTENERS, ADVERTISED, PROTOCOL_MAP] as const;

const SECURITY_PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;
export type SecurityProtocol = (typeof SECURITY_PROTOCOLS)[number];

/** Where a listener listens, or what others are told of it (`EndPoint`). */
export interface ListenerEndpoint {
  readonly listenerName: string;
  readonly securityProtocol: SecurityProtocol;
  /** Empty for every address. */
  readonly host: string;
  /** 0 for one that the system chooses. */
  readonly port: number;
}

/** Texts of broker keys that are set, in the file or since; the others have their defaults. */
export type KeyTexts = ReadonlyMap<string, string>;

/** Listeners that cannot be; the text is Apache's. */
export class ListenerError extends Error {
  readonly key: string;

  constructor(key: string, message: string) {
    super(message);
    this.name = 'ListenerError';
    this.key = key;
  }
}

/** @throws ListenerError */
export function listenersOf(texts: KeyTexts): ListenerEndpoint[] {
  return parse(LISTENERS, textOf(texts, LISTENERS), securityProtocolsOf(texts));
}

/** What is not advertised on its own is advertised as it listens. @throws ListenerError */
export function advertisedListenersOf(texts: KeyTexts): ListenerEndpoint[] {
  const text = texts.get(ADVERTISED);
  return text === undefined ? listenersOf(texts) : parse(ADVERTISED, text, securityProtocolsOf(texts));
}

/** The listener on which brokers speak to each other: by name, or the one that has its protocol's name. */
export function interBrokerListenerNameOf(texts: KeyTexts): string {
  return (texts.get(INTER_BROKER_NAME) ?? textOf(texts, INTER_BROKER_PROTOCOL)).toUpperCase();
}

/** What listeners demand of each other and of the brokers' own (`KafkaConfig.validateValues`). @throws ListenerError */
export function validateListeners(texts: KeyTexts): void {
  const advertised = advertisedListenersOf(texts);
  const names = namesOf(advertised);
  demand(advertised.length > 0, 'There must be at least one broker advertised listener.');
  const interBroker = checkedInterBrokerName(texts);
  demand(
    names.includes(interBroker),
    `${INTER_BROKER_NAME} must be a listener name defined in ${ADVERTISED}. ` +
      `The valid options based on currently configured listeners are ${names.join(',')}`,
  );
  const listening = namesOf(listenersOf(texts));
  demand(
    names.every((name) => listening.includes(name)),
    `${ADVERTISED} listener names must be equal to or a subset of the ones defined in ${LISTENERS}. ` +
      `Found ${names.join(',')}. The valid options based on the current configuration are ${listening.join(',')}`,
  );
  demand(
    advertised.every(({ host }) => host !== '0.0.0.0'),
    `${ADVERTISED} cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address.`,
  );
}

/** Two ways to say where and how a listener is found are the same way. */
export function isSameEndpoint(one: ListenerEndpoint, other: ListenerEndpoint): boolean {
  return (
    one.listenerName === other.listenerName &&
    one.securityProtocol === other.securityProtocol &&
    one.host === other.host &&
    one.port === other.port
  );
}

/** @throws ListenerError */
function securityProtocolsOf(texts: KeyTexts): ReadonlyMap<string, SecurityProtocol> {
  const items = textOf(texts, PROTOCOL_MAP).split(/\s*,\s*/);
  while (items.at(-1) === '') items.pop();
  return new Map(
    items.map((item) => {
      const colon = item.lastIndexOf(':');
      if (colon < 0) {
        const reason = `begin 0, end -1, length ${item.length}`;
        throw new ListenerError(PROTOCOL_MAP, `Error parsing configuration property '${PROTOCOL_MAP}': ${reason}`);
      }
      return [item.slice(0, colon).trim().toUpperCase(), protocolOf(PROTOCOL_MAP, item.slice(colon + 1).trim())];
    }),
  );
}

function protocolOf(key: string, name: string): SecurityProtocol {
  const found = SECURITY_PROTOCOLS.find((protocol) => protocol === name.toUpperCase());
  if (found === undefined) throw new ListenerError(key, `Invalid security protocol \`${name}\` defined in ${key}`);
  return found;
}

function checkedInterBrokerName(texts: KeyTexts): string {
  const name = interBrokerListenerNameOf(texts);
  if (!texts.has(INTER_BROKER_NAME)) return protocolOf(INTER_BROKER_PROTOCOL, textOf(texts, INTER_BROKER_PROTOCOL));
  if (texts.has(INTER_BROKER_PROTOCOL)) {
    const text = `Only one of ${INTER_BROKER_NAME} and ${INTER_BROKER_PROTOCOL} should be set.`;
    throw new ListenerError(INTER_BROKER_NAME, text);
  }
  if (securityProtocolsOf(texts).has(name)) return name;
  const text = `Listener with name ${name} defined in ${INTER_BROKER_NAME} not found in ${PROTOCOL_MAP}.`;
  throw new ListenerError(INTER_BROKER_NAME, text);
}

/** `PLAINTEXT://host:9092,LAN://[::1]:9093` */
function parse(key: string, text: string, protocols: ReadonlyMap<string, SecurityProtocol>): ListenerEndpoint[] {
  const items = text.trim().split(/\s*,\s*/);
  const found = items.filter((item) => item !== '').map((item) => endpointOf(key, text, item, protocols));
  const isDistinct = new Set(namesOf(found)).size === found.length;
  demand(isDistinct, `Each listener must have a different name, listeners: ${text}`, key);
  if (key === LISTENERS) refuseSharedPorts(found, text);
  return found;
}

function endpointOf(
  key: string,
  text: string,
  item: string,
  protocols: ReadonlyMap<string, SecurityProtocol>,
): ListenerEndpoint {
  const match = /^(.*):\/\/\[?([0-9a-zA-Z\-%._:]*)\]?:(-?[0-9]+)$/.exec(item);
  const fault = (reason: string) => new ListenerError(key, `Error creating broker listeners from '${text}': ${reason}`);
  if (match === null) throw fault(`Unable to parse ${item} to a broker endpoint`);
  const [, name = '', host = '', port = ''] = match;
  const listenerName = name.toUpperCase();
  const securityProtocol = protocols.get(listenerName);
  if (securityProtocol === undefined) throw fault(`No security protocol defined for listener ${listenerName}`);
  return { listenerName, securityProtocol, host, port: Number(port) };
}

/** Two may share a port where one has an address of IPv4 and the other one of IPv6 (KIP-797). */
function refuseSharedPorts(endpoints: readonly ListenerEndpoint[], text: string): void {
  for (const port of new Set(endpoints.map((endpoint) => endpoint.port))) {
    const sharing = endpoints.filter((endpoint) => endpoint.port === port);
    if (port === 0 || sharing.length < 2) continue;
    const [v4, v6] = [sharing.filter(({ host }) => isIpv4(host)), sharing.filter(({ host }) => host.includes(':'))];
    const withAddress = v4.length + v6.length;
    demand(sharing.length - withAddress < 2, `Each listener must have a different port, listeners: ${text}`, LISTENERS);
    if (withAddress === 2) {
      const reason =
        'If you have two listeners on the same port then one needs to be IPv4 and the other IPv6, ' +
        `listeners: ${text}, port: ${port}`;
      demand(v4.length === 1, reason, LISTENERS);
      if (sharing.length > 2) throw new ListenerError(LISTENERS, reason);
    } else {
      const reason =
        'Each listener must have a different port unless exactly one listener has an IPv4 address and the ' +
        `other IPv6 address, listeners: ${text}, port: ${port}`;
      throw new ListenerError(LISTENERS, reason);
    }
  }
}

function isIpv4(host: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(host);
}

function namesOf(endpoints: readonly ListenerEndpoint[]): string[] {
  return endpoints.map(({ listenerName }) => listenerName);
}

function textOf(texts: KeyTexts, key: string): string {
  return texts.get(key) ?? brokerKeys.get(key)?.default ?? '';
}

function demand(isFine: boolean, text: string, key: string = ADVERTISED): void {
  if (!isFine) throw new ListenerError(key, `requirement failed: ${text}`);
}
