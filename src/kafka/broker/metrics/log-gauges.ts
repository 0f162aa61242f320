import type { Family, Sample } from '../../../observability/exposition.ts';
import type { PartitionLog } from '../../log/log.ts';
import type { LogManager } from '../../log/log-manager.ts';
import { gauge, gauges } from './family.ts';

const ofLog = { group: 'log', type: 'Log' } as const;
const ofManager = { group: 'log', type: 'LogManager' } as const;
const ofCleaner = { group: 'log', type: 'LogCleanerManager' } as const;

const logGauges: readonly (readonly [name: string, read: (log: PartitionLog) => number])[] = [
  ['NumLogSegments', ({ segments }) => segments.length],
  ['LogStartOffset', ({ logStartOffset }) => logStartOffset],
  ['LogEndOffset', ({ logEndOffset }) => logEndOffset],
  ['Size', ({ sizeInBytes }) => sizeInBytes],
];

/** `Log`, `LogManager` and `LogCleanerManager`. */
export function* logFamilies(logs: LogManager): Generator<Family> {
  for (const [name, read] of logGauges) yield gauges({ ...ofLog, name }, valuesOf(logs, read));
  const offline = logs.directories.filter(({ isOnline }) => !isOnline);
  yield gauge({ ...ofManager, name: 'OfflineLogDirectoryCount' }, offline.length);
  yield gauges(
    { ...ofManager, name: 'LogDirectoryOffline' },
    logs.directories.map(({ path, isOnline }) => [[['logDirectory', path]], isOnline ? 0 : 1]),
  );
  const { cleaner } = logs;
  if (cleaner === undefined) return;
  yield gauges(
    { ...ofCleaner, name: 'uncleanable-partitions-count' },
    logs.directories.map(({ path, logs: inside }) => [
      [['logDirectory', path]],
      [...inside.values()].filter((log) => cleaner.isUncleanable(log)).length,
    ]),
  );
  yield gauge({ ...ofCleaner, name: 'max-dirty-percent' }, Math.trunc(100 * cleaner.filthiestRatio));
  yield gauge({ ...ofCleaner, name: 'time-since-last-run-ms' }, cleaner.sinceLastRunMs);
}

function* valuesOf(
  logs: LogManager,
  read: (log: PartitionLog) => number,
): Generator<[labels: Sample['labels'], value: number]> {
  for (const log of logs.logs()) {
    if (log.isOffline) continue;
    const { topic, partition } = log.topicPartition;
    const labels = [['topic', topic] as const, ['partition', String(partition)] as const];
    yield [labels, read(log)];
  }
}
