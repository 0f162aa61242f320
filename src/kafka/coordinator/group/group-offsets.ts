import type { Verification } from '../../log/verifications.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import type { OffsetCommitRequest } from '../../protocol/messages/08-offset-commit.ts';
import type { TxnOffsetCommitRequest } from '../../protocol/messages/28-txn-offset-commit.ts';
import { NO_PRODUCER_EPOCH, NO_PRODUCER_ID } from '../../records/batch.ts';
import type { TransactionOperation } from '../../replication/transaction-verifier.ts';
import type { BatchProducer } from '../coordinator-log.ts';
import { commitError, coordinatorError } from './append-errors.ts';
import { type ClassicGroup, CONSUMER_PROTOCOL } from './classic-group.ts';
import { decideForget, type TopicPartition } from './clean-up.ts';
import {
  type CommitErrors,
  checkCommit,
  checkTransactionalCommit,
  decideCommit,
  refuseCommit,
} from './commit-offsets.ts';
import {
  checkConsumerCommit,
  checkConsumerFetch,
  checkTransactionalConsumerCommit,
} from './consumer/consumer-offsets.ts';
import { type FetchedOffsets, fetchOffsets, type WantedTopics } from './fetch-offsets.ts';
import { type EnterTransaction, errorOf, type GroupHost } from './group-host.ts';
import type { GroupPartition } from './group-partition.ts';
import { forgetOwnedOffsets, type OffsetOwner } from './offset-owner.ts';
import { checkStreamsCommit, checkStreamsFetch, checkTransactionalStreamsCommit } from './streams/streams-offsets.ts';

const noProducer: BatchProducer = {
  producerId: NO_PRODUCER_ID,
  producerEpoch: NO_PRODUCER_EPOCH,
  verification: undefined,
};

const enterUnasked: EnterTransaction = (_partition, _writer, _operation, done) =>
  done({ errorCode: ErrorCode.NONE, verification: undefined });

/** Later versions of OffsetCommit name topics by id, and know groups that do not exist. */
const NEWEST_COMMIT_BY_NAME = 9;
/** Committed offsets, as clients ask for them. */
export class GroupOffsets {
  readonly #host: GroupHost;

  constructor(host: GroupHost) {
    this.#host = host;
  }

  /** The error codes come in the order of the request's topics and partitions. */
  commit(request: OffsetCommitRequest, answer: (errors: CommitErrors) => void, version = NEWEST_COMMIT_BY_NAME): void {
    this.#host.onGroup(request.groupId, (partition) => {
      const errorCode = errorOf(partition, () => this.#checkCommit(partition!, request, version));
      if (errorCode !== ErrorCode.NONE || partition === undefined) answer(refuseCommit(request, errorCode));
      else this.#append(partition, request, answer);
    });
  }

  #checkCommit(partition: GroupPartition, request: OffsetCommitRequest, version: number): number {
    const { groupId, generationIdOrMemberEpoch: generation } = request;
    if (partition.shareGroups.get(groupId) !== undefined) return ErrorCode.GROUP_ID_NOT_FOUND;
    const consumers = partition.consumers.get(groupId);
    if (consumers !== undefined) return checkConsumerCommit(consumers, request, version, this.#host.options.image);
    const streams = partition.streamsGroups.get(groupId);
    if (streams !== undefined) return checkStreamsCommit(streams, request, version);
    const known = partition.groups.get(groupId);
    if (known === undefined && generation >= 0) {
      return version > NEWEST_COMMIT_BY_NAME ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.ILLEGAL_GENERATION;
    }
    const group = known ?? partition.newGroup(groupId);
    const errorCode = checkCommit(group, request);
    const member = group.members.get(request.memberId);
    if (errorCode === ErrorCode.NONE && member !== undefined) partition.rebalancer.heard(member);
    return errorCode;
  }

  #append(partition: GroupPartition, request: OffsetCommitRequest, answer: (errors: CommitErrors) => void): void {
    const { records, errors } = decideCommit(request, this.#host.options.config, this.#host.options.clock.wallMs());
    if (records.length === 0) answer(errors(ErrorCode.NONE));
    else partition.append(records, (appended) => answer(errors(commitError(appended))), noProducer);
  }

  /** As `commit`, within a transaction: the offsets count when it is committed. */
  commitTransactional(
    request: TxnOffsetCommitRequest,
    operation: TransactionOperation,
    answer: (errors: CommitErrors) => void,
  ): void {
    this.#host.turns.run(() => {
      const { groupId } = request;
      const refuse = (errorCode: number): void => answer(refuseCommit(request, errorCode));
      const known = this.#host.partitionOf(groupId);
      const errorCode = groupId === '' ? ErrorCode.INVALID_GROUP_ID : errorOf(known);
      if (errorCode !== ErrorCode.NONE || known === undefined) return refuse(errorCode);
      // As in Apache's there is a group then, whatever the transaction's coordinator says.
      known.foundGroup(groupId);
      const enter = this.#host.options.enterTransaction ?? enterUnasked;
      enter(this.#host.partitionFor(groupId), request, operation, (entry) =>
        this.#host.onGroup(groupId, (partition) => {
          if (entry.errorCode !== ErrorCode.NONE) refuse(commitError(entry.errorCode));
          else this.#commitWithin(partition, request, entry.verification, answer);
        }),
      );
    });
  }

  /** The coordinator of the transaction may have taken its time: everything is looked at anew. */
  #commitWithin(
    partition: GroupPartition | undefined,
    request: TxnOffsetCommitRequest,
    verification: Verification | undefined,
    answer: (errors: CommitErrors) => void,
  ): void {
    const { producerId, producerEpoch } = request;
    const errorCode = errorOf(partition, () => this.#checkTransactionalCommit(partition!, request));
    if (errorCode !== ErrorCode.NONE || partition === undefined) return answer(refuseCommit(request, errorCode));
    const { records, errors } = decideCommit(request, this.#host.options.config, this.#host.options.clock.wallMs());
    if (records.length === 0) return answer(errors(ErrorCode.NONE));
    // Of no producer (-1) it is a commit like any other, as in Apache's.
    const producer = { producerId, producerEpoch, verification };
    partition.append(records, (appended) => answer(errors(commitError(appended))), producer);
  }

  #checkTransactionalCommit(partition: GroupPartition, request: TxnOffsetCommitRequest): number {
    const { groupId } = request;
    if (partition.shareGroups.get(groupId) !== undefined) return ErrorCode.GROUP_ID_NOT_FOUND;
    const consumers = partition.consumers.get(groupId);
    if (consumers !== undefined) return checkTransactionalConsumerCommit(consumers, request, this.#host.options.image);
    const streams = partition.streamsGroups.get(groupId);
    if (streams !== undefined) return checkTransactionalStreamsCommit(streams, request);
    return checkTransactionalCommit(partition.groups.get(groupId) ?? partition.newGroup(groupId), request);
  }

  fetch(
    groupId: string,
    topics: WantedTopics | null,
    requireStable: boolean,
    answer: (fetched: FetchedOffsets) => void,
    member: { readonly id: string | null; readonly epoch: number } = { id: null, epoch: -1 },
  ): void {
    this.#host.turns.run(() => {
      const partition = this.#host.partitionOf(groupId);
      const errorCode = errorOf(partition, () => checkFetch(partition!, groupId, member));
      if (errorCode !== ErrorCode.NONE || partition === undefined) answer({ errorCode, topics: [] });
      else {
        const inFlight = requireStable ? partition.inFlight(groupId).offsets : [];
        answer(fetchOffsets(partition.state, groupId, { topics, requireStable, inFlight }));
      }
    });
  }

  /** Error codes come in the order of the partitions. */
  delete(
    groupId: string,
    partitions: readonly TopicPartition[],
    answer: (errorCode: number, errors: readonly number[]) => void,
  ): void {
    this.#host.onGroup(groupId, (partition) => {
      const owner = partition?.offsetOwner(groupId);
      if (partition !== undefined && owner !== undefined) {
        this.#deleteOwned(partition, owner, partitions, answer);
        return;
      }
      const group = partition?.groups.get(groupId);
      const errorCode = groupId === '' ? ErrorCode.INVALID_GROUP_ID : errorOf(partition, () => deletable(group));
      if (errorCode !== ErrorCode.NONE || partition === undefined || group === undefined) {
        answer(errorCode, []);
        return;
      }
      const isConsumed = partitions.map(({ topic }) => group.state !== 'Empty' && group.isSubscribedTo(topic));
      const free = partitions.filter((_, index) => isConsumed[index] === false);
      const errorsWith = (deleted: number): number[] =>
        isConsumed.map((consumed) => (consumed ? ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC : deleted));
      if (free.length === 0) {
        answer(ErrorCode.NONE, errorsWith(ErrorCode.NONE));
        return;
      }
      const decision = decideForget(group, partition.state, partition.inFlight(groupId), free);
      partition.forget(group, decision, (appended) => answer(ErrorCode.NONE, errorsWith(coordinatorError(appended))));
    });
  }

  #deleteOwned(
    partition: GroupPartition,
    owner: OffsetOwner,
    partitions: readonly TopicPartition[],
    answer: (errorCode: number, errors: readonly number[]) => void,
  ): void {
    const free = partitions.filter(({ topic }) => !owner.isSubscribed(topic));
    const { state } = partition;
    const known = free.filter(
      ({ topic, partition: index }) =>
        state.offset(owner.id, topic, index) !== undefined || state.isPending(owner.id, topic, index),
    );
    const records = forgetOwnedOffsets(owner.id, known);
    const done = (appended: number): void =>
      answer(
        ErrorCode.NONE,
        partitions.map(({ topic }) => (owner.isSubscribed(topic) ? ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC : appended)),
      );
    partition.appendAlone(owner.id, records, (appended) => done(coordinatorError(appended)));
  }
}

/** Who says who it is must be what it says. */
function checkFetch(
  partition: GroupPartition,
  groupId: string,
  member: { readonly id: string | null; readonly epoch: number },
): number {
  const consumers = partition.consumers.get(groupId);
  if (consumers !== undefined) return checkConsumerFetch(consumers, member.id, member.epoch);
  const streams = partition.streamsGroups.get(groupId);
  return streams === undefined ? ErrorCode.NONE : checkStreamsFetch(streams, member.id, member.epoch);
}

/** Whether offsets of a group may be deleted at all: only consumers tell which topics they use. */
function deletable(group: ClassicGroup | undefined): number {
  if (group === undefined || group.state === 'Dead') return ErrorCode.GROUP_ID_NOT_FOUND;
  const knowsTopics = group.state === 'Empty' || group.protocolType === CONSUMER_PROTOCOL;
  return knowsTopics ? ErrorCode.NONE : ErrorCode.NON_EMPTY_GROUP;
}
