import type { ZookeeperClient } from '../../zookeeper/client/client.ts';
import { KeeperError } from '../../zookeeper/jute/errors.ts';
import { PersistentRequests } from './persistent-requests.ts';

/** The session of now: one that expired is replaced by another, under operations that go on. */
export class ZkConnection {
  #client: ZookeeperClient;
  #requests: PersistentRequests;
  readonly #protects: boolean;

  /** @param protects what is created belongs to the brokers, else to everybody */
  constructor(client: ZookeeperClient, protects: boolean) {
    this.#client = client;
    this.#protects = protects;
    this.#requests = new PersistentRequests(client, protects);
  }

  get client(): ZookeeperClient {
    return this.#client;
  }

  get requests(): PersistentRequests {
    return this.#requests;
  }

  use(client: ZookeeperClient): void {
    this.#client = client;
    this.#requests = new PersistentRequests(client, this.#protects);
  }
}

export const codeOf = (error: unknown): number | undefined => (error instanceof KeeperError ? error.code : undefined);

/** Undefined instead of an error of one kind. */
export async function unless<T>(code: number, promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (codeOf(error) === code) return undefined;
    throw error;
  }
}

export function watching(onChange: (() => void) | undefined): { watch?: () => void } {
  return onChange === undefined ? {} : { watch: onChange };
}
