import type { Runtime } from '../../../runtime/runtime.ts';
import type { OpenChannel } from '../../channel/broker-channel.ts';
import type { ShareStateKeeper } from '../../coordinator/group/share/share-state-keeper.ts';
import { ShareCoordinator } from '../../coordinator/share/share-coordinator.ts';
import { shareCoordinatorConfig } from '../../coordinator/share/share-coordinator-config.ts';
import { KafkaError } from '../../protocol/errors.ts';
import { codecNames } from '../../records/batch.ts';
import type { DeletedPartition, MetadataCache } from '../../replication/metadata-cache.ts';
import type { Partition } from '../../replication/partition.ts';
import type { ReplicaManager } from '../../replication/replica-manager.ts';
import type { ShareGroupConfig } from '../../share/share-group-config.ts';
import type { SharePartition } from '../../share/share-partition.ts';
import { type ShareSession, ShareSessions, type ShareTarget } from '../../share/share-sessions.ts';
import type { GroupConfigs } from '../config/group-configs.ts';
import type { KafkaConfig } from '../config/kafka-config.ts';
import { gather } from '../gather.ts';
import { InternalTopicLog } from '../internal-topic-log.ts';
import { SHARE_STATE_TOPIC } from '../topic-names.ts';
import { BrokerPersister } from './broker-persister.ts';
import { shareGroupConfigOf } from './group-config.ts';
import { SharePartitions } from './share-partitions.ts';

export interface ShareGroupsOptions {
  readonly brokerId: number;
  readonly runtime: Runtime;
  readonly config: KafkaConfig;
  readonly metadata: MetadataCache;
  readonly replicas: ReplicaManager;
  readonly openChannel: OpenChannel;
  /** What is configured for a group itself. */
  readonly groupConfigs: GroupConfigs;
  readonly createStateTopic: () => void;
  /** Who waits for records of the partition may find some. */
  readonly onProgress: (partition: Partition) => void;
}

/** What a broker does for share groups (KIP-932): as a leader it delivers records, as a share coordinator it keeps their state. */
export class ShareGroups {
  readonly coordinator: ShareCoordinator;
  readonly sessions: ShareSessions;
  readonly partitions: SharePartitions;
  readonly #options: ShareGroupsOptions;
  readonly #persister: BrokerPersister;

  constructor(options: ShareGroupsOptions) {
    const { brokerId, runtime, config, metadata, replicas, openChannel, onProgress, createStateTopic } = options;
    const { clock } = runtime;
    this.#options = options;
    this.coordinator = new ShareCoordinator({
      coordinatorLog: new InternalTopicLog({
        topic: SHARE_STATE_TOPIC,
        partitionCount: config.number('share.coordinator.state.topic.num.partitions'),
        codec: codecNames[config.number('share.coordinator.state.topic.compression.codec')] ?? 'none',
        clock,
        metadata,
        replicas,
      }),
      clock,
      log: runtime.log.named('kafka.share'),
      config: shareCoordinatorConfig((key) => config.number(key)),
      exists: (topicId, partition) => {
        const topic = metadata.topicName(topicId);
        return topic !== undefined && metadata.partition(topic, partition) !== undefined;
      },
    });
    this.#persister = new BrokerPersister({
      brokerId,
      clock,
      coordinator: this.coordinator,
      metadata,
      interBrokerListenerName: config.interBrokerListenerName,
      openChannel,
      createTopic: createStateTopic,
    });
    this.sessions = new ShareSessions(config.number('group.share.max.share.sessions'));
    this.partitions = new SharePartitions({
      clock,
      log: runtime.log.named('kafka.share'),
      metadata,
      replicas,
      persister: this.#persister,
      configOf: (groupId) => this.configOf(groupId),
      onProgress,
    });
    this.coordinator.start();
  }

  /** For the group coordinator. */
  get keeper(): ShareStateKeeper {
    return this.#persister;
  }

  configOf(groupId: string): ShareGroupConfig {
    return shareGroupConfigOf(this.#options.groupConfigs, groupId);
  }

  /** The share partitions of what a session fetches, each open or with the error that keeps it closed. */
  open(
    groupId: string,
    targets: readonly ShareTarget[],
    done: (opened: { readonly target: ShareTarget; readonly share: SharePartition | KafkaError }[]) => void,
  ): void {
    gather<ShareTarget, { readonly target: ShareTarget; readonly share: SharePartition | KafkaError }>(
      targets,
      (target, answer) => {
        try {
          const share = this.partitions.get({ groupId, ...target });
          share.open((error) => answer({ target, share: error ?? share }));
        } catch (error) {
          if (!(error instanceof KafkaError)) throw error;
          answer({ target, share: error });
        }
      },
      done,
    );
  }

  /**
   * What the member holds of the session's partitions comes back at once; of those that it forgot before, when its time is over.
   * Nobody remembers partitions for a group without sessions.
   */
  endSession(session: ShareSession): void {
    const { groupId } = session;
    this.sessions.end(session);
    this.partitions.release(session, () => {
      if (!this.sessions.hasGroup(groupId)) this.partitions.forgetGroup(groupId);
    });
  }

  connectionClosed(connectionId: string): void {
    for (const session of this.sessions.ofConnection(connectionId)) this.endSession(session);
  }

  /** This broker leads a partition now, or does no more. */
  leadershipChanged(partition: Partition): void {
    this.partitions.leadershipChanged(partition);
    if (partition.topic !== SHARE_STATE_TOPIC) return;
    if (partition.isLeader) this.coordinator.onElected(partition.index, partition.leaderEpoch);
    else this.coordinator.onResigned(partition.index);
  }

  /** What is stored of topics that are gone is forgotten; answers their ids. */
  partitionsDeleted(deleted: readonly DeletedPartition[]): ReadonlySet<string> {
    const { metadata } = this.#options;
    const gone = deleted.map(({ topicId }) => topicId).filter((id) => metadata.topicName(id) === undefined);
    const topicIds = new Set(gone);
    if (topicIds.size > 0) this.coordinator.onTopicsDeleted(topicIds);
    return topicIds;
  }

  close(): void {
    this.#persister.close();
    this.partitions.close();
    this.coordinator.close();
  }
}
