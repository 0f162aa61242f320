import type { Purgatory } from '../../runtime/purgatory.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Controller } from '../controller/controller.ts';
import type { GroupCoordinator } from '../coordinator/group/group-coordinator.ts';
import type { TransactionCoordinator } from '../coordinator/transaction/transaction-coordinator.ts';
import type { LogManager } from '../log/log-manager.ts';
import type { LogDirMoves } from '../replication/log-dir-moves.ts';
import type { DeletedPartition, MetadataCache } from '../replication/metadata-cache.ts';
import type { Partition } from '../replication/partition.ts';
import type { ReplicaManager } from '../replication/replica-manager.ts';
import type { TransactionGate } from '../replication/transaction-gate.ts';
import type { AclStore } from '../security/acl-store.ts';
import type { Authorizer } from '../security/authorizer.ts';
import type { KafkaZk } from '../zk/kafka-zk.ts';
import type { AutoTopics } from './auto-topics.ts';
import type { BrokerLoggers } from './broker-loggers.ts';
import type { ConfigAdmin } from './config/alter-config.ts';
import type { ConfigStore } from './config/config-store.ts';
import type { GroupConfigs } from './config/group-configs.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import type { ControllerFence } from './controller-fence.ts';
import type { DelegationTokens } from './delegation-tokens.ts';
import type { FetchConversions } from './fetch-conversions.ts';
import type { FetchSessions } from './fetch-sessions.ts';
import type { TopicMetrics } from './metrics/topic-metrics.ts';
import type { ProducerIds } from './producer-ids.ts';
import type { ClientQuotas } from './quotas/client-quotas.ts';
import type { QuotaAdmin } from './quotas/quota-admin.ts';
import type { ShareGroups } from './share/share-groups.ts';
import type { StreamsTopics } from './streams-topics.ts';
import type { TelemetryInstances } from './telemetry-instances.ts';
import type { TopicAdmin } from './topic-admin.ts';

/** What the handlers of one broker share. */
export interface BrokerContext {
  readonly id: number;
  readonly clusterId: string;
  readonly config: KafkaConfig;
  /** Who may do what. */
  readonly authorizer: Authorizer;
  /** Absent without an authorizer. */
  readonly acls: AclStore | undefined;
  readonly runtime: Runtime;
  readonly zk: KafkaZk;
  readonly metadata: MetadataCache;
  readonly replicas: ReplicaManager;
  readonly logs: LogManager;
  readonly logDirMoves: LogDirMoves;
  readonly controller: Controller;
  /** Refuses requests of controllers and to brokers of the past. */
  readonly fence: ControllerFence;
  readonly topics: TopicAdmin;
  readonly autoTopics: AutoTopics;
  readonly streamsTopics: StreamsTopics;
  /** Topic operations that wait for the metadata cache to show their result, by topic name. */
  readonly topicPurgatory: Purgatory<string>;
  /** What is configured now, and who changes it. */
  readonly configs: ConfigStore;
  readonly configAdmin: ConfigAdmin;
  readonly groupConfigs: GroupConfigs;
  readonly loggers: BrokerLoggers;
  /** Fetches that wait for records. */
  readonly fetchPurgatory: Purgatory<Partition>;
  readonly fetchSessions: FetchSessions;
  readonly telemetry: TelemetryInstances;
  /** Records for old clients. */
  readonly conversions: FetchConversions;
  /** Undefined where nobody looks at metrics. */
  readonly topicMetrics?: TopicMetrics | undefined;
  readonly producerIds: ProducerIds;
  /** What clients may do, and who changes that. */
  readonly quotas: ClientQuotas;
  readonly quotaAdmin: QuotaAdmin;
  /** What clients log in with on behalf of others. */
  readonly tokens: DelegationTokens;
  /** Membership and committed offsets of the groups that this broker coordinates. */
  readonly groups: GroupCoordinator;
  /** The transactions that this broker coordinates. */
  readonly transactions: TransactionCoordinator;
  /** Lets transactions write to partitions that their coordinator knows to be part of them. */
  readonly transactionGate: TransactionGate;
  /** Share partitions, share sessions, and the share coordinator. */
  readonly shares: ShareGroups;
  /** Reads what is configured for topics that this broker had no replica of. */
  prepareTopics(topics: ReadonlySet<string>): Promise<void>;
  /** The controller told of the cluster anew; with the partitions that are gone. */
  onMetadataUpdate(deleted: readonly DeletedPartition[]): void;
}
