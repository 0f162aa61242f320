import { NO_LEADER } from '../replication/metadata-cache.ts';
import type { ControllerContext, TopicPartition } from './controller-context.ts';
import { electForShutdown, electOffline } from './elections.ts';
import type { PartitionStates } from './partition-states.ts';
import { RequestBatch } from './request-batch.ts';

/** Who leads what when brokers come, go and say that they will go: decides, writes it down, and answers what to tell whom. */
export class Leaderships {
  readonly #context: ControllerContext;
  readonly #states: PartitionStates;
  readonly #uncleanElectionAllowed: (topic: string) => boolean;

  constructor(context: ControllerContext, states: PartitionStates, uncleanElectionAllowed: (topic: string) => boolean) {
    this.#context = context;
    this.#states = states;
    this.#uncleanElectionAllowed = uncleanElectionAllowed;
  }

  /** Partitions that never had a leader get one, those whose leader is gone another. */
  async recover(): Promise<RequestBatch> {
    const context = this.#context;
    const batch = new RequestBatch(context);
    const fresh: TopicPartition[] = [];
    const offline: TopicPartition[] = [];
    for (const item of context.partitions()) {
      if (context.topicsToDelete.has(item.topic)) continue;
      const state = context.state(item.topic, item.partition);
      if (state === undefined) fresh.push(item);
      else if (!context.isOnline(state.state.leader, item.topic, item.partition)) offline.push(item);
    }
    await this.#states.create(fresh, batch);
    await this.#electOffline(offline, batch);
    return batch;
  }

  async #electOffline(offline: readonly TopicPartition[], batch: RequestBatch): Promise<void> {
    const byTopic = new Map<string, TopicPartition[]>();
    for (const item of offline) byTopic.set(item.topic, [...(byTopic.get(item.topic) ?? []), item]);
    for (const [topic, partitions] of byTopic) {
      const unclean = this.#uncleanElectionAllowed(topic);
      await this.#states.elect(
        partitions,
        (replicas, state, item) => electOffline(replicas, state, this.#context.online(item), unclean),
        batch,
      );
    }
  }

  /** Their replicas leave the ISRs, their leaderships go to others. */
  async brokersFailed(gone: readonly number[]): Promise<RequestBatch> {
    const context = this.#context;
    const batch = new RequestBatch(context);
    batch.metadata(context.live, []);
    const stays = ({ topic }: TopicPartition): boolean => !context.topicsToDelete.has(topic);
    for (const id of gone) {
      const hit = [...context.partitionsOn(id)].filter(stays);
      await Promise.all(hit.map((item) => this.#states.removeReplica(item, id, batch)));
    }
    await this.#electOffline(this.#leaderless(), batch);
    return batch;
  }

  /** A broker lost a log dir: its replicas there leave the ISRs and are stopped, their leaderships go to others. */
  async replicasFailed(broker: number, replicas: readonly TopicPartition[]): Promise<RequestBatch> {
    const context = this.#context;
    const batch = new RequestBatch(context);
    const hit = replicas.filter(({ topic }) => !context.topicsToDelete.has(topic));
    for (const { topic, partition } of hit) batch.stop(broker, topic, partition, false);
    await Promise.all(hit.map((item) => this.#states.removeReplica(item, broker, batch)));
    await this.#electOffline(this.#leaderless(), batch);
    batch.metadata(context.live, hit);
    return batch;
  }

  #leaderless(): TopicPartition[] {
    const context = this.#context;
    return [...context.partitions()].filter(
      ({ topic, partition }) =>
        !context.topicsToDelete.has(topic) && context.state(topic, partition)?.state.leader === NO_LEADER,
    );
  }

  /** A broker says that it lost a log dir: it is asked for all its replicas, and its answer tells which are gone. */
  askForReplicas(broker: number): RequestBatch {
    const batch = new RequestBatch(this.#context);
    for (const { topic, partition } of this.#context.partitionsOn(broker)) {
      if (this.#context.state(topic, partition) !== undefined) batch.leaderAndIsrTo(broker, topic, partition);
    }
    return batch;
  }

  /** They hear of everything, the others of them. */
  brokersCame(come: readonly number[]): RequestBatch {
    const context = this.#context;
    const all = [...context.partitions()].filter(
      ({ topic, partition }) => context.state(topic, partition) !== undefined,
    );
    const batch = new RequestBatch(context);
    batch.metadata(
      [...context.brokers.keys()].filter((id) => !come.includes(id)),
      [],
    );
    batch.metadata(come, all);
    for (const id of come) {
      for (const { topic, partition } of context.partitionsOn(id)) {
        if (context.state(topic, partition) !== undefined) batch.leaderAndIsrTo(id, topic, partition);
      }
    }
    return batch;
  }

  /** The broker's leaderships move where another replica can lead; answers what it still leads. */
  async shutDown(broker: number): Promise<{ batch: RequestBatch; stillLed: TopicPartition[] }> {
    const context = this.#context;
    context.shuttingDown.add(broker);
    const replicated = [...context.partitionsOn(broker)].filter(
      ({ topic, partition }) => context.replicas(topic, partition).length > 1 && !context.topicsToDelete.has(topic),
    );
    const leads = ({ topic, partition }: TopicPartition): boolean =>
      context.state(topic, partition)?.state.leader === broker;
    const batch = new RequestBatch(context);
    await this.#states.elect(
      replicated.filter(leads),
      (replicas, state, item) => electForShutdown(replicas, state, context.online(item), context.shuttingDown),
      batch,
    );
    for (const item of replicated.filter((candidate) => !leads(candidate))) {
      batch.stop(broker, item.topic, item.partition, false);
      await this.#states.removeReplica(item, broker, batch);
    }
    return { batch, stillLed: replicated.filter(leads) };
  }
}
