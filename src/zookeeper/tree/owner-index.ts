import type { SessionId } from '../jute/ids.ts';
import { kindOfOwner } from './ephemeral-owner.ts';

/** Nodes by what their stored owner means: ephemerals by session, containers, nodes with a time to live. */
export class OwnerIndex {
  readonly ephemerals = new Map<SessionId, Set<string>>();
  readonly containers = new Set<string>();
  readonly ttls = new Set<string>();
  readonly #extendedTypes: boolean;
  #ephemeralsCount = 0;

  constructor(extendedTypes: boolean) {
    this.#extendedTypes = extendedTypes;
  }

  get ephemeralsCount(): number {
    return this.#ephemeralsCount;
  }

  enter(path: string, owner: SessionId): void {
    const kind = kindOfOwner(owner, this.#extendedTypes);
    if (kind === 'container') this.containers.add(path);
    else if (kind === 'ttl') this.ttls.add(path);
    else if (kind === 'ephemeral') {
      let owned = this.ephemerals.get(owner);
      if (owned === undefined) {
        owned = new Set();
        this.ephemerals.set(owner, owned);
      }
      owned.add(path);
      this.#ephemeralsCount += 1;
    }
  }

  leave(path: string, owner: SessionId): void {
    const kind = kindOfOwner(owner, this.#extendedTypes);
    if (kind === 'container') this.containers.delete(path);
    else if (kind === 'ttl') this.ttls.delete(path);
    else {
      const owned = this.ephemerals.get(owner);
      if (owned?.delete(path) !== true) return;
      this.#ephemeralsCount -= 1;
      if (owned.size === 0) this.ephemerals.delete(owner);
    }
  }
}
