import { ZERO_UUID } from '../../../../wire/schema.ts';
import { ErrorCode, errorInfo } from '../../../protocol/errors.ts';
import type {
  AlterShareGroupOffsetsRequest,
  AlterShareGroupOffsetsResponse,
} from '../../../protocol/messages/91-alter-share-group-offsets.ts';
import type { DeleteShareGroupOffsetsResponse } from '../../../protocol/messages/92-delete-share-group-offsets.ts';
import type { Outcome } from '../../share/share-coordinator.ts';
import type { ShareKey } from '../../share/share-key.ts';
import { writeError } from '../consumer/consumer-groups.ts';
import { partitionsRecord } from './partitions-record.ts';
import { shareTombstones } from './share-decisions.ts';
import { ShareGroup, type TopicShares } from './share-group.ts';
import type { ShareGroups } from './share-groups.ts';
import type { ShareRecord } from './share-records.ts';

/** Administration of where share groups are. Each is called while nothing of its group is being written. */

export interface OffsetsOutcome<R> {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly responses: R[];
}

type Altered = AlterShareGroupOffsetsResponse['responses'][number];
type Deleted = DeleteShareGroupOffsetsResponse['responses'][number];

const notHosted = {
  errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  errorMessage: errorInfo(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION).message,
};

export function refusedOffsets<R>(errorCode: number, errorMessage = errorInfo(errorCode).message): OffsetsOutcome<R> {
  return { errorCode, errorMessage, responses: [] };
}

const NOT_EMPTY = 'The group is not empty.';

/** An empty group begins elsewhere; one that does not exist comes into being. */
export function alterOffsets(
  groups: ShareGroups,
  request: AlterShareGroupOffsetsRequest,
  done: (outcome: OffsetsOutcome<Altered>) => void,
): void {
  const { groupId } = request;
  const { image, keeper, isTaken } = groups.options;
  const known = groups.get(groupId);
  if (known === undefined && isTaken(groupId)) return done(refusedOffsets(ErrorCode.GROUP_ID_NOT_FOUND));
  const group = known ?? new ShareGroup(groupId);
  if (group.members.size > 0) return done(refusedOffsets(ErrorCode.NON_EMPTY_GROUP, NOT_EMPTY));
  const altered = new Map<string, TopicShares>();
  const wanted: { readonly key: ShareKey; readonly startOffset: number }[] = [];
  const responses = request.topics.map(({ topicName, partitions }): Altered => {
    const topic = image.topic(topicName);
    return {
      topicName,
      topicId: topic?.id ?? ZERO_UUID,
      partitions: partitions.map(({ partitionIndex, startOffset }) => {
        if (topic === undefined || partitionIndex < 0 || partitionIndex >= topic.partitionCount) {
          return { partitionIndex, ...notHosted };
        }
        const others = altered.get(topic.id)?.partitions ?? [];
        altered.set(topic.id, { topicName, partitions: [...others, partitionIndex] });
        wanted.push({ key: { groupId, topicId: topic.id, partition: partitionIndex }, startOffset });
        return { partitionIndex, errorCode: ErrorCode.NONE, errorMessage: null };
      }),
    };
  });
  if (wanted.length === 0) return done({ errorCode: ErrorCode.NONE, errorMessage: null, responses });
  const epoch = group.epoch + 1;
  const records: ShareRecord[] = [
    { kind: 'share-epoch', group: groupId, value: { epoch, metadataHash: group.metadataHash } },
    {
      kind: 'share-target-epoch',
      group: groupId,
      value: { assignmentEpoch: epoch, assignmentTimestamp: groups.options.clock.wallMs() },
    },
    partitionsRecord(group, { initialized: altered }),
  ];
  groups.options.write(groupId, records, (errorCode) => {
    if (errorCode !== ErrorCode.NONE) return done(refusedOffsets(writeError(errorCode)));
    eachOf(
      wanted,
      ({ key, startOffset }, answer) => keeper.initialize(key, { stateEpoch: epoch, startOffset }, answer),
      (outcomes) => {
        for (const [index, { key }] of wanted.entries()) tell(responses, key, outcomes[index]!);
        done({ errorCode: ErrorCode.NONE, errorMessage: null, responses });
      },
    );
  });
}

function tell(responses: readonly Altered[], key: ShareKey, { errorCode, errorMessage }: Outcome): void {
  const topic = responses.find(({ topicId }) => topicId === key.topicId);
  const partition = topic?.partitions.find(({ partitionIndex }) => partitionIndex === key.partition);
  if (partition !== undefined) Object.assign(partition, { errorCode, errorMessage });
}

export function deleteOffsets(
  groups: ShareGroups,
  groupId: string,
  topicNames: readonly string[],
  done: (outcome: OffsetsOutcome<Deleted>) => void,
): void {
  const group = groups.get(groupId);
  if (group === undefined) return done(refusedOffsets(ErrorCode.GROUP_ID_NOT_FOUND, `Group ${groupId} not found.`));
  if (group.members.size > 0) return done(refusedOffsets(ErrorCode.NON_EMPTY_GROUP, NOT_EMPTY));
  const doomed = new Map<string, string>();
  const responses = topicNames.map((topicName): Deleted => {
    const topic = groups.options.image.topic(topicName);
    if (topic === undefined) return { topicName, topicId: ZERO_UUID, ...notHosted };
    if (!group.initialized.has(topic.id) && !group.initializing.has(topic.id)) {
      const { errorCode } = notHosted;
      return { topicName, topicId: ZERO_UUID, errorCode, errorMessage: 'There is no offset information to delete.' };
    }
    doomed.set(topic.id, topicName);
    return { topicName, topicId: topic.id, errorCode: ErrorCode.NONE, errorMessage: null };
  });
  const outcome = { errorCode: ErrorCode.NONE, errorMessage: null, responses };
  if (doomed.size === 0) return done(outcome);
  const keys = keysOf(group).filter(({ topicId }) => doomed.has(topicId));
  groups.options.write(groupId, [partitionsRecord(group, { deleting: doomed })], (errorCode) => {
    if (errorCode !== ErrorCode.NONE) return done(refusedOffsets(writeError(errorCode)));
    deleteState(groups, keys, (failure) => {
      if (failure !== undefined) {
        for (const one of responses) if (doomed.has(one.topicId)) Object.assign(one, failure);
        return done(outcome);
      }
      groups.options.turns.run(() =>
        groups.options.afterWrites(groupId, () => {
          const current = groups.get(groupId);
          if (current === undefined) return done(outcome);
          const gone = new Set(doomed.keys());
          groups.options.write(groupId, [partitionsRecord(current, { gone })], () => done(outcome));
        }),
      );
    });
  });
}

/** The group and all delivery state of it; members must have left. */
export function deleteShareGroup(groups: ShareGroups, group: ShareGroup, done: (errorCode: number) => void): void {
  if (group.members.size > 0) return done(ErrorCode.NON_EMPTY_GROUP);
  deleteState(groups, keysOf(group), (failure) => {
    if (failure !== undefined) return done(failure.errorCode);
    groups.options.turns.run(() =>
      groups.options.afterWrites(group.id, () => {
        const current = groups.get(group.id);
        if (current === undefined) return done(ErrorCode.NONE);
        if (current.members.size > 0) return done(ErrorCode.NON_EMPTY_GROUP);
        groups.options.write(group.id, shareTombstones(current), (errorCode) => {
          if (errorCode === ErrorCode.NONE) groups.forget(group.id);
          done(writeError(errorCode));
        });
      }),
    );
  });
}

function keysOf(group: ShareGroup): ShareKey[] {
  const all = [...group.initialized, ...group.initializing];
  return all.flatMap(([topicId, { partitions }]) =>
    partitions.map((partition) => ({ groupId: group.id, topicId, partition })),
  );
}

function deleteState(
  { options: { keeper } }: ShareGroups,
  keys: readonly ShareKey[],
  done: (failure: Outcome | undefined) => void,
): void {
  eachOf(
    keys,
    (key, answer: (outcome: Outcome) => void) => keeper.delete(key, answer),
    (outcomes) =>
      done(
        outcomes.find(
          ({ errorCode }) => errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        ),
      ),
  );
}

/** Asks about each, and goes on when all have answered. */
function eachOf<Q>(
  questions: readonly Q[],
  ask: (question: Q, answer: (outcome: Outcome) => void) => void,
  done: (outcomes: Outcome[]) => void,
): void {
  const outcomes: Outcome[] = [];
  let pending = questions.length;
  if (pending === 0) return done(outcomes);
  questions.forEach((question, index) => {
    ask(question, (outcome) => {
      outcomes[index] = outcome;
      pending -= 1;
      if (pending === 0) done(outcomes);
    });
  });
}
