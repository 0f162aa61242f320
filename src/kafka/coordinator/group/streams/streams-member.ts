import type {
  StreamsGroupCurrentMemberAssignmentValue,
  StreamsGroupMemberMetadataValue,
} from '../../../protocol/records/streams-group.ts';
import { JOIN_EPOCH } from '../member-epochs.ts';
import {
  bySubtopology,
  type HeldAssignment,
  type HeldTasks,
  NOTHING_HELD,
  sameHeld,
  taskIds,
  tasksOf,
} from './tasks.ts';

/** How far a member is on its way to its target, as records hold it (`MemberState`). */
export const MemberState = {
  STABLE: 1,
  /** It must give up tasks before it may go on to the next epoch. */
  UNREVOKED_TASKS: 2,
  /** It waits for tasks that others have not given up yet. */
  UNRELEASED_TASKS: 3,
} as const;

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** One thread of a Streams application, as the log has it. Never changed: a change makes another. */
export interface StreamsMember {
  readonly id: string;
  readonly epoch: number;
  readonly previousEpoch: number;
  readonly state: number;
  readonly instanceId: string | null;
  readonly rackId: string | null;
  readonly clientId: string;
  /** As Java prints an address: `/127.0.0.1`. */
  readonly clientHost: string;
  readonly rebalanceTimeoutMs: number;
  readonly topologyEpoch: number;
  /** Threads of one process share it, and the state on its disk. */
  readonly processId: string;
  /** Where interactive queries are answered. */
  readonly userEndpoint: Endpoint | null;
  readonly clientTags: ReadonlyMap<string, string>;
  readonly assigned: HeldAssignment;
  readonly revoking: HeldAssignment;
}

export function newMember(id: string): StreamsMember {
  return {
    id,
    epoch: JOIN_EPOCH,
    previousEpoch: JOIN_EPOCH,
    state: MemberState.STABLE,
    instanceId: null,
    rackId: null,
    clientId: '',
    clientHost: '',
    rebalanceTimeoutMs: -1,
    topologyEpoch: -1,
    processId: '',
    userEndpoint: null,
    clientTags: new Map(),
    assigned: NOTHING_HELD,
    revoking: NOTHING_HELD,
  };
}

/** It has all that it is to have in this epoch. */
export function isReconciledTo(member: StreamsMember, targetEpoch: number): boolean {
  return member.state === MemberState.STABLE && member.epoch === targetEpoch;
}

// ---- records

export function metadataValue(member: StreamsMember): StreamsGroupMemberMetadataValue {
  return {
    instanceId: member.instanceId,
    rackId: member.rackId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    topologyEpoch: member.topologyEpoch,
    processId: member.processId,
    userEndpoint: member.userEndpoint && { ...member.userEndpoint },
    clientTags: tagList(member.clientTags),
  };
}

/** In the order of their keys. */
export function tagList(tags: ReadonlyMap<string, string>): { key: string; value: string }[] {
  return Array.from(tags, ([key, value]) => ({ key, value })).sort((a, b) => (a.key < b.key ? -1 : 1));
}

export function withMetadata(member: StreamsMember, value: StreamsGroupMemberMetadataValue): StreamsMember {
  const { clientTags, ...plain } = value;
  return { ...member, ...plain, clientTags: new Map(clientTags.map((tag) => [tag.key, tag.value])) };
}

export function currentValue(member: StreamsMember): StreamsGroupCurrentMemberAssignmentValue {
  const { assigned, revoking } = member;
  return {
    memberEpoch: member.epoch,
    previousMemberEpoch: member.previousEpoch,
    state: member.state,
    activeTasks: heldIds(assigned.active),
    standbyTasks: plainIds(assigned.standby),
    warmupTasks: plainIds(assigned.warmup),
    activeTasksPendingRevocation: heldIds(revoking.active),
    standbyTasksPendingRevocation: plainIds(revoking.standby),
    warmupTasksPendingRevocation: plainIds(revoking.warmup),
  };
}

type StoredTasks = StreamsGroupCurrentMemberAssignmentValue['activeTasks'];

function heldIds(held: HeldTasks): StoredTasks {
  return Array.from(held, ([subtopologyId, partitions]) => {
    const entries = [...partitions].sort(([a], [b]) => a - b);
    return {
      subtopologyId,
      partitions: entries.map(([partition]) => partition),
      assignmentEpochs: entries.map(([, epoch]) => epoch),
    };
  }).sort(bySubtopology);
}

function plainIds(tasks: HeldAssignment['standby']): StoredTasks {
  return taskIds(tasks).map((one) => ({ ...one, assignmentEpochs: [] }));
}

export function withCurrent(member: StreamsMember, value: StreamsGroupCurrentMemberAssignmentValue): StreamsMember {
  return {
    ...member,
    epoch: value.memberEpoch,
    previousEpoch: value.previousMemberEpoch,
    state: value.state,
    assigned: {
      active: heldTasks(value.activeTasks, value.memberEpoch),
      standby: tasksOf(value.standbyTasks),
      warmup: tasksOf(value.warmupTasks),
    },
    revoking: {
      active: heldTasks(value.activeTasksPendingRevocation, value.memberEpoch),
      standby: tasksOf(value.standbyTasksPendingRevocation),
      warmup: tasksOf(value.warmupTasksPendingRevocation),
    },
  };
}

/** Early releases stored no epochs: then it is the member's own. */
function heldTasks(stored: StoredTasks, memberEpoch: number): HeldTasks {
  return new Map(
    stored.map(({ subtopologyId, partitions, assignmentEpochs }) => {
      const epochs = assignmentEpochs?.length === partitions.length ? assignmentEpochs : undefined;
      return [
        subtopologyId,
        new Map(partitions.map((partition, index) => [partition, epochs?.[index] ?? memberEpoch])),
      ];
    }),
  );
}

// ---- comparisons

export function sameMetadata(a: StreamsMember, b: StreamsMember): boolean {
  const plain = (member: StreamsMember): string => JSON.stringify(metadataValue(member));
  return plain(a) === plain(b);
}

/** What a static member may not change without the group's tasks being assigned anew. */
export function sameForAssignment(a: StreamsMember, b: StreamsMember): boolean {
  const facts = ({ topologyEpoch, rackId, clientTags, processId }: StreamsMember): string =>
    JSON.stringify([topologyEpoch, rackId, tagList(clientTags), processId]);
  return facts(a) === facts(b);
}

export function sameEndpoint(a: Endpoint | null, b: Endpoint | null): boolean {
  return a?.host === b?.host && a?.port === b?.port;
}

export function sameCurrent(a: StreamsMember, b: StreamsMember): boolean {
  return (
    a.epoch === b.epoch &&
    a.previousEpoch === b.previousEpoch &&
    a.state === b.state &&
    sameHeld(a.assigned, b.assigned) &&
    sameHeld(a.revoking, b.revoking)
  );
}
