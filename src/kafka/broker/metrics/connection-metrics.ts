import type { Family } from '../../../observability/exposition.ts';
import type { FetchSessions } from '../fetch-sessions.ts';
import type { ClientQuotas } from '../quotas/client-quotas.ts';
import { counter, counters, gauge, gauges } from './family.ts';

const ofSockets = { group: 'server', type: 'socket-server-metrics' } as const;
const ofSessions = { group: 'server', type: 'FetchSessionCache' } as const;
const ofPurgatory = { group: 'server', type: 'DelayedOperationPurgatory' } as const;

/** Connections that came and went, by listener. */
export class ConnectionMetrics {
  readonly #opened = new Map<string, number>();
  readonly #closed = new Map<string, number>();

  opened(listenerName: string): void {
    addTo(this.#opened, listenerName);
  }

  closed(listenerName: string): void {
    addTo(this.#closed, listenerName);
  }

  /** Apache's network threads are labels; here the event loop is the only one. */
  *families(): Generator<Family> {
    const labels = (listener: string) => [['listener', listener] as const, ['networkProcessor', '0'] as const];
    const values = (all: Iterable<readonly [string, number]>) =>
      [...all].map(([listener, count]) => [labels(listener), count] as const);
    yield gauges(
      { ...ofSockets, name: 'connection-count' },
      values([...this.#opened].map(([listener, count]) => [listener, count - (this.#closed.get(listener) ?? 0)])),
    );
    yield counters({ ...ofSockets, name: 'connection-creation' }, values(this.#opened));
    const closed = [...this.#opened.keys()].map((listener) => [listener, this.#closed.get(listener) ?? 0] as const);
    yield counters({ ...ofSockets, name: 'connection-close' }, values(closed));
  }
}

function addTo(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

export function* fetchSessionFamilies(sessions: FetchSessions): Generator<Family> {
  yield gauge({ ...ofSessions, name: 'NumIncrementalFetchSessions' }, sessions.size);
  yield gauge({ ...ofSessions, name: 'NumIncrementalFetchPartitionsCached' }, sessions.partitionCount);
  yield counter({ ...ofSessions, name: 'IncrementalFetchSessionEvictions' }, sessions.evictedCount);
}

type Waiting = { readonly watchCount: number; readonly operationCount: number };

/** By Apache's names of what waits. */
export function* purgatoryFamilies(purgatories: Readonly<Record<string, Waiting>>): Generator<Family> {
  const values = (read: (waiting: Waiting) => number) =>
    Object.entries(purgatories).map(
      ([name, waiting]) => [[['delayedOperation', name]] as const, read(waiting)] as const,
    );
  yield gauges(
    { ...ofPurgatory, name: 'PurgatorySize' },
    values(({ watchCount }) => watchCount),
  );
  yield gauges(
    { ...ofPurgatory, name: 'NumDelayedOperations' },
    values(({ operationCount }) => operationCount),
  );
}

/** What each client spends of its quotas, as the exporter's own example for Kafka names it. */
export function* quotaFamilies(quotas: ClientQuotas): Generator<Family> {
  const rates = [...quotas.rates()];
  for (const name of ['byte-rate', 'request-time'] as const) {
    yield gauges(
      { group: 'server', type: 'quota', name },
      rates
        .filter(([kind]) => (kind === 'Request') === (name === 'request-time'))
        .map(([kind, { user, clientId }, rate]) => {
          const whose = [['user', user] as const, ['clientId', clientId] as const].filter(([, value]) => value !== '');
          return [[['resource', kind] as const, ...whose], rate] as const;
        }),
    );
  }
}
