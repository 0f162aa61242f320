import type { ZookeeperClient } from '../client.ts';
import { isOver } from './waiting.ts';

/** Where recipes that outlive a session take their clients from. */
export interface Sessions {
  /** Of the present session. */
  readonly client: ZookeeperClient;
  /** Calls with the client of each session, the present one's at once; answers how to stop. */
  subscribe(listener: (client: ZookeeperClient) => void): () => void;
}

/** A client's one session, or the sessions of a keeper. */
export type SessionSource = ZookeeperClient | Sessions;

/**
 * Opens a new session whenever one has expired. A ZookeeperClient is one session, and ends with it; its ephemeral nodes are gone
 * then. What belongs to all sessions of a program (its group membership, its caches) takes its clients from here.
 */
export class SessionKeeper implements Sessions {
  readonly #open: () => ZookeeperClient;
  readonly #listeners = new Set<(client: ZookeeperClient) => void>();
  #client: ZookeeperClient;
  #closed = false;

  /** `open` is called at once, and for each further session. */
  constructor(open: () => ZookeeperClient) {
    this.#open = open;
    this.#client = this.#next();
  }

  get client(): ZookeeperClient {
    return this.#client;
  }

  subscribe(listener: (client: ZookeeperClient) => void): () => void {
    const heard = (client: ZookeeperClient): void => listener(client);
    this.#listeners.add(heard);
    heard(this.#client);
    return () => void this.#listeners.delete(heard);
  }

  /** Ends the present session and opens no other. */
  close(): Promise<void> {
    this.#closed = true;
    return this.#client.close();
  }

  #next(): ZookeeperClient {
    const client = this.#open();
    client.onState((state) => {
      if (state !== 'expired' || this.#closed) return;
      this.#client = this.#next();
      for (const listener of [...this.#listeners]) listener(this.#client);
    });
    return client;
  }
}

export function sessionsOf(source: SessionSource): Sessions {
  if ('subscribe' in source) return source;
  return {
    client: source,
    subscribe: (listener) => {
      listener(source);
      return () => undefined;
    },
  };
}

/** Whether no session will follow: the source is a client that is over, or a keeper whose last session was closed. */
export function isLast(sessions: Sessions, client: ZookeeperClient): boolean {
  return isOver(client) && sessions.client === client;
}
