import type { Family } from '../../../observability/exposition.ts';
import type { ClientState } from '../../../zookeeper/client/client.ts';
import { counter, gauge } from './family.ts';

/** `BrokerState`. */
export const BrokerState = { starting: 1, running: 3, leaving: 6, ending: 7 } as const;
export type BrokerState = (typeof BrokerState)[keyof typeof BrokerState];

const ofServer = { group: 'server', type: 'KafkaServer' } as const;
const ofSession = { group: 'server', type: 'SessionExpireListener' } as const;

/** Events of the ZooKeeper session that Apache counts; whoever has no entry is none of its states. */
const sessionEvents: { readonly [S in ClientState]?: string } = {
  disconnected: 'ZooKeeperDisconnects',
  connected: 'ZooKeeperSyncConnects',
  authFailed: 'ZooKeeperAuthFailures',
  connectedReadOnly: 'ZooKeeperReadOnlyConnects',
  expired: 'ZooKeeperExpires',
};
/** Of ZooKeeper's Java client (`ZooKeeper.States`). */
const sessionStates: { readonly [S in ClientState]: string } = {
  connecting: 'CONNECTING',
  disconnected: 'CONNECTING',
  connected: 'CONNECTED',
  connectedReadOnly: 'CONNECTEDREADONLY',
  expired: 'CLOSED',
  authFailed: 'AUTH_FAILED',
  closed: 'CLOSED',
};

/** What the broker is, and how it gets on with ZooKeeper. */
export class ServerMetrics {
  #state: BrokerState = BrokerState.starting;
  #session: ClientState = 'connecting';
  readonly #events = new Map(Object.values(sessionEvents).map((name) => [name, 0]));

  become(state: BrokerState): void {
    this.#state = state;
  }

  sessionIs(state: ClientState): void {
    this.#session = state;
    const name = sessionEvents[state];
    if (name !== undefined) this.#events.set(name, (this.#events.get(name) ?? 0) + 1);
  }

  *families(facts: { brokerId: number; clusterId: string; startedMs: number }): Generator<Family> {
    yield gauge({ ...ofServer, name: 'BrokerState' }, this.#state);
    yield gauge({ ...ofServer, name: 'ClusterId' }, 1, [['clusterId', facts.clusterId]]);
    const appInfo = { group: 'server', type: 'app-info', name: 'start-time-ms' };
    yield gauge(appInfo, facts.startedMs, [['id', String(facts.brokerId)]]);
    yield gauge({ ...ofSession, name: 'SessionState' }, 1, [['state', sessionStates[this.#session]]]);
    for (const [name, count] of this.#events) yield counter({ ...ofSession, name }, count);
  }
}
