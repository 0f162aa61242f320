import type { Log } from '../../runtime/log.ts';
import type { ZookeeperClient } from '../../zookeeper/client/client.ts';
import type { KafkaZk } from '../zk/kafka-zk.ts';

export interface SessionRenewalOptions {
  readonly zk: KafkaZk;
  readonly log: Log;
  /** @throws while ZooKeeper cannot be reached */
  readonly open: () => Promise<ZookeeperClient>;
  /** The broker ends: no session follows. */
  readonly isClosing: () => boolean;
  /** Hears of every state, of the first one too. */
  readonly onState: (state: ZookeeperClient['state']) => void;
  /** Before the next session is opened. */
  readonly onExpired: () => Promise<void>;
  /** The next one is in use: what the last one had set and owned is gone. */
  readonly onRenewed: () => Promise<void>;
  readonly onFatal: (error: unknown) => void;
}

/** A session that expired is followed by another, as a new life of the same broker: its znode is gone. */
export class SessionRenewal {
  readonly #options: SessionRenewalOptions;
  #renewal: Promise<void> | undefined;

  constructor(options: SessionRenewalOptions) {
    this.#options = options;
  }

  /** Follows the session that is in use. */
  watch(): void {
    const { zk, onState, isClosing } = this.#options;
    onState(zk.client.state);
    zk.client.onState((state) => {
      onState(state);
      if (state !== 'expired' || isClosing()) return;
      this.#renewal ??= this.#renew().finally(() => {
        this.#renewal = undefined;
      });
    });
  }

  async #renew(): Promise<void> {
    const { zk, log, isClosing, onExpired, onRenewed, onFatal } = this.#options;
    // The next session may expire as well before all is done.
    while (zk.client.state === 'expired' && !isClosing()) {
      log.warn('the ZooKeeper session expired; opening another');
      try {
        await onExpired();
        const client = await this.#open();
        if (isClosing()) return await client.close();
        zk.use(client);
        this.watch();
        await onRenewed();
      } catch (error) {
        if (!isClosing() && zk.client.state !== 'expired') onFatal(error);
      }
    }
  }

  /** As long as it takes: a broker without ZooKeeper still serves what it leads. */
  async #open(): Promise<ZookeeperClient> {
    const { log, open, isClosing } = this.#options;
    for (;;) {
      try {
        return await open();
      } catch (error) {
        if (isClosing()) throw error;
        log.warn('ZooKeeper is not reachable', { error: String(error) });
      }
    }
  }
}
