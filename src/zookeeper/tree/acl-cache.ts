import { present } from '../../base/assert.ts';
import type { ACL } from '../jute/data.ts';
import { OPEN_ACL_UNSAFE } from './acl.ts';

/** The id of world:anyone:cdrwa of nodes that came without a list; it stands in no map. */
export const OPEN_UNSAFE_ACL_ID = -1;

interface Entry {
  readonly acl: readonly ACL[];
  readonly key: string;
  uses: number;
}

/** The ACL lists of the tree, each kept once and counted (ReferenceCountedACLCache). Ids count from 1 and are not reused. */
export class AclCache {
  readonly #byId = new Map<number, Entry>();
  readonly #byKey = new Map<string, number>();
  #lastId = 0;
  /** The list that was looked up last: clients send the same one again and again. */
  #recentAcl: readonly ACL[] | undefined;
  #recentId = OPEN_UNSAFE_ACL_ID;
  #recentEntry: Entry = { acl: [], key: '', uses: 0 };

  get lastId(): number {
    return this.#lastId;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** The id of a list, with one more use of it. A null list counts as world:anyone:cdrwa. */
  acquire(acl: readonly ACL[] | null): number {
    if (acl === null) return OPEN_UNSAFE_ACL_ID;
    if (this.#recentAcl !== undefined && sameAcl(this.#recentAcl, acl)) {
      this.#recentEntry.uses += 1;
      return this.#recentId;
    }
    const key = keyOf(acl);
    let id = this.#byKey.get(key);
    if (id === undefined) {
      id = this.#lastId + 1;
      this.insert(id, acl);
    }
    this.addUse(id);
    this.#recentEntry = this.#byId.get(id) ?? this.#recentEntry;
    this.#recentAcl = this.get(id);
    this.#recentId = id;
    return id;
  }

  /** A list under the id that a snapshot gave it, not yet used. */
  insert(id: number, acl: readonly ACL[]): void {
    // The lists of requests and transactions are decoded values: nobody changes them.
    const key = keyOf(acl);
    this.#byId.set(id, { acl, key, uses: 0 });
    this.#byKey.set(key, id);
    if (id > this.#lastId) this.#lastId = id;
  }

  addUse(id: number): void {
    const entry = this.#byId.get(id);
    if (entry !== undefined) entry.uses += 1;
  }

  release(id: number): void {
    const entry = this.#byId.get(id);
    if (entry === undefined) return;
    entry.uses -= 1;
    if (entry.uses <= 0) this.#drop(id, entry);
  }

  get(id: number): readonly ACL[] {
    if (id === OPEN_UNSAFE_ACL_ID) return OPEN_ACL_UNSAFE;
    return present(this.#byId.get(id), 'an ACL id has a list', id).acl;
  }

  has(id: number): boolean {
    return id === OPEN_UNSAFE_ACL_ID || this.#byId.has(id);
  }

  /** Lists that no node uses: a snapshot may hold some. */
  purgeUnused(): void {
    for (const [id, entry] of this.#byId) if (entry.uses <= 0) this.#drop(id, entry);
  }

  *entries(): IterableIterator<[id: number, acl: readonly ACL[]]> {
    for (const [id, entry] of this.#byId) yield [id, entry.acl];
  }

  #drop(id: number, entry: Entry): void {
    this.#byId.delete(id);
    // Two ids of a snapshot may hold equal lists; the key names the later one.
    if (this.#byKey.get(entry.key) === id) this.#byKey.delete(entry.key);
    if (this.#recentId === id) this.#recentAcl = undefined;
  }
}

/** Lengths before the texts keep lists apart whatever the texts contain. */
function keyOf(acl: readonly ACL[]): string {
  let key = '';
  for (const { perms, id } of acl) key += `${perms}:${id.scheme.length}:${id.scheme}${id.id.length}:${id.id},`;
  return key;
}

function sameAcl(a: readonly ACL[], b: readonly ACL[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) {
    const one = a[index] as ACL;
    const other = b[index] as ACL;
    if (one.perms !== other.perms || one.id.id !== other.id.id || one.id.scheme !== other.id.scheme) return false;
  }
  return true;
}
