import type { ShareRecord } from './share-records.ts';

/** Partitions by topic id. */
export type Assignment = ReadonlyMap<string, readonly number[]>;

export interface ShareMember {
  readonly id: string;
  readonly rackId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly topicNames: readonly string[];
  readonly epoch: number;
  readonly previousEpoch: number;
  readonly assigned: Assignment;
}

/** Partitions of one topic whose delivery state is being made, or is there. */
export interface TopicShares {
  readonly topicName: string;
  readonly partitions: readonly number[];
}

export type ShareGroupState = 'Empty' | 'Stable';

/** What the log says of one share group. Its members hold their partitions together, so that nothing has to be revoked first. */
export class ShareGroup {
  readonly id: string;
  epoch = 0;
  metadataHash = 0n;
  targetEpoch = 0;
  /** Wall time of the last target assignment. */
  targetTimestampMs = 0;
  readonly members = new Map<string, ShareMember>();
  readonly targets = new Map<string, Assignment>();
  /** By topic id. */
  initializing: ReadonlyMap<string, TopicShares> = new Map();
  initialized: ReadonlyMap<string, TopicShares> = new Map();
  deleting: ReadonlyMap<string, string> = new Map();
  #isKnown = false;

  constructor(id: string) {
    this.id = id;
  }

  get state(): ShareGroupState {
    return this.members.size === 0 ? 'Empty' : 'Stable';
  }

  get subscribedTopics(): Set<string> {
    return new Set([...this.members.values()].flatMap(({ topicNames }) => topicNames));
  }

  target(memberId: string): Assignment {
    return this.targets.get(memberId) ?? new Map();
  }

  /** Answers whether the group is gone now. */
  replay(record: ShareRecord): boolean {
    switch (record.kind) {
      case 'share-epoch':
        this.#isKnown = record.value !== null;
        this.epoch = record.value?.epoch ?? 0;
        this.metadataHash = record.value?.metadataHash ?? 0n;
        break;
      case 'share-target-epoch':
        this.targetEpoch = record.value?.assignmentEpoch ?? 0;
        this.targetTimestampMs = record.value?.assignmentTimestamp ?? 0;
        break;
      case 'share-member':
        if (record.value === null) this.members.delete(record.member);
        else this.#update(record.member, { ...record.value, topicNames: record.value.subscribedTopicNames });
        break;
      case 'share-target':
        if (record.value === null) this.targets.delete(record.member);
        else this.targets.set(record.member, assignmentOf(record.value.topicPartitions));
        break;
      case 'share-current':
        if (record.value !== null && this.members.has(record.member)) {
          const { memberEpoch, previousMemberEpoch, assignedPartitions } = record.value;
          this.#update(record.member, {
            epoch: memberEpoch,
            previousEpoch: previousMemberEpoch,
            assigned: assignmentOf(assignedPartitions),
          });
        }
        break;
      case 'share-partitions':
        this.initializing = sharesOf(record.value?.initializingTopics ?? []);
        this.initialized = sharesOf(record.value?.initializedTopics ?? []);
        this.deleting = new Map((record.value?.deletingTopics ?? []).map((one) => [one.topicId, one.topicName]));
        break;
      default:
        record satisfies never;
    }
    return !this.#isKnown && this.members.size === 0 && this.initialized.size === 0;
  }

  #update(id: string, change: Partial<ShareMember>): void {
    const { rackId, clientId, clientHost, topicNames, epoch, previousEpoch, assigned }: ShareMember = {
      ...(this.members.get(id) ?? newMember(id)),
      ...change,
    };
    this.members.set(id, { id, rackId, clientId, clientHost, topicNames, epoch, previousEpoch, assigned });
  }
}

export function newMember(id: string): ShareMember {
  return {
    id,
    rackId: null,
    clientId: '',
    clientHost: '',
    topicNames: [],
    epoch: 0,
    previousEpoch: 0,
    assigned: new Map(),
  };
}

export interface TopicPartitions {
  topicId: string;
  partitions: number[];
}

export function assignmentOf(topics: readonly TopicPartitions[]): Assignment {
  return new Map(topics.map(({ topicId, partitions }) => [topicId, partitions]));
}

export function topicPartitionsOf(assignment: Assignment): TopicPartitions[] {
  return [...assignment].map(([topicId, partitions]) => ({ topicId, partitions: [...partitions] }));
}

export function sameAssignment(a: Assignment, b: Assignment): boolean {
  if (a.size !== b.size) return false;
  return [...a].every(([topicId, partitions]) => String(partitions) === String(b.get(topicId)));
}

interface StoredShares {
  readonly topicId: string;
  readonly topicName: string;
  readonly partitions: readonly number[];
}

function sharesOf(topics: readonly StoredShares[]): Map<string, TopicShares> {
  return new Map(topics.map(({ topicId, topicName, partitions }) => [topicId, { topicName, partitions }]));
}
