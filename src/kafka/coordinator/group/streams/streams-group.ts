import { LEAVE_EPOCH } from '../member-epochs.ts';
import { isReconciledTo, newMember, type StreamsMember, withCurrent, withMetadata } from './streams-member.ts';
import type { StreamsRecord } from './streams-records.ts';
import { assignmentOf, NOTHING_HELD, type TaskAssignment } from './tasks.ts';
import { sourceTopics, type Topology } from './topology.ts';

export type StreamsGroupState = 'Empty' | 'NotReady' | 'Assigning' | 'Reconciling' | 'Stable';

/** Until a group has an epoch of its own it counts as being in this one, and as assigned in it. */
const FIRST_EPOCH = 1;
const NOT_VALIDATED = -1;

/**
 * A streams group (KIP-1071) as the log has it: it changes by the replay of records and in no other way.
 *
 *   group epoch:   counts the changes of members, topics and settings
 *   target epoch:  the group epoch that tasks were last assigned for
 *   member epoch:  the target epoch that a member has come to
 */
export class StreamsGroup {
  readonly id: string;
  epoch = FIRST_EPOCH;
  metadataHash = 0n;
  /** Epoch of the topology whose topics were found to be in order; -1: none. */
  validatedTopologyEpoch = NOT_VALIDATED;
  /** What tasks were last assigned with. */
  assignmentConfigs: ReadonlyMap<string, string> = new Map();
  /** Kept as found: brokers with a plugin for topology descriptions (KIP-1331) write them. */
  descriptionEpochs = { stored: -1, failed: -1 };
  targetEpoch = FIRST_EPOCH;
  /** Wall time of the last target assignment; 0 where the next need not wait. */
  targetTimestampMs = 0;
  topology: Topology | undefined;
  readonly members = new Map<string, StreamsMember>();
  readonly targets = new Map<string, TaskAssignment>();
  /** Member ids by instance id. */
  readonly #instances = new Map<string, string>();

  constructor(id: string) {
    this.id = id;
  }

  get state(): StreamsGroupState {
    if (this.members.size === 0) return 'Empty';
    if (this.topology === undefined || this.topology.epoch !== this.validatedTopologyEpoch) return 'NotReady';
    if (this.epoch > this.targetEpoch) return 'Assigning';
    for (const member of this.members.values()) if (!isReconciledTo(member, this.targetEpoch)) return 'Reconciling';
    return 'Stable';
  }

  staticMember(instanceId: string | null): StreamsMember | undefined {
    const id = instanceId === null ? undefined : this.#instances.get(instanceId);
    return id === undefined ? undefined : this.members.get(id);
  }

  /** Topics that the application reads; nothing is read where nobody is. */
  isSubscribed(topic: string): boolean {
    if (this.members.size === 0) return false;
    return this.topology?.subtopologies.some((one) => sourceTopics(one).includes(topic)) === true;
  }

  /** Answers whether the group is gone now. */
  replay(record: StreamsRecord): boolean {
    switch (record.kind) {
      case 'streams-epoch':
        if (record.value === null) return true;
        this.epoch = record.value.epoch;
        this.metadataHash = record.value.metadataHash;
        this.validatedTopologyEpoch = record.value.validatedTopologyEpoch;
        this.assignmentConfigs = new Map((record.value.lastAssignmentConfigs ?? []).map((one) => [one.key, one.value]));
        this.descriptionEpochs = {
          stored: record.value.storedDescriptionTopologyEpoch,
          failed: record.value.failedDescriptionTopologyEpoch,
        };
        break;
      case 'streams-topology':
        this.topology = record.value ?? undefined;
        break;
      case 'streams-target-epoch':
        this.targetEpoch = record.value?.assignmentEpoch ?? -1;
        this.targetTimestampMs = record.value?.assignmentTimestamp ?? 0;
        break;
      case 'streams-member':
        if (record.value === null) this.#remove(record.member);
        else this.#update(withMetadata(this.#known(record.member), record.value));
        break;
      case 'streams-target':
        if (record.value === null) this.targets.delete(record.member);
        else this.targets.set(record.member, assignmentOf(record.value));
        break;
      case 'streams-current':
        if (record.value !== null) this.#update(withCurrent(this.#known(record.member), record.value));
        else if (this.members.has(record.member)) {
          const nothing = { assigned: NOTHING_HELD, revoking: NOTHING_HELD };
          this.#update({ ...this.#known(record.member), epoch: LEAVE_EPOCH, previousEpoch: LEAVE_EPOCH, ...nothing });
        }
        break;
      default:
        record satisfies never;
    }
    return false;
  }

  #known(id: string): StreamsMember {
    return this.members.get(id) ?? newMember(id);
  }

  #update(member: StreamsMember): void {
    this.#forgetInstance(member.id);
    this.members.set(member.id, member);
    if (member.instanceId !== null) this.#instances.set(member.instanceId, member.id);
  }

  #remove(id: string): void {
    this.#forgetInstance(id);
    this.members.delete(id);
  }

  /** Another may hold the instance by now. */
  #forgetInstance(id: string): void {
    const instanceId = this.members.get(id)?.instanceId ?? null;
    if (instanceId !== null && this.#instances.get(instanceId) === id) this.#instances.delete(instanceId);
  }
}
