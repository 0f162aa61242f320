import type { QuotaEntity } from '../../zk/quota-znodes.ts';

/** Who shares one meter. Empty means that this half plays no part. */
export interface Bucket {
  readonly user: string;
  readonly clientId: string;
}

const keyOf = (user: string | null | undefined, clientId: string | null | undefined): string =>
  JSON.stringify([user === undefined ? 0 : user, clientId === undefined ? 0 : clientId]);

/** The levels at which quotas were ever set; they stay, as in Apache's brokers, until the broker starts anew. */
const Level = { none: 0, client: 1, user: 2, both: 4 } as const;

/** The limits of one kind of quota, and which of them counts for whom (`ClientQuotaManager.DefaultQuotaCallback`). */
export class QuotaLimits {
  readonly #limits = new Map<string, number>();
  #levels: number = Level.none;

  get isEnabled(): boolean {
    return this.#levels !== Level.none;
  }

  set({ user, clientId }: QuotaEntity, limit: number | undefined): void {
    this.#levels |= user === undefined ? Level.client : clientId === undefined ? Level.user : Level.both;
    const key = keyOf(user, clientId);
    if (limit === undefined) this.#limits.delete(key);
    else this.#limits.set(key, limit);
  }

  /**
   * Whose meter counts for a client. With quotas of several levels the most specific one that is set decides:
   *
   *   user and client, user and any client, user, any user and client, any user and any client, any user, client, any client
   */
  bucketOf(user: string, clientId: string): Bucket {
    switch (this.#levels) {
      case Level.none:
      case Level.client:
        return { user: '', clientId };
      case Level.user:
        return { user, clientId: '' };
      case Level.both:
        return { user, clientId };
    }
    if (this.#has(user, clientId) || this.#has(user, null)) return { user, clientId };
    if (this.#has(user, undefined)) return { user, clientId: '' };
    if (this.#has(null, clientId) || this.#has(null, null)) return { user, clientId };
    return this.#has(null, undefined) ? { user, clientId: '' } : { user: '', clientId };
  }

  /** Undefined where nothing is set for the bucket. */
  limitOf({ user, clientId }: Bucket): number | undefined {
    if (user !== '' && clientId !== '') {
      return this.#get(user, clientId) ?? this.#get(user, null) ?? this.#get(null, clientId) ?? this.#get(null, null);
    }
    if (user !== '') return this.#get(user, undefined) ?? this.#get(null, undefined);
    return clientId === '' ? undefined : (this.#get(undefined, clientId) ?? this.#get(undefined, null));
  }

  #has(user: string | null, clientId: string | null | undefined): boolean {
    return this.#limits.has(keyOf(user, clientId));
  }

  #get(user: string | null | undefined, clientId: string | null | undefined): number | undefined {
    return this.#limits.get(keyOf(user, clientId));
  }
}
