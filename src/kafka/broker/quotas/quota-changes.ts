import type { QuotaZnodes } from '../../zk/quota-znodes.ts';
import { quotaEntity } from '../../zk/quota-znodes.ts';
import type { ClientQuotas } from './client-quotas.ts';
import type { ConnectionQuotas } from './connection-quotas.ts';

const nothing: ReadonlyMap<string, string> = new Map();

/** Keeps the quotas of this broker as ZooKeeper has them. */
export class QuotaChanges {
  readonly #znodes: QuotaZnodes;
  readonly #clients: ClientQuotas;
  readonly #connections: ConnectionQuotas;
  /** Entities that have settings, as far as this broker knows. */
  readonly #known = new Set<string>();

  constructor(options: { znodes: QuotaZnodes; clients: ClientQuotas; connections: ConnectionQuotas }) {
    this.#znodes = options.znodes;
    this.#clients = options.clients;
    this.#connections = options.connections;
  }

  /** Everything; what is gone in the meantime has no settings any more. */
  async readAll(): Promise<void> {
    const paths = await Promise.all([
      this.#znodes.paths('clients'),
      this.#znodes.paths('users'),
      this.#znodes.pathsOfBoth(),
      this.#znodes.paths('ips'),
    ]);
    const found = new Set(paths.flat());
    await Promise.all([...new Set([...found, ...this.#known])].map((path) => this.read(path)));
  }

  /** One entity, by its path below /config: `users/U/clients/C`. */
  async read(path: string): Promise<void> {
    const entity = quotaEntity(path);
    if (entity === undefined) return;
    const config = await this.#znodes.read(path);
    // An empty znode that was never full enables nothing: znodes of users stand above those of their clients.
    if (config.size === 0 && !this.#known.has(path)) return;
    if (config.size > 0) this.#known.add(path);
    else this.#known.delete(path);
    if (entity.ip === undefined) this.#clients.set(entity, config.size > 0 ? config : nothing);
    else await this.#connections.setRate(entity.ip, config.get('connection_creation_rate'));
  }
}
