import type { Log } from '../../runtime/log.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { ControllerEpoch } from '../zk/controller-election.ts';
import type { KafkaZk } from '../zk/kafka-zk.ts';
import type { PartitionAssignment } from '../zk/znodes.ts';
import type { ControllerContext, TopicPartition } from './controller-context.ts';
import { electForReassignment } from './elections.ts';
import type { PartitionStates } from './partition-states.ts';
import { checkTarget, isBeingReassigned, isSame, originOf, reassignTo, targetOf } from './reassignment-plan.ts';
import { RequestBatch } from './request-batch.ts';

export interface ReassignmentsOptions {
  readonly zk: KafkaZk;
  readonly context: ControllerContext;
  readonly states: PartitionStates;
  readonly epoch: ControllerEpoch;
  readonly log: Log;
  readonly send: (batch: RequestBatch) => void;
}

interface Move extends TopicPartition {
  readonly assignment: PartitionAssignment;
}

const NOWHERE: PartitionAssignment = { replicas: [], addingReplicas: [], removingReplicas: [] };

/**
 * Partitions that move to other brokers (KIP-455, `KafkaController.onPartitionReassignment`):
 *
 *   asked ─▶ adding and removing replicas are written down, all of them have the partition ─ the targets are in sync ─▶ complete
 *                        └─ cancelled: asked to move back to where it was
 *
 * Targets that have no copy yet come in sync when they have fetched it; until then the move stays, visible and to be cancelled.
 */
export class Reassignments {
  readonly #options: ReassignmentsOptions;

  constructor(options: ReassignmentsOptions) {
    this.#options = options;
  }

  /** Moves to a target; without one, back. @throws KafkaError as the partition's answer */
  async ask(item: TopicPartition, target: readonly number[] | null, keepFactor = false): Promise<void> {
    const { context } = this.#options;
    const current = context.assignment(item.topic, item.partition) ?? NOWHERE;
    if (target !== null) checkTarget(current, target, context.live);
    if (target === null && !isBeingReassigned(current)) throw new KafkaError(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS);
    if (current.replicas.length === 0 || context.topicsToDelete.has(item.topic)) {
      throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'The partition does not exist.');
    }
    const origin = originOf(current);
    if (keepFactor && target !== null && target.length !== origin.length) {
      throw new KafkaError(
        ErrorCode.INVALID_REPLICATION_FACTOR,
        `The replication factor is changed from ${origin.length} to ${target.length}`,
      );
    }
    await this.#forgetRequest(item);
    await this.#begin(item, reassignTo(current, target ?? origin));
  }

  /** What tools wrote below /admin. What cannot be done is logged and forgotten. */
  async askedInZookeeper(onChange: () => void): Promise<void> {
    const { zk, context, log } = this.#options;
    for (const { topic, partition, replicas } of (await zk.adminRequests.reassignments(onChange)) ?? []) {
      const current = context.assignment(topic, partition) ?? NOWHERE;
      const next = reassignTo(current, replicas);
      if (isBeingReassigned(current) && isSame(current, next)) continue;
      if (current.replicas.length === 0 || replicas.length === 0 || context.topicsToDelete.has(topic)) {
        log.warn('a reassignment that was asked for in ZooKeeper cannot be done', { topic, partition, replicas });
        await this.#forgetRequest({ topic, partition });
      } else {
        await this.#begin({ topic, partition }, next);
      }
    }
  }

  /** Another controller began them, or a broker came that they need. */
  async goOn(needs: (target: readonly number[]) => boolean): Promise<void> {
    for (const item of this.#underWay(this.#options.context.partitions())) {
      if (needs(targetOf(item.assignment))) await this.#begin(item, item.assignment);
    }
  }

  /** After a change of the in-sync replicas. */
  async completeAmong(partitions: Iterable<TopicPartition>): Promise<void> {
    for (const item of this.#underWay(partitions)) {
      if (this.#isCaughtUp(item, item.assignment)) await this.#begin(item, item.assignment);
    }
  }

  #underWay(partitions: Iterable<TopicPartition>): Move[] {
    const { context } = this.#options;
    const moves: Move[] = [];
    for (const { topic, partition } of partitions) {
      const assignment = context.assignment(topic, partition);
      if (assignment === undefined || !isBeingReassigned(assignment) || context.topicsToDelete.has(topic)) continue;
      moves.push({ topic, partition, assignment });
    }
    return moves;
  }

  async #begin(item: TopicPartition, next: PartitionAssignment): Promise<void> {
    const { context, states, send } = this.#options;
    const batch = new RequestBatch(context);
    await this.#adopt(item, next, batch);
    // Nobody who lived had it, and so it has no records: whoever shall have it may lead.
    if (context.state(item.topic, item.partition) === undefined) await states.create([item], batch);
    if (this.#isCaughtUp(item, next)) await this.#complete(item, next, batch);
    else await this.#announce(item, next, batch);
    send(batch);
  }

  /** Who was to be added by an earlier request and is not any more goes at once. */
  async #adopt(item: TopicPartition, next: PartitionAssignment, batch: RequestBatch): Promise<void> {
    const current = this.#options.context.assignment(item.topic, item.partition) ?? NOWHERE;
    if (isSame(current, next)) return;
    await this.#write(item, next);
    await this.#remove(
      item,
      current.replicas.filter((id) => !next.replicas.includes(id)),
      batch,
    );
  }

  #isCaughtUp({ topic, partition }: TopicPartition, assignment: PartitionAssignment): boolean {
    if (!isBeingReassigned(assignment)) return true;
    const isr = this.#options.context.state(topic, partition)?.state.isr ?? [];
    return targetOf(assignment).every((id) => isr.includes(id));
  }

  /** The leader hears of the new replicas, and they of it. */
  async #announce(item: TopicPartition, { addingReplicas }: PartitionAssignment, batch: RequestBatch): Promise<void> {
    const { context, states } = this.#options;
    if (context.state(item.topic, item.partition) === undefined) return;
    await states.raiseEpoch(item, batch);
    for (const id of addingReplicas) {
      if (context.brokers.has(id)) batch.leaderAndIsrTo(id, item.topic, item.partition, true);
    }
  }

  /** In memory before the leader moves, on disk after the old replicas are gone: a controller that dies meanwhile does it again. */
  async #complete(item: TopicPartition, moved: PartitionAssignment, batch: RequestBatch): Promise<void> {
    const { context, states } = this.#options;
    const { topic, partition } = item;
    const replicas = targetOf(moved);
    const assignment: PartitionAssignment = { replicas, addingReplicas: [], removingReplicas: [] };
    context.setAssignment(topic, partition, assignment);
    const leader = context.state(topic, partition)?.state.leader ?? -1;
    if (replicas.includes(leader) && context.brokers.has(leader)) await states.raiseEpoch(item, batch);
    else await states.elect([item], (ids, state) => electForReassignment(ids, state, context.live), batch);
    await this.#remove(item, moved.removingReplicas, batch);
    await this.#write(item, assignment);
    await this.#forgetRequest(item);
  }

  async #remove(item: TopicPartition, ids: readonly number[], batch: RequestBatch): Promise<void> {
    for (const id of ids) {
      await this.#options.states.removeReplica(item, id, batch);
      batch.stop(id, item.topic, item.partition, true);
    }
  }

  async #write({ topic, partition }: TopicPartition, assignment: PartitionAssignment): Promise<void> {
    const { zk, context, epoch } = this.#options;
    context.setAssignment(topic, partition, assignment);
    const all = context.topics.get(topic);
    if (all !== undefined) await zk.setTopic(topic, all, epoch);
  }

  /** The latest request counts, whichever way it came, and a tool sees by its node that its own is done. */
  async #forgetRequest({ topic, partition }: TopicPartition): Promise<void> {
    const { adminRequests } = this.#options.zk;
    const asked = await adminRequests.reassignments();
    const rest = asked?.filter((one) => one.topic !== topic || one.partition !== partition) ?? [];
    if (asked !== undefined && rest.length < asked.length) {
      await adminRequests.keepReassignments(rest, this.#options.epoch);
    }
  }
}
