import { javaDouble } from '../../base/java-double.ts';
import type { Admin } from '../client/admin.ts';
import type { ConfigEntry, ConfigResource } from '../client/configs.ts';
import type { Quota, QuotaEntityType, QuotaFilter } from '../client/quotas.ts';
import { type Entity, parseAddedConfigs, parseDeletedConfigs } from './kafka-configs-options.ts';
import type { ParsedOptions } from './option-parser.ts';
import { propertiesFile, ToolExit, type ToolIo } from './tool.ts';

/** kafka-configs of 3.9: topics and brokers by their configuration, clients, users and addresses by their quotas. */
export class ConfigsByAdmin {
  readonly #admin: Admin;
  readonly #options: ParsedOptions;
  readonly #entities: readonly Entity[];
  readonly #io: ToolIo;

  constructor(admin: Admin, options: ParsedOptions, entities: readonly Entity[], io: ToolIo) {
    this.#admin = admin;
    this.#options = options;
    this.#entities = entities;
    this.#io = io;
  }

  #print(line: string): void {
    this.#io.out(`${line}\n`);
  }

  async run(): Promise<void> {
    const [first] = this.#entities;
    const isQuota = first!.type === 'clients' || first!.type === 'users' || first!.type === 'ips';
    if (this.#options.has('alter')) await (isQuota ? this.#alterQuotas() : this.#alterConfigs(first!));
    else await (isQuota ? this.#describeQuotas() : this.#describeConfigs(first!));
  }

  #changes(): { added: Map<string, string>; deleted: string[] } {
    const added = new Map([
      ...propertiesFile(this.#options.value('add-config-file')),
      ...parseAddedConfigs(this.#options.value('add-config')),
    ]);
    return { added, deleted: parseDeletedConfigs(this.#options.value('delete-config')) };
  }

  async #alterConfigs(entity: Entity): Promise<void> {
    const resource = resourceOf(entity, entity.name ?? '');
    const { added, deleted } = this.#changes();
    const own = (await this.#entriesOf(resource)).filter((entry) => isOwn(resource, entry));
    const missing = deleted.filter((name) => !own.some((entry) => entry.name === name));
    if (missing.length > 0) throw new ToolExit(`Invalid config(s): ${missing.join(',')}\n`);
    await this.#admin.alterConfigs(resource, [
      ...[...added].map(([name, value]) => ({ name, operation: 'set', value }) as const),
      ...deleted.map((name) => ({ name, operation: 'delete' }) as const),
    ]);
    this.#printAltered(entity);
  }

  #printAltered({ type, name }: Entity): void {
    const one = type.slice(0, -1);
    this.#print(
      name === null || name === undefined
        ? `Completed updating default config for ${type} in the cluster.`
        : `Completed updating config for ${one} ${name}.`,
    );
  }

  async #entriesOf(resource: ConfigResource): Promise<readonly ConfigEntry[]> {
    const described = await this.#admin.describeConfigs([resource], { includeSynonyms: true });
    return described.get(resource.name) ?? [];
  }

  async #describeConfigs(entity: Entity): Promise<void> {
    const one = entity.type.slice(0, -1);
    const all = this.#options.has('all');
    for (const name of await this.#namesOf(entity)) {
      const kind = all || entity.type === 'broker-loggers' ? 'All' : 'Dynamic';
      this.#print(
        name === ''
          ? `Default configs for ${entity.type} in the cluster are:`
          : `${kind} configs for ${one} ${name} are:`,
      );
      const resource = resourceOf(entity, name);
      const entries = (await this.#entriesOf(resource)).filter((entry) => all || isOwn(resource, entry));
      for (const entry of [...entries].sort((a, b) => (a.name < b.name ? -1 : 1))) this.#print(configLine(entry));
    }
  }

  /** Those that were named, else all of the type. */
  async #namesOf({ type, name }: Entity): Promise<string[]> {
    if (name !== undefined) return [name ?? ''];
    if (type === 'topics') return this.#admin.listTopics();
    const { brokers } = await this.#admin.describeCluster();
    const ids = brokers.map(({ id }) => String(id));
    return type === 'brokers' ? [...ids, ''] : ids;
  }

  async #alterQuotas(): Promise<void> {
    const { added, deleted } = this.#changes();
    const entity = new Map(this.#entities.map(({ type, name }) => [quotaType(type), name ?? null]));
    const changes = new Map<string, number | undefined>();
    for (const name of deleted) changes.set(name, undefined);
    for (const [name, text] of added) {
      const value = Number(text);
      if (text === '' || Number.isNaN(value)) {
        throw new ToolExit(`Cannot parse quota configuration value for ${name}: ${text}\n`);
      }
      changes.set(name, value);
    }
    await this.#admin.alterQuotas(entity, changes);
    this.#printAltered(this.#entities[0]!);
  }

  async #describeQuotas(): Promise<void> {
    const filters = this.#entities.map(({ type, name }): QuotaFilter => {
      const match = name === undefined ? 'any' : name === null ? 'default' : 'exact';
      return match === 'exact'
        ? { type: quotaType(type), match: { kind: match, name: name! } }
        : { type: quotaType(type), match: { kind: match } };
    });
    const quotas = await this.#admin.describeQuotas(filters);
    for (const quota of quotas.sort((a, b) => (entityText(a) < entityText(b) ? -1 : 1))) {
      const values = [...quota.values].sort(([a], [b]) => (a < b ? -1 : 1));
      const text = values.map(([key, value]) => `${key}=${javaDouble(value)}`).join(', ');
      this.#print(`Quota configs for ${entityText(quota)} are ${text}`);
    }
  }
}

function resourceOf({ type }: Entity, name: string): ConfigResource {
  const types = { topics: 'topic', brokers: 'broker', 'broker-loggers': 'broker-logger' } as const;
  return { type: types[type as keyof typeof types], name };
}

/** Set for this very entity. */
function isOwn(resource: ConfigResource, { source }: ConfigEntry): boolean {
  if (resource.type === 'topic') return source === 'DYNAMIC_TOPIC_CONFIG';
  if (resource.type === 'broker-logger') return source === 'DYNAMIC_BROKER_LOGGER_CONFIG';
  return source === (resource.name === '' ? 'DYNAMIC_DEFAULT_BROKER_CONFIG' : 'DYNAMIC_BROKER_CONFIG');
}

function configLine({ name, value, isSensitive, synonyms }: ConfigEntry): string {
  const list = synonyms.map((each) => `${each.source}:${each.name}=${each.value ?? 'null'}`).join(', ');
  return `  ${name}=${value ?? 'null'} sensitive=${isSensitive} synonyms={${list}}`;
}

function quotaType(type: Entity['type']): QuotaEntityType {
  const types = { clients: 'client-id', users: 'user', ips: 'ip' } as const;
  const found = types[type as keyof typeof types];
  if (found === undefined) throw new ToolExit(`Entity type ${type} has no quotas\n`);
  return found;
}

/** `user-principal 'u', client-id 'c'`. */
function entityText({ entity }: Quota): string {
  const words = { user: 'user-principal', 'client-id': 'client-id', ip: 'ip' } as const;
  return (['user', 'client-id', 'ip'] as const)
    .filter((type) => entity.has(type))
    .map((type) => {
      const name = entity.get(type);
      return name === null || name === undefined ? `the default ${words[type]}` : `${words[type]} '${name}'`;
    })
    .join(', ');
}
