import { build } from '../../wire/schema.ts';
import { interBrokerVersions } from '../channel/broker-channel.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { LeaderAndIsrRequest, LeaderAndIsrResponse } from '../protocol/messages/04-leader-and-isr.ts';
import { StopReplicaRequest, StopReplicaResponse } from '../protocol/messages/05-stop-replica.ts';
import { UpdateMetadataRequest, UpdateMetadataResponse } from '../protocol/messages/06-update-metadata.ts';
import { LEADER_DURING_DELETE } from '../replication/metadata-cache.ts';
import type { BrokerLinks } from './broker-links.ts';
import { type ControllerContext, keyOf, type TopicPartition } from './controller-context.ts';

const versions = interBrokerVersions['3.9-IV0'];

/** Security protocols as UpdateMetadata numbers them. */
const securityProtocolIds = { PLAINTEXT: 0, SSL: 1, SASL_PLAINTEXT: 2, SASL_SSL: 3 } as const;

/** Leader epochs that are no epochs: what StopReplica carries during a deletion. */
const EPOCH_DURING_DELETE = -2;

/** What a broker answered to LeaderAndIsr for one replica. */
export interface ReplicaOutcome extends TopicPartition {
  readonly errorCode: number;
}

interface Told extends TopicPartition {
  readonly isNew: boolean;
}
interface Stopped extends TopicPartition {
  readonly deletePartition: boolean;
}

/**
 * What one controller event wants the brokers to know, gathered so that each broker gets at most one request of a kind:
 * LeaderAndIsr, then UpdateMetadata, then StopReplica (`ControllerBrokerRequestBatch`).
 */
export class RequestBatch {
  readonly #context: ControllerContext;
  readonly #leaderAndIsr = new Map<number, Map<string, Told>>();
  readonly #metadata = new Map<number, Map<string, TopicPartition>>();
  readonly #stopped = new Map<number, Map<string, Stopped>>();

  constructor(context: ControllerContext) {
    this.#context = context;
  }

  /** The live replicas shall lead or follow, and everybody shall know. */
  leaderAndIsr(topic: string, partition: number, isNew: boolean): void {
    for (const id of this.#context.replicas(topic, partition)) {
      if (this.#context.brokers.has(id))
        of(this.#leaderAndIsr, id).set(keyOf(topic, partition), { topic, partition, isNew });
    }
    this.metadata(this.#context.live, [{ topic, partition }]);
  }

  /** One broker's replica alone: a broker that came back, or a replica that it did not have before. */
  leaderAndIsrTo(broker: number, topic: string, partition: number, isNew = false): void {
    of(this.#leaderAndIsr, broker).set(keyOf(topic, partition), { topic, partition, isNew });
  }

  /** Without partitions: only who is alive. */
  metadata(brokers: Iterable<number>, partitions: Iterable<TopicPartition>): void {
    const told = [...partitions];
    for (const id of brokers) {
      const known = of(this.#metadata, id);
      for (const item of told) known.set(keyOf(item.topic, item.partition), item);
    }
  }

  stop(broker: number, topic: string, partition: number, deletePartition: boolean): void {
    if (this.#context.brokers.has(broker)) {
      of(this.#stopped, broker).set(keyOf(topic, partition), { topic, partition, deletePartition });
    }
  }

  /**
   * Sends it all; settles when every broker has answered, or is gone. Answers whether every replica that was to stop did.
   * @param heard gets what a broker answered for each of its replicas, if it has anything to say
   */
  async send(
    links: BrokerLinks,
    controllerId: number,
    controllerEpoch: number,
    heard?: (broker: number, outcomes: readonly ReplicaOutcome[]) => void,
  ): Promise<boolean> {
    const sent: Promise<unknown>[] = [];
    const stops: Promise<StopReplicaResponse | undefined>[] = [];
    const header = (broker: number): { controllerId: number; controllerEpoch: number; brokerEpoch: number } => ({
      controllerId,
      controllerEpoch,
      brokerEpoch: this.#context.brokers.get(broker)?.epoch ?? -1,
    });
    for (const [broker, told] of this.#leaderAndIsr) {
      const request = this.#leaderAndIsrRequest(header(broker), [...told.values()]);
      const answer = links.send(broker, LeaderAndIsrRequest, LeaderAndIsrResponse, versions.leaderAndIsr, request);
      sent.push(answer.then((response) => response && heard?.(broker, this.#outcomesIn(response))));
    }
    for (const [broker, told] of this.#metadata) {
      const request = this.#updateMetadataRequest(header(broker), [...told.values()]);
      sent.push(links.send(broker, UpdateMetadataRequest, UpdateMetadataResponse, versions.updateMetadata, request));
    }
    for (const [broker, stopped] of this.#stopped) {
      const request = this.#stopReplicaRequest(header(broker), [...stopped.values()]);
      stops.push(links.send(broker, StopReplicaRequest, StopReplicaResponse, versions.stopReplica, request));
    }
    await Promise.all(sent);
    return (await Promise.all(stops)).every(succeeded);
  }

  #leaderAndIsrRequest(header: Header, told: readonly Told[]): LeaderAndIsrRequest {
    const leaders = new Set<number>();
    const topicStates = byTopic(told).map(([topicName, partitions]) => ({
      topicName,
      topicId: this.#context.topicId(topicName),
      partitionStates: partitions.flatMap(({ partition, isNew }) => {
        const state = this.#context.state(topicName, partition);
        const assignment = this.#context.assignment(topicName, partition);
        if (state === undefined || assignment === undefined) return [];
        leaders.add(state.state.leader);
        return [
          {
            topicName,
            partitionIndex: partition,
            controllerEpoch: state.state.controllerEpoch,
            leader: state.state.leader,
            leaderEpoch: state.state.leaderEpoch,
            isr: shared(state.state.isr),
            partitionEpoch: state.zkVersion,
            replicas: shared(assignment.replicas),
            addingReplicas: shared(assignment.addingReplicas),
            removingReplicas: shared(assignment.removingReplicas),
            isNew,
            leaderRecoveryState: state.state.leaderRecoveryState,
          },
        ];
      }),
    }));
    const liveLeaders = [...leaders].flatMap((id) => {
      const endpoint = this.#context.endpointOf(id);
      return endpoint === undefined ? [] : [{ brokerId: id, hostName: endpoint.host, port: endpoint.port }];
    });
    return build(LeaderAndIsrRequest, { ...header, topicStates, liveLeaders });
  }

  #outcomesIn({ errorCode, topics }: LeaderAndIsrResponse): ReplicaOutcome[] {
    if (errorCode !== ErrorCode.NONE) return [];
    const names = new Map([...this.#context.topics].map(([name, { topicId }]) => [topicId, name]));
    return topics.flatMap(({ topicId, partitionErrors }) => {
      const topic = names.get(topicId);
      if (topic === undefined) return [];
      return partitionErrors.map((one) => ({ topic, partition: one.partitionIndex, errorCode: one.errorCode }));
    });
  }

  #updateMetadataRequest(header: Header, told: readonly TopicPartition[]): UpdateMetadataRequest {
    const topicStates = byTopic(told).map(([topicName, partitions]) => ({
      topicName,
      topicId: this.#context.topicId(topicName),
      partitionStates: partitions.flatMap(({ partition }) => {
        const state = this.#context.state(topicName, partition);
        if (state === undefined) return [];
        const replicas = shared(this.#context.replicas(topicName, partition));
        const deleting = this.#context.topicsToDelete.has(topicName);
        return [
          {
            topicName,
            partitionIndex: partition,
            controllerEpoch: state.state.controllerEpoch,
            leader: deleting ? LEADER_DURING_DELETE : state.state.leader,
            leaderEpoch: state.state.leaderEpoch,
            isr: shared(state.state.isr),
            zkVersion: state.zkVersion,
            replicas,
            offlineReplicas: replicas.filter((id) => !this.#context.isOnline(id, topicName, partition)),
          },
        ];
      }),
    }));
    const liveBrokers = [...this.#context.brokers.values()].map(({ info }) => ({
      id: info.id,
      v0Host: '',
      v0Port: 0,
      rack: info.rack,
      endpoints: info.endpoints.map(({ listenerName, securityProtocol, host, port }) => ({
        port,
        host,
        listener: listenerName,
        securityProtocol: securityProtocolIds[securityProtocol] ?? 0,
      })),
    }));
    return build(UpdateMetadataRequest, { ...header, topicStates, liveBrokers });
  }

  #stopReplicaRequest(header: Header, stopped: readonly Stopped[]): StopReplicaRequest {
    const topicStates = byTopic(stopped).map(([topicName, partitions]) => ({
      topicName,
      partitionStates: partitions.map(({ partition, deletePartition }) => ({
        partitionIndex: partition,
        leaderEpoch: this.#context.topicsToDelete.has(topicName)
          ? EPOCH_DURING_DELETE
          : (this.#context.state(topicName, partition)?.state.leaderEpoch ?? -1),
        deletePartition,
      })),
    }));
    return build(StopReplicaRequest, { ...header, topicStates });
  }
}

/** Not copied: nobody changes a list of broker ids in place, and a broker keeps several for each of its thousands of replicas. */
function shared(brokerIds: readonly number[]): number[] {
  return brokerIds as number[];
}

function succeeded(answer: StopReplicaResponse | undefined): boolean {
  if (answer === undefined || answer.errorCode !== ErrorCode.NONE) return false;
  return answer.partitionErrors.every(({ errorCode }) => errorCode === ErrorCode.NONE);
}

interface Header {
  readonly controllerId: number;
  readonly controllerEpoch: number;
  readonly brokerEpoch: number;
}

function of<K, V>(map: Map<K, Map<string, V>>, key: K): Map<string, V> {
  let inner = map.get(key);
  if (inner === undefined) {
    inner = new Map();
    map.set(key, inner);
  }
  return inner;
}

function byTopic<T extends TopicPartition>(items: readonly T[]): [string, T[]][] {
  const grouped = new Map<string, T[]>();
  for (const item of items) {
    const list = grouped.get(item.topic);
    if (list === undefined) grouped.set(item.topic, [item]);
    else list.push(item);
  }
  return [...grouped];
}
