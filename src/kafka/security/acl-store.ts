import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { below, type Random } from '../../runtime/random.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { type AclPatternKind, type AclPlace, type AclZnodes, aclPatternKinds } from '../zk/acl-znodes.ts';
import {
  type AclBinding,
  type AclEntry,
  AclResource,
  decodeAcls,
  decodeExtendedChange,
  decodeLiteralChange,
  encodeAcls,
  encodeExtendedChange,
  encodeLiteralChange,
  isOneResourceType,
  isSameEntry,
  PatternType,
  type ResourcePattern,
  resourceTypeName,
  resourceTypeOf,
  showPattern,
} from './acl.ts';
import type { AclAuthorizer } from './acl-authorizer.ts';
import { type AclFilter, matchesBinding, matchesEntry, matchesPattern, patternsNamed } from './acl-filter.ts';

export interface AclStoreOptions {
  readonly znodes: AclZnodes;
  /** Is told of every ACL. */
  readonly authorizer: AclAuthorizer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** An ACL that a filter meant; with an error it is still there. */
export interface AclDeletion {
  readonly binding: AclBinding;
  readonly error: unknown;
}

/** The ACLs of one pattern; without a version it has no znode. */
interface Versioned {
  readonly entries: readonly AclEntry[];
  readonly version: number | undefined;
}

const UPDATE_RETRIES_MAX = 10;
const RETRY_BACKOFF_MS = 100;
const RETRY_JITTER_MS = 50;

const nothing: Versioned = { entries: [], version: undefined };
const storedTypes = Object.values(AclResource).filter(isOneResourceType).map(resourceTypeName);
const kindOf = ({ patternType }: ResourcePattern): AclPatternKind =>
  patternType === PatternType.literal ? 'literal' : 'prefixed';
const keyOf = ({ resourceType, patternType, name }: ResourcePattern): string =>
  `${resourceType}/${patternType}/${name}`;

/**
 * The ACLs as ZooKeeper has them: all are read at the start, then those of each pattern that a change node names. Changes of our own
 * are written on condition that nobody else was faster, and count here when they are written.
 */
export class AclStore {
  readonly #options: AclStoreOptions;
  readonly #known = new Map<string, Versioned & { readonly pattern: ResourcePattern }>();
  /** One thing at a time: reading what has changed, and changing. */
  #tail: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: AclStoreOptions) {
    this.#options = options;
  }

  /** Sets the watches first and reads everything then: a change in between is only read twice. Also for a new session. */
  start(): Promise<void> {
    return this.#inTurn(async () => {
      const { znodes, log } = this.#options;
      await znodes.createPaths(storedTypes);
      for (const kind of aclPatternKinds) await znodes.changes(kind).take(() => this.#changed(kind));
      const gone = new Set(this.#known.keys());
      for (const kind of aclPatternKinds) {
        for (const { resourceType, name } of await znodes.places(kind)) {
          const pattern = { resourceType: resourceTypeOf(resourceType), patternType: PatternType[kind], name };
          if (isOneResourceType(pattern.resourceType)) await this.#readAgain(pattern);
          else log.warn(`Ignoring unknown ResourceType: ${resourceType}`);
          gone.delete(keyOf(pattern));
        }
      }
      for (const key of gone) this.#keep(this.#known.get(key)?.pattern as ResourcePattern, nothing);
    });
  }

  close(): void {
    this.#closed = true;
  }

  matching(filter: AclFilter): AclBinding[] {
    return [...this.#options.authorizer.bindings()].filter((binding) => matchesBinding(filter, binding));
  }

  /** Answers an error, or undefined, for each. */
  create(bindings: readonly AclBinding[]): Promise<unknown[]> {
    return this.#inTurn(async () => {
      const errors = new Array<unknown>(bindings.length).fill(undefined);
      const groups = new Map<string, number[]>();
      bindings.forEach(({ pattern }, index) => {
        groups.set(keyOf(pattern), [...(groups.get(keyOf(pattern)) ?? []), index]);
      });
      for (const indexes of groups.values()) {
        const wanted = indexes.map((index) => bindings[index] as AclBinding);
        try {
          const entries = wanted.map(({ entry }) => withPrincipal(entry));
          await this.#update((wanted[0] as AclBinding).pattern, (current) => union(current, entries));
        } catch (error) {
          for (const index of indexes) errors[index] = error;
        }
      }
      return errors;
    });
  }

  /** Answers what each filter means; an ACL that several mean belongs to the first. */
  delete(filters: readonly AclFilter[]): Promise<AclDeletion[][]> {
    return this.#inTurn(async () => {
      const results: AclDeletion[][] = filters.map(() => []);
      const patterns = new Map<string, ResourcePattern>();
      for (const { pattern } of this.#known.values()) patterns.set(keyOf(pattern), pattern);
      for (const pattern of filters.flatMap(patternsNamed)) patterns.set(keyOf(pattern), pattern);
      for (const pattern of patterns.values()) await this.#deleteIn(pattern, filters, results);
      return results;
    });
  }

  async #deleteIn(pattern: ResourcePattern, filters: readonly AclFilter[], results: AclDeletion[][]): Promise<void> {
    if (!filters.some((filter) => matchesPattern(filter, pattern))) return;
    const ownerOf = (entry: AclEntry): number =>
      filters.findIndex((filter) => matchesPattern(filter, pattern) && matchesEntry(filter, entry));
    const deleted: AclEntry[] = [];
    let failure: unknown;
    try {
      await this.#update(pattern, (current) => {
        for (const entry of current) {
          if (ownerOf(entry) >= 0 && !deleted.some((one) => isSameEntry(one, entry))) deleted.push(entry);
        }
        return current.filter((entry) => ownerOf(entry) < 0);
      });
    } catch (error) {
      failure = error;
    }
    for (const entry of deleted) results[ownerOf(entry)]?.push({ binding: { pattern, entry }, error: failure });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  #changed(kind: AclPatternKind): void {
    this.#inTurn(async () => {
      if (this.#closed) return;
      const told = await this.#options.znodes.changes(kind).take(() => this.#changed(kind));
      for (const data of told) await this.#processChange(kind, data);
    }).catch((error: unknown) => {
      this.#options.log.error('changes of ACLs could not be read', { error: String(error) });
    });
  }

  async #processChange(kind: AclPatternKind, data: Uint8Array): Promise<void> {
    const { log } = this.#options;
    const pattern = kind === 'literal' ? decodeLiteralChange(data) : decodeExtendedChange(data);
    if (pattern === undefined)
      return log.error('a change of ACLs cannot be read', { data: Buffer.from(data).toString() });
    const { version } = await this.#readAgain(pattern);
    log.info(`Processing Acl change notification for ${showPattern(pattern)}`, { zkVersion: version });
  }

  async #readAgain(pattern: ResourcePattern): Promise<Versioned> {
    const found = await this.#read(pattern);
    this.#keep(pattern, found);
    return found;
  }

  async #read(pattern: ResourcePattern): Promise<Versioned> {
    const node = await this.#options.znodes.read(placeOf(pattern));
    return node === undefined ? nothing : { entries: decodeAcls(node.data), version: node.version };
  }

  #keep(pattern: ResourcePattern, { entries, version }: Versioned): void {
    if (entries.length === 0) this.#known.delete(keyOf(pattern));
    else this.#known.set(keyOf(pattern), { pattern, entries, version });
    this.#options.authorizer.set(pattern, entries);
  }

  /** @throws KafkaError, KeeperError */
  async #update(pattern: ResourcePattern, change: (current: readonly AclEntry[]) => AclEntry[]): Promise<void> {
    const { znodes, log } = this.#options;
    let current: Versioned = this.#known.get(keyOf(pattern)) ?? (await this.#read(pattern));
    // A write whose answer was lost is found to be done at the next attempt: it must be told nevertheless.
    let isChange = false;
    for (let retries = 0; retries <= UPDATE_RETRIES_MAX; retries += 1) {
      const entries = change(current.entries);
      isChange ||= entries.length !== current.entries.length;
      const written = await this.#write(pattern, entries, current.version);
      if (written !== undefined) {
        this.#keep(pattern, written);
        if (!isChange) return;
        log.info(`Updated ACLs for ${showPattern(pattern)} with new version ${written.version ?? 0}`);
        const encode = kindOf(pattern) === 'literal' ? encodeLiteralChange : encodeExtendedChange;
        return znodes.changes(kindOf(pattern)).announce(encode(pattern));
      }
      await this.#backOff();
      current = await this.#read(pattern);
    }
    const text = `Failed to update ACLs for ${showPattern(pattern)} after trying a maximum of ${UPDATE_RETRIES_MAX} times`;
    throw new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, text);
  }

  /** The node goes with its last ACL. Undefined if somebody else was faster. */
  async #write(
    pattern: ResourcePattern,
    entries: readonly AclEntry[],
    version: number | undefined,
  ): Promise<Versioned | undefined> {
    const { znodes } = this.#options;
    if (entries.length > 0) {
      const written = await znodes.write(placeOf(pattern), encodeAcls(entries), version);
      return written === undefined ? undefined : { entries, version: written };
    }
    if (version === undefined) return nothing;
    return (await znodes.remove(placeOf(pattern), version)) ? nothing : undefined;
  }

  #backOff(): Promise<void> {
    const { clock, random } = this.#options;
    return new Promise((resolve) => {
      clock.after(RETRY_BACKOFF_MS + below(random, RETRY_JITTER_MS), resolve);
    });
  }
}

function placeOf(pattern: ResourcePattern): AclPlace {
  return { kind: kindOf(pattern), resourceType: resourceTypeName(pattern.resourceType), name: pattern.name };
}

function union(current: readonly AclEntry[], added: readonly AclEntry[]): AclEntry[] {
  const all = [...current];
  for (const entry of added) if (!all.some((one) => isSameEntry(one, entry))) all.push(entry);
  return all;
}

/** @throws KafkaError for a principal without a type, which is to Apache's an error without a name */
function withPrincipal(entry: AclEntry): AclEntry {
  if (entry.principal.includes(':')) return entry;
  throw new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, `no principal with its type: ${entry.principal}`);
}
