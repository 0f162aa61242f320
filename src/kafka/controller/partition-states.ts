import type { Log } from '../../runtime/log.ts';
import { NO_LEADER } from '../replication/metadata-cache.ts';
import type { ControllerEpoch } from '../zk/controller-election.ts';
import { ControllerMovedError } from '../zk/controller-election.ts';
import type { KafkaZk, VersionedState } from '../zk/kafka-zk.ts';
import type { PartitionState } from '../zk/znodes.ts';
import type { ControllerContext, TopicPartition } from './controller-context.ts';
import { type Election, electNew, RECOVERED, RECOVERING } from './elections.ts';
import type { RequestBatch } from './request-batch.ts';

export type StateChange = Pick<PartitionState, 'isr' | 'leaderRecoveryState'>;

/** Chooses a leader from the replicas and the state; undefined: no change is possible. */
export type ElectionStrategy = (
  replicas: readonly number[],
  state: PartitionState,
  partition: TopicPartition,
) => Election | undefined;

/**
 * Moves partitions between their states, each change first in ZooKeeper and only then told to brokers
 * (`ZkPartitionStateMachine`).
 */
export class PartitionStates {
  readonly #zk: KafkaZk;
  readonly #context: ControllerContext;
  readonly #epoch: ControllerEpoch;
  readonly #log: Log;
  readonly #electedUncleanly: () => void;

  constructor(
    zk: KafkaZk,
    context: ControllerContext,
    epoch: ControllerEpoch,
    log: Log,
    electedUncleanly: () => void = () => undefined,
  ) {
    this.#electedUncleanly = electedUncleanly;
    this.#zk = zk;
    this.#context = context;
    this.#epoch = epoch;
    this.#log = log;
  }

  /** Gives new partitions their first leader. Those without a live replica stay new, and are tried again when a broker comes. */
  async create(partitions: readonly TopicPartition[], batch: RequestBatch): Promise<void> {
    await Promise.all(partitions.map(({ topic, partition }) => this.#createOne(topic, partition, batch)));
  }

  async #createOne(topic: string, partition: number, batch: RequestBatch): Promise<void> {
    const election = electNew(this.#context.replicas(topic, partition), this.#context.online({ topic, partition }));
    if (election === undefined) {
      this.#log.warn('a new partition has no live replica', { topic, partition });
      return;
    }
    const state: PartitionState = {
      leader: election.leader,
      leaderEpoch: 0,
      isr: election.isr,
      controllerEpoch: this.#epoch.epoch,
      leaderRecoveryState: RECOVERED,
    };
    if (await this.#zk.createPartition(this.#epoch, topic, partition, state)) {
      this.#context.setState(topic, partition, { state, zkVersion: 0 });
    } else {
      await this.#readAgain(topic, partition);
    }
    batch.leaderAndIsr(topic, partition, true);
  }

  /** Elects by a strategy; a state that somebody else changed meanwhile is read again and decided anew. */
  async elect(
    partitions: readonly TopicPartition[],
    strategy: ElectionStrategy,
    batch: RequestBatch,
  ): Promise<TopicPartition[]> {
    const elected = await Promise.all(
      partitions.map(async (item) => ((await this.#electOne(item, strategy, batch)) ? [item] : [])),
    );
    return elected.flat();
  }

  async #electOne(
    { topic, partition }: TopicPartition,
    strategy: ElectionStrategy,
    batch: RequestBatch,
  ): Promise<boolean> {
    for (;;) {
      const current = this.#context.state(topic, partition);
      if (current === undefined) return false;
      const election = strategy(this.#context.replicas(topic, partition), current.state, { topic, partition });
      if (election === undefined) return false;
      if (await this.#write(topic, partition, { ...current.state, ...election }, current.zkVersion)) {
        batch.leaderAndIsr(topic, partition, false);
        if (election.leaderRecoveryState === RECOVERING) this.#electedUncleanly();
        return true;
      }
      await this.#readAgain(topic, partition);
    }
  }

  /**
   * A replica is gone: it leaves the in-sync set unless it is the last, and if it led, nobody leads until an election.
   */
  async removeReplica({ topic, partition }: TopicPartition, broker: number, batch: RequestBatch): Promise<void> {
    for (;;) {
      const current = this.#context.state(topic, partition);
      if (current === undefined) return;
      const { leader, isr } = current.state;
      if (leader !== broker && !isr.includes(broker)) return;
      const remaining = isr.filter((id) => id !== broker);
      const state = {
        ...current.state,
        leader: leader === broker ? NO_LEADER : leader,
        isr: remaining.length > 0 ? remaining : isr,
      };
      if (await this.#write(topic, partition, state, current.zkVersion)) {
        batch.leaderAndIsr(topic, partition, false);
        return;
      }
      await this.#readAgain(topic, partition);
    }
  }

  /** The leader stays, and tells its replicas so in a new epoch: that is how it hears of another assignment (KIP-455). */
  async raiseEpoch(partition: TopicPartition, batch: RequestBatch): Promise<void> {
    await this.elect([partition], (_replicas, { leader, isr }) => ({ leader, isr }), batch);
  }

  /**
   * What a leader wants of its own state (KIP-497): the epoch stays. Undefined when somebody else wrote it meanwhile, as the
   * context then says.
   */
  async change({ topic, partition }: TopicPartition, wanted: StateChange): Promise<VersionedState | undefined> {
    const current = this.#context.state(topic, partition);
    if (current === undefined) return undefined;
    const state: PartitionState = { ...current.state, ...wanted, controllerEpoch: this.#epoch.epoch };
    const zkVersion = await this.#zk.setPartitionState(this.#epoch, topic, partition, state, current.zkVersion);
    if (zkVersion === undefined) {
      await this.#readAgain(topic, partition);
      return undefined;
    }
    const changed = { state, zkVersion };
    this.#context.setState(topic, partition, changed);
    return changed;
  }

  /** Writes with the next leader epoch; false when the version was stale. */
  async #write(topic: string, partition: number, state: PartitionState, expectedVersion: number): Promise<boolean> {
    const next: PartitionState = { ...state, leaderEpoch: state.leaderEpoch + 1, controllerEpoch: this.#epoch.epoch };
    const zkVersion = await this.#zk.setPartitionState(this.#epoch, topic, partition, next, expectedVersion);
    if (zkVersion === undefined) return false;
    this.#context.setState(topic, partition, { state: next, zkVersion });
    return true;
  }

  async #readAgain(topic: string, partition: number): Promise<void> {
    const read = await this.#zk.partitionState(topic, partition);
    if (read === undefined) return;
    if (read.state.controllerEpoch > this.#epoch.epoch) throw new ControllerMovedError();
    this.#context.setState(topic, partition, read);
  }
}
