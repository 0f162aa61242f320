import type { Disk } from '../../runtime/disk.ts';
import { DiskError } from '../../runtime/disk.ts';
import type { PartitionLog } from '../log/log.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import { ErrorCode } from '../protocol/errors.ts';
import type { DescribeLogDirsResponse } from '../protocol/messages/35-describe-log-dirs.ts';
import type { ReplicaManager } from '../replication/replica-manager.ts';

type Described = DescribeLogDirsResponse['results'][number];

interface Facts {
  readonly disk: Disk;
  readonly replicas: ReplicaManager;
  readonly isAsked: (topic: string, partition: number) => boolean;
}

/** A log that this broker has no replica of says nothing of how far it lags. */
const NO_LAG = -1;

/** One log dir as DescribeLogDirs tells of it (`ReplicaManager.describeLogDirs`). */
export function describeLogDir(directory: LogDirectory, { disk, replicas, isAsked }: Facts): Described {
  const described: Described = {
    errorCode: ErrorCode.KAFKA_STORAGE_ERROR,
    logDir: directory.path,
    topics: [],
    totalBytes: -1,
    usableBytes: -1,
    isCordoned: false,
  };
  if (!directory.isOnline) return described;
  try {
    return {
      ...described,
      errorCode: ErrorCode.NONE,
      totalBytes: disk.totalBytes(directory.path),
      usableBytes: disk.freeBytes(directory.path),
      topics: topicsIn(directory, replicas, isAsked),
    };
  } catch (error) {
    // A quiet log asks its files how large they are.
    if (!(error instanceof DiskError)) throw error;
    return described;
  }
}

function topicsIn(directory: LogDirectory, replicas: ReplicaManager, isAsked: Facts['isAsked']): Described['topics'] {
  const topics = new Map<string, Described['topics'][number]['partitions']>();
  const add = (log: PartitionLog, isFutureKey: boolean): void => {
    const { topic, partition } = log.topicPartition;
    if (!isAsked(topic, partition)) return;
    const current = replicas.partition(topic, partition)?.log;
    const partitions = topics.get(topic) ?? [];
    topics.set(topic, partitions);
    partitions.push({
      partitionIndex: partition,
      partitionSize: log.sizeInBytes,
      offsetLag: current === undefined ? NO_LAG : lagOf(log, current, isFutureKey),
      isFutureKey,
    });
  };
  for (const log of directory.logs.values()) add(log, false);
  for (const log of directory.futures.values()) add(log, true);
  return [...topics].map(([name, partitions]) => ({ name, partitions }));
}

/** A log on its way lags behind the one it is copied from, any other behind what is committed. */
function lagOf(log: PartitionLog, current: PartitionLog, isFuture: boolean): number {
  if (isFuture) return current.logEndOffset - log.logEndOffset;
  return Math.max(current.highWatermark - log.logEndOffset, 0);
}
