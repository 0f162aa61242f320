import { ErrorCode } from '../../zookeeper/jute/errors.ts';
import { DEFAULT_NAME, desanitize, sanitize } from './entity-names.ts';
import type { KafkaZk } from './kafka-zk.ts';
import { unless } from './zk-connection.ts';
import { encodeConfig } from './znodes.ts';

/**
 * Whom a quota is for: a user, a client id, both, or an address. Null is the default of its kind, undefined means that the kind
 * plays no part.
 */
export interface QuotaEntity {
  readonly user?: string | null;
  readonly clientId?: string | null;
  readonly ip?: string | null;
}

const quoted = (name: string | null): string => (name === null ? DEFAULT_NAME : sanitize(name));
const unquoted = (text: string): string | null => (text === DEFAULT_NAME ? null : desanitize(text));

/**
 * Where the settings of an entity are, below /config:
 *
 *   users/U   users/U/clients/C   clients/C   ips/I
 */
export function quotaPath({ user, clientId, ip }: QuotaEntity): string {
  if (ip !== undefined) return `ips/${quoted(ip)}`;
  if (user === undefined) return `clients/${quoted(clientId ?? null)}`;
  return clientId === undefined ? `users/${quoted(user)}` : `users/${quoted(user)}/clients/${quoted(clientId)}`;
}

/** Undefined for a path that is no quota's. */
export function quotaEntity(path: string): QuotaEntity | undefined {
  const [type, name, inner, client, ...more] = path.split('/');
  if (name === undefined || name === '' || more.length > 0) return undefined;
  if (inner !== undefined && (type !== 'users' || inner !== 'clients' || client === undefined)) return undefined;
  if (type === 'ips') return { ip: unquoted(name) };
  if (type === 'clients') return { clientId: unquoted(name) };
  if (type !== 'users') return undefined;
  return client === undefined ? { user: unquoted(name) } : { user: unquoted(name), clientId: unquoted(client) };
}

/** The znodes of quotas (`AdminZkClient`). Paths are those of `quotaPath`. */
export class QuotaZnodes {
  readonly #zk: KafkaZk;

  constructor(zk: KafkaZk) {
    this.#zk = zk;
  }

  /** Empty where nothing is set. */
  async read(path: string): Promise<Map<string, string>> {
    const slash = path.indexOf('/');
    return this.#zk.config(path.slice(0, slash) as 'users' | 'clients' | 'ips', path.slice(slash + 1));
  }

  /** Of all entities of one kind that have a znode, whether or not anything is set in it. */
  async paths(kind: 'users' | 'clients' | 'ips'): Promise<string[]> {
    return (await this.#children(kind)).map((name) => `${kind}/${name}`);
  }

  /** Of a user's clients, for all users. */
  async pathsOfBoth(): Promise<string[]> {
    const users = await this.paths('users');
    const found = await Promise.all(
      users.map(async (user) => (await this.#children(`${user}/clients`)).map((name) => `${user}/clients/${name}`)),
    );
    return found.flat();
  }

  /** Writes and tells every broker. With nothing set any more the znode goes, and parents that only led to it. */
  async write(path: string, config: ReadonlyMap<string, string>): Promise<void> {
    if (config.size > 0 || !(await this.#clean(path))) await this.#setOrCreate(`/config/${path}`, encodeConfig(config));
    await this.#zk.announceConfigChange(path);
  }

  async #children(path: string): Promise<string[]> {
    return (await unless(ErrorCode.NONODE, this.#zk.requests.getChildren(`/config/${path}`))) ?? [];
  }

  /** Answers false where there are children: the znode stays, empty (`tryCleanQuotaNodes`). */
  async #clean(path: string): Promise<boolean> {
    if (!(await this.#delete(path))) return false;
    const [type, user, clients] = path.split('/');
    if (clients === undefined || !(await this.#delete(`${type}/${user}/clients`))) return true;
    if ((await this.read(`${type}/${user}`)).size === 0) await this.#delete(`${type}/${user}`);
    return true;
  }

  /** Answers false where something is below it; somebody else may have deleted it. */
  async #delete(path: string): Promise<boolean> {
    const gone = unless(ErrorCode.NONODE, this.#zk.requests.delete(`/config/${path}`)).then(() => true);
    return (await unless(ErrorCode.NOTEMPTY, gone)) === true;
  }

  async #setOrCreate(path: string, data: Uint8Array): Promise<void> {
    const { requests } = this.#zk;
    if ((await unless(ErrorCode.NONODE, requests.setData(path, data))) !== undefined) return;
    for (let slash = path.indexOf('/', 1); slash > 0; slash = path.indexOf('/', slash + 1)) {
      await unless(ErrorCode.NODEEXISTS, requests.create(path.slice(0, slash), null));
    }
    if ((await unless(ErrorCode.NODEEXISTS, requests.create(path, data))) === undefined)
      await requests.setData(path, data);
  }
}
