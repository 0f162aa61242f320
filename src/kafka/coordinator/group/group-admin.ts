import { ErrorCode } from '../../protocol/errors.ts';
import { coordinatorError } from './append-errors.ts';
import { decideDelete } from './clean-up.ts';
import { writeError } from './consumer/consumer-groups.ts';
import {
  type DescribedConsumerGroup,
  describeConsumerGroup,
  listConsumerGroup,
  refusedConsumerGroup,
} from './consumer/describe-consumer.ts';
import {
  type DescribedGroup,
  deadGroup,
  describeGroup,
  type ListedGroup,
  listGroup,
  unavailableGroup,
} from './describe.ts';
import { whyNoGroup } from './described-group.ts';
import { errorOf, type GroupHost } from './group-host.ts';
import { deleteOwner } from './offset-owner.ts';
import { listShareGroup } from './share/describe-share.ts';
import { deleteShareGroup } from './share/share-offsets.ts';
import { listStreamsGroup } from './streams/describe-streams.ts';

/** What administrators ask about groups. Every method answers through its callback exactly once, now or later. */
export class GroupAdmin {
  readonly #host: GroupHost;

  constructor(host: GroupHost) {
    this.#host = host;
  }

  delete(groupId: string, answer: (errorCode: number) => void): void {
    this.#host.onGroup(groupId, (partition) => {
      const errorCode = errorOf(partition);
      const group = partition?.groups.get(groupId);
      const owner = partition?.offsetOwner(groupId);
      const shares = partition?.shareGroups.get(groupId);
      if (errorCode !== ErrorCode.NONE || partition === undefined) answer(errorCode);
      else if (shares !== undefined) deleteShareGroup(partition.shareGroups, shares, answer);
      else if (owner !== undefined) {
        if (owner.memberCount > 0) return answer(ErrorCode.NON_EMPTY_GROUP);
        const records = deleteOwner(owner, partition.state);
        partition.appendAlone(groupId, records, (appended) => answer(writeError(appended)));
      } else if (group === undefined || group.state === 'Dead') answer(ErrorCode.GROUP_ID_NOT_FOUND);
      else if (group.state !== 'Empty') answer(ErrorCode.NON_EMPTY_GROUP);
      else {
        const decision = decideDelete(group, partition.state, partition.inFlight(groupId));
        partition.forget(group, decision, (appended) => answer(coordinatorError(appended)));
      }
    });
  }

  describeConsumer(groupId: string, answer: (group: DescribedConsumerGroup) => void): void {
    this.#host.turns.run(() => {
      const partition = this.#host.partitionOf(groupId);
      const { image, consumers } = this.#host.options;
      const isRefused = !consumers.isEnabled || groupId === '';
      const refusal = consumers.isEnabled ? ErrorCode.INVALID_GROUP_ID : ErrorCode.UNSUPPORTED_VERSION;
      const errorCode = isRefused ? refusal : errorOf(partition);
      const group = partition?.consumers.get(groupId);
      if (errorCode !== ErrorCode.NONE) answer(refusedConsumerGroup(groupId, errorCode, null));
      else if (group !== undefined) answer(describeConsumerGroup(group, image, consumers.assignors[0]!));
      else {
        const why = whyNoGroup(groupId, 'consumer', partition?.kindOf(groupId) !== undefined);
        answer(refusedConsumerGroup(groupId, ErrorCode.GROUP_ID_NOT_FOUND, why));
      }
    });
  }

  /** `why` says why there is no such classic group. */
  describe(groupId: string, answer: (group: DescribedGroup, why?: string) => void): void {
    this.#host.turns.run(() => {
      const partition = this.#host.partitionOf(groupId);
      const errorCode = errorOf(partition);
      const group = partition?.groups.get(groupId);
      const kind = errorCode === ErrorCode.NONE ? partition?.kindOf(groupId) : undefined;
      if (kind !== undefined && kind !== 'classic') {
        return answer(deadGroup(groupId), `Group ${groupId} is not a classic group.`);
      }
      if (errorCode !== ErrorCode.NONE) answer(unavailableGroup(groupId, errorCode));
      else answer(group === undefined ? deadGroup(groupId) : describeGroup(group));
    });
  }

  /** What is loaded; the error tells if some of it is not yet. Filters are compared without case; an empty one lets all through. */
  list(
    filter: { readonly states: readonly string[]; readonly types: readonly string[] },
    answer: (errorCode: number, groups: readonly ListedGroup[]) => void,
  ): void {
    this.#host.turns.run(() => {
      const states = new Set(filter.states.map((state) => state.toLowerCase()));
      const isListed = (type: string): boolean =>
        filter.types.length === 0 || filter.types.some((one) => one.toLowerCase() === type);
      const hasState = (state: string): boolean => states.size === 0 || states.has(state.toLowerCase());
      const groups: ListedGroup[] = [];
      let errorCode: number = this.#host.isClosed() ? ErrorCode.COORDINATOR_NOT_AVAILABLE : ErrorCode.NONE;
      for (const partition of this.#host.partitions()) {
        if (partition.errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) errorCode = partition.errorCode;
        if (partition.errorCode !== ErrorCode.NONE) continue;
        for (const group of isListed('classic') ? partition.groups.values() : []) {
          if (hasState(group.state)) groups.push(listGroup(group));
        }
        for (const group of isListed('consumer') ? partition.state.consumerGroups.values() : []) {
          if (hasState(group.state)) groups.push(listConsumerGroup(group));
        }
        for (const group of isListed('share') ? partition.state.shareGroups.values() : []) {
          if (hasState(group.state)) groups.push(listShareGroup(group));
        }
        for (const group of isListed('streams') ? partition.state.streamsGroups.values() : []) {
          // Filters know this state by another name than answers do, as in Apache's broker.
          if (hasState(group.state === 'NotReady' ? 'not_ready' : group.state)) groups.push(listStreamsGroup(group));
        }
      }
      answer(errorCode, groups);
    });
  }
}
