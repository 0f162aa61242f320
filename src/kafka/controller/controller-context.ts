import { ZERO_UUID } from '../../wire/schema.ts';
import type { RegisteredBroker, VersionedState } from '../zk/kafka-zk.ts';
import type { Endpoint, PartitionAssignment, TopicAssignment } from '../zk/znodes.ts';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export const keyOf = (topic: string, partition: number): string => `${topic}-${partition}`;

export interface ListenerNames {
  /** `inter.broker.listener.name`. */
  readonly interBrokerListenerName: string;
  /** `control.plane.listener.name`, else the same. */
  readonly controlListenerName: string;
}

/** What the controller knows of the cluster: a cache of the znodes, changed only by the controller's own event loop. */
export class ControllerContext {
  brokers = new Map<number, RegisteredBroker>();
  readonly shuttingDown = new Set<number>();
  readonly topics = new Map<string, TopicAssignment>();
  readonly states = new Map<string, VersionedState>();
  readonly topicsToDelete = new Set<string>();
  /** Replicas of live brokers whose log dir has failed, by broker (`replicasOnOfflineDirs`). */
  readonly offline = new Map<number, Set<string>>();
  readonly #listeners: ListenerNames;

  constructor(listeners: ListenerNames) {
    this.#listeners = listeners;
  }

  /** Where other brokers reach a live broker. */
  endpointOf(broker: number): Endpoint | undefined {
    return this.#endpointOn(this.#listeners.interBrokerListenerName, broker);
  }

  /** Where the controller reaches a live broker. */
  controlEndpointOf(broker: number): Endpoint | undefined {
    return this.#endpointOn(this.#listeners.controlListenerName, broker);
  }

  #endpointOn(listener: string, broker: number): Endpoint | undefined {
    const endpoints = this.brokers.get(broker)?.info.endpoints ?? [];
    return endpoints.find(({ listenerName }) => listenerName === listener) ?? endpoints[0];
  }

  get live(): Set<number> {
    return new Set(this.brokers.keys());
  }

  /** Live and not leaving: who may become a leader. */
  get staying(): Set<number> {
    return new Set([...this.brokers.keys()].filter((id) => !this.shuttingDown.has(id)));
  }

  /** The broker lives, and so does the log dir of its replica. */
  isOnline(broker: number, topic: string, partition: number): boolean {
    return this.brokers.has(broker) && this.offline.get(broker)?.has(keyOf(topic, partition)) !== true;
  }

  /** Brokers whose replica of a partition could lead. */
  online({ topic, partition }: TopicPartition): Set<number> {
    return new Set(this.replicas(topic, partition).filter((id) => this.isOnline(id, topic, partition)));
  }

  topicId(topic: string): string {
    return this.topics.get(topic)?.topicId ?? ZERO_UUID;
  }

  assignment(topic: string, partition: number): PartitionAssignment | undefined {
    return this.topics.get(topic)?.partitions.get(partition);
  }

  replicas(topic: string, partition: number): readonly number[] {
    return this.assignment(topic, partition)?.replicas ?? [];
  }

  /** A reassignment began, moved on or ended. */
  setAssignment(topic: string, partition: number, assignment: PartitionAssignment): void {
    const known = this.topics.get(topic);
    if (known === undefined) return;
    this.topics.set(topic, { ...known, partitions: new Map([...known.partitions, [partition, assignment]]) });
  }

  state(topic: string, partition: number): VersionedState | undefined {
    return this.states.get(keyOf(topic, partition));
  }

  setState(topic: string, partition: number, state: VersionedState): void {
    this.states.set(keyOf(topic, partition), state);
  }

  topicName(topicId: string): string | undefined {
    for (const [topic, known] of this.topics) if (known.topicId === topicId) return topic;
    return undefined;
  }

  forgetTopic(topic: string): void {
    for (const partition of this.topics.get(topic)?.partitions.keys() ?? []) {
      this.states.delete(keyOf(topic, partition));
      for (const replicas of this.offline.values()) replicas.delete(keyOf(topic, partition));
    }
    this.topics.delete(topic);
    this.topicsToDelete.delete(topic);
  }

  /** Every partition of every topic. */
  *partitions(): Generator<TopicPartition> {
    for (const [topic, { partitions }] of this.topics) {
      for (const partition of partitions.keys()) yield { topic, partition };
    }
  }

  partitionsOf(topic: string): TopicPartition[] {
    return [...(this.topics.get(topic)?.partitions.keys() ?? [])].map((partition) => ({ topic, partition }));
  }

  *partitionsOn(broker: number): Generator<TopicPartition> {
    for (const item of this.partitions()) {
      if (this.replicas(item.topic, item.partition).includes(broker)) yield item;
    }
  }
}
