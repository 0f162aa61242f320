import { javaDouble } from '../../../base/java-double.ts';
import type { Network } from '../../../runtime/network.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { sanitize } from '../../zk/entity-names.ts';
import { type QuotaEntity, type QuotaZnodes, quotaEntity, quotaPath } from '../../zk/quota-znodes.ts';
import { type EntityFilter, matches, type QuotaFilters } from './quota-filter.ts';

/** A key's value; null takes it away. */
export interface QuotaChange {
  readonly key: string;
  readonly value: number | null;
}

export interface DescribedQuota {
  readonly entity: QuotaEntity;
  readonly values: ReadonlyMap<string, number>;
}

type KeyType = 'LONG' | 'DOUBLE' | 'INT' | 'STRING';

const clientKeys: ReadonlyMap<string, KeyType> = new Map([
  ['producer_byte_rate', 'LONG'],
  ['consumer_byte_rate', 'LONG'],
  ['request_percentage', 'DOUBLE'],
  ['controller_mutation_rate', 'DOUBLE'],
]);
/** Users keep their credentials beside their quotas. */
const userKeys: ReadonlyMap<string, KeyType> = new Map([
  ...clientKeys,
  ['SCRAM-SHA-256', 'STRING'],
  ['SCRAM-SHA-512', 'STRING'],
]);
const addressKeys: ReadonlyMap<string, KeyType> = new Map([['connection_creation_rate', 'INT']]);

/** What describes and alters quotas on request (`ZkAdminManager`): ZooKeeper is read and written, every broker is told. */
export class QuotaAdmin {
  readonly #znodes: QuotaZnodes;
  readonly #network: Pick<Network, 'resolve'>;

  constructor(options: { znodes: QuotaZnodes; network: Pick<Network, 'resolve'> }) {
    this.#znodes = options.znodes;
    this.#network = options.network;
  }

  /** As ZooKeeper has them now. */
  async describe(filters: QuotaFilters, isStrict: boolean): Promise<DescribedQuota[]> {
    const paths = await this.#candidates(filters, isStrict);
    const found = await Promise.all(
      paths.map(async (path): Promise<DescribedQuota[]> => {
        const entity = quotaEntity(path);
        if (entity === undefined || !matches(entity, filters, isStrict)) return [];
        const keys = entity.ip === undefined ? clientKeys : addressKeys;
        const values = [...(await this.#znodes.read(path))].filter(([key]) => keys.has(key));
        return values.length === 0
          ? []
          : [{ entity, values: new Map(values.map(([key, text]) => [key, parse(text)])) }];
      }),
    );
    return found.flat();
  }

  /** @throws KafkaError INVALID_REQUEST, UNKNOWN_SERVER_ERROR where Apache's own check of the whole fails */
  async alter(entity: QuotaEntity, changes: readonly QuotaChange[], validateOnly: boolean): Promise<void> {
    const keys = await this.#keysOf(entity);
    const path = quotaPath(entity);
    const config = await this.#znodes.read(path);
    for (const { key, value } of changes) {
      if (value === null) config.delete(key);
      else config.set(key, textOf(key, keys.get(key), value));
    }
    if (validateOnly) return;
    const isDefaultUser = entity.user === null && entity.clientId === undefined;
    const allowed = isDefaultUser || entity.clientId !== undefined ? clientKeys : keys;
    for (const [key, text] of config) requireLegal(entity.ip === undefined ? allowed : addressKeys, key, text);
    await this.#znodes.write(path, config);
  }

  async #keysOf({ user, clientId, ip }: QuotaEntity): Promise<ReadonlyMap<string, KeyType>> {
    if (ip === undefined) return user === undefined ? clientKeys : userKeys;
    if (user !== undefined || clientId !== undefined) {
      const message = 'Invalid quota entity combination, IP entity should not be used with user/client ID entity.';
      throw new KafkaError(ErrorCode.INVALID_REQUEST, message);
    }
    // Apache asks for the quoted name, so that no address of version 6 is ever found.
    if (ip !== null && !(await this.#isHost(sanitize(ip)))) {
      throw new KafkaError(ErrorCode.INVALID_REQUEST, `${sanitize(ip)} is not a valid IP or resolvable host.`);
    }
    return addressKeys;
  }

  async #isHost(name: string): Promise<boolean> {
    try {
      return (await this.#network.resolve(name)).length > 0;
    } catch {
      return false;
    }
  }

  /** Where matching entities may be; a name that is asked for need not be looked up. */
  async #candidates({ user, clientId, ip }: QuotaFilters, isStrict: boolean): Promise<string[]> {
    const isOpen = (filter: EntityFilter | undefined): boolean => filter !== undefined || !isStrict;
    const ofClients = ip === undefined;
    const ofAddresses = user === undefined && clientId === undefined;
    const lists = await Promise.all([
      ofClients && isOpen(user) && clientId?.name === undefined ? this.#znodes.paths('users') : [],
      ofClients && isOpen(clientId) && user?.name === undefined ? this.#znodes.paths('clients') : [],
      ofClients && isOpen(user) && isOpen(clientId) ? this.#znodes.pathsOfBoth() : [],
      ofAddresses && isOpen(ip) ? this.#znodes.paths('ips') : [],
    ]);
    return lists.flat();
  }
}

function parse(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR);
  return value;
}

function textOf(key: string, type: KeyType | undefined, value: number): string {
  switch (type) {
    case undefined:
      throw new KafkaError(ErrorCode.INVALID_REQUEST, `Invalid configuration key ${key}`);
    case 'STRING':
      throw new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR);
    case 'DOUBLE':
      return javaDouble(value);
    default:
      return wholeNumber(key, type, value);
  }
}

/** Apache forgives what was lost on the way through a double. */
const EPSILON = 1e-6;
const bits = { INT: 31n, LONG: 63n } as const;

function wholeNumber(key: string, type: 'INT' | 'LONG', value: number): string {
  const whole = clamped(value + EPSILON, bits[type]);
  if (Math.abs(Number(whole) - value) > EPSILON) {
    throw new KafkaError(ErrorCode.INVALID_REQUEST, `Configuration ${key} must be a ${type} value`);
  }
  return String(whole);
}

/** As Java casts a double: NaN is 0, what is too large is the largest. */
function clamped(value: number, size: bigint): bigint {
  const most = (1n << size) - 1n;
  if (Number.isNaN(value)) return 0n;
  if (value >= Number(most)) return most;
  return value <= -Number(most) ? -most - 1n : BigInt(Math.trunc(value));
}

/** What Apache checks when it writes; it tells the client nothing of the reason. */
function requireLegal(keys: ReadonlyMap<string, KeyType>, key: string, text: string): void {
  const type = keys.get(key);
  const isNegativeRate = type === 'INT' && text.startsWith('-');
  if (type === undefined || isNegativeRate || (type !== 'STRING' && Number.isNaN(Number(text)) && text !== 'NaN')) {
    throw new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR);
  }
}
