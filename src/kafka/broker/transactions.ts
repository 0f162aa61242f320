import type { Runtime } from '../../runtime/runtime.ts';
import { type BrokerChannel, interBrokerVersions, type OpenChannel } from '../channel/broker-channel.ts';
import type { MarkerLeader, MarkerTransport } from '../coordinator/transaction/marker-sender.ts';
import { EPOCH_BUMP_VERSION } from '../coordinator/transaction/transaction.ts';
import { transactionConfig } from '../coordinator/transaction/transaction-config.ts';
import { TransactionCoordinator } from '../coordinator/transaction/transaction-coordinator.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { WriteTxnMarkersRequest, WriteTxnMarkersResponse } from '../protocol/messages/27-write-txn-markers.ts';
import type { BrokerEndpoint, MetadataCache } from '../replication/metadata-cache.ts';
import type { ReplicaManager } from '../replication/replica-manager.ts';
import type { KafkaZk } from '../zk/kafka-zk.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import { InternalTopicLog } from './internal-topic-log.ts';
import type { ProducerIds } from './producer-ids.ts';
import { TRANSACTIONS_TOPIC } from './topic-names.ts';

export interface TransactionsOptions {
  readonly runtime: Runtime;
  readonly config: KafkaConfig;
  readonly zk: KafkaZk;
  readonly metadata: MetadataCache;
  readonly replicas: ReplicaManager;
  readonly producerIds: ProducerIds;
  readonly openChannel: OpenChannel;
}

/** The transaction coordinator of a broker, over its replicas of `__transaction_state` and its channels to other brokers. */
export function startTransactions(options: TransactionsOptions): TransactionCoordinator {
  const { runtime, config, producerIds } = options;
  const { clock, log } = runtime;
  const markers = new MarkerChannels(options);
  const coordinator = new TransactionCoordinator({
    coordinatorLog: new InternalTopicLog({
      ...options,
      topic: TRANSACTIONS_TOPIC,
      partitionCount: config.number('transaction.state.log.num.partitions'),
      // Whatever the topic is configured with (`TransactionLog.EnforcedCompression`).
      codec: 'none',
      clock,
    }),
    clock,
    log: log.named('kafka.transactions'),
    config: transactionConfig((key) => config.number(key)),
    transport: markers,
    newProducerId: () => producerIds.next(),
    onClose: () => markers.close(),
  });
  coordinator.start();
  return coordinator;
}

interface OpenMarkerChannel {
  readonly channel: BrokerChannel;
  readonly endpoint: BrokerEndpoint;
}

/** Markers on their way to the leaders that the metadata cache names, this broker among them. */
class MarkerChannels implements MarkerTransport {
  readonly #options: TransactionsOptions;
  readonly #channels = new Map<number, OpenMarkerChannel>();

  constructor(options: TransactionsOptions) {
    this.#options = options;
  }

  leaderOf(topic: string, partition: number): MarkerLeader {
    const known = this.#options.metadata.partition(topic, partition);
    if (known === undefined) return { kind: 'unknown' };
    return this.#endpointOf(known.leader) === undefined ? { kind: 'none' } : { kind: 'broker', id: known.leader };
  }

  #endpointOf(broker: number): BrokerEndpoint | undefined {
    const { metadata, config } = this.#options;
    const name = config.interBrokerListenerName;
    return metadata.brokers.get(broker)?.endpoints.find(({ listener }) => listener === name);
  }

  /** ZooKeeper knows what the controller has not told us yet. */
  async isGone(topic: string, partition: number): Promise<boolean> {
    const assignment = await this.#options.zk.topic(topic);
    return assignment?.partitions.has(partition) !== true;
  }

  async write(broker: number, markers: WriteTxnMarkersRequest['markers']): Promise<WriteTxnMarkersResponse> {
    const endpoint = this.#endpointOf(broker);
    if (endpoint === undefined) throw new KafkaError(ErrorCode.BROKER_NOT_AVAILABLE);
    const isNewer = markers.some(({ transactionVersion }) => transactionVersion >= EPOCH_BUMP_VERSION);
    // No broker of Apache's that speaks version 2 lives with ZooKeeper: who raises `transaction.version` has ours alone.
    const version = isNewer ? 2 : interBrokerVersions['3.9-IV0'].writeTxnMarkers;
    const channel = this.#channelTo(broker, endpoint);
    return channel.send(WriteTxnMarkersRequest, WriteTxnMarkersResponse, version, { markers });
  }

  /** A broker that has come back elsewhere is reached by another channel. */
  #channelTo(id: number, endpoint: BrokerEndpoint): BrokerChannel {
    const known = this.#channels.get(id);
    const { host, port } = endpoint;
    if (known?.endpoint.host === host && known.endpoint.port === port) return known.channel;
    known?.channel.close();
    const channel = this.#options.openChannel({ id, host, port });
    this.#channels.set(id, { channel, endpoint });
    return channel;
  }

  close(): void {
    for (const { channel } of this.#channels.values()) channel.close();
  }
}
