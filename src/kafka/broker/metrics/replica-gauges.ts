import type { Family, Sample } from '../../../observability/exposition.ts';
import type { Partition } from '../../replication/partition.ts';
import type { ReplicaManager } from '../../replication/replica-manager.ts';
import { gauge, gauges } from './family.ts';

const ofManager = { group: 'server', type: 'ReplicaManager' } as const;
const ofPartition = { group: 'cluster', type: 'Partition' } as const;

const isTrue = (value: boolean): number => (value ? 1 : 0);

/** Of each replica: 0 where this broker does not lead. */
const partitionGauges: readonly (readonly [name: string, read: (partition: Partition) => number])[] = [
  ['UnderReplicated', (partition) => isTrue(partition.isUnderReplicated)],
  ['InSyncReplicasCount', ({ isLeader, isr }) => (isLeader ? isr.length : 0)],
  ['UnderMinIsr', (partition) => isTrue(partition.isUnderMinIsr)],
  ['AtMinIsr', (partition) => isTrue(partition.isAtMinIsr)],
  ['ReplicasCount', ({ isLeader, replicas }) => (isLeader ? replicas.length : 0)],
  ['LastStableOffsetLag', ({ log }) => (log === undefined ? 0 : log.highWatermark - log.lastStableOffset)],
];

/** `ReplicaManager` and `Partition`. */
export function* replicaFamilies(replicas: ReplicaManager): Generator<Family> {
  const counted = countReplicas(replicas);
  for (const [name, value] of Object.entries(counted)) yield gauge({ ...ofManager, name }, value);
  for (const [name, read] of partitionGauges) yield gauges({ ...ofPartition, name }, valuesOf(replicas, read));
}

function* valuesOf(
  replicas: ReplicaManager,
  read: (partition: Partition) => number,
): Generator<[labels: Sample['labels'], value: number]> {
  for (const partition of replicas.partitions()) {
    if (partition.isOffline) continue;
    const labels = [['topic', partition.topic] as const, ['partition', String(partition.index)] as const];
    yield [labels, read(partition)];
  }
}

function countReplicas(replicas: ReplicaManager): Readonly<Record<string, number>> {
  const counted = {
    LeaderCount: 0,
    PartitionCount: 0,
    OfflineReplicaCount: 0,
    UnderReplicatedPartitions: 0,
    UnderMinIsrPartitionCount: 0,
    AtMinIsrPartitionCount: 0,
    ProducerIdCount: 0,
  };
  for (const partition of replicas.partitions()) {
    counted.PartitionCount += 1;
    if (partition.isOffline) counted.OfflineReplicaCount += 1;
    else counted.ProducerIdCount += partition.log?.producers.size ?? 0;
    if (!partition.isLeader) continue;
    counted.LeaderCount += 1;
    counted.UnderReplicatedPartitions += isTrue(partition.isUnderReplicated);
    counted.UnderMinIsrPartitionCount += isTrue(partition.isUnderMinIsr);
    counted.AtMinIsrPartitionCount += isTrue(partition.isAtMinIsr);
  }
  return counted;
}
