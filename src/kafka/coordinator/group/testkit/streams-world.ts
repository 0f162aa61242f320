import assert from 'node:assert/strict';
import { build } from '../../../../wire/schema.ts';
import {
  StreamsGroupHeartbeatRequest,
  type StreamsGroupHeartbeatResponse,
} from '../../../protocol/messages/88-streams-group-heartbeat.ts';
import type { InternalTopic } from '../streams/configured-topology.ts';
import type { DescribedStreamsGroup } from '../streams/describe-streams.ts';
import type { StreamsSettings } from '../streams/streams-config.ts';
import { streamsGroupHeartbeat, streamsGroupOf } from '../streams/streams-requests.ts';
import { groupClient } from './group-client.ts';
import { GROUP, GroupWorld, type Pending } from './group-world.ts';
import { streamsDefaults, streamsSettings } from './streams-defaults.ts';

type Topology = NonNullable<StreamsGroupHeartbeatRequest['topology']>;
export type TaskMap = Readonly<Record<string, readonly number[]>>;

export type StreamsBeat = Partial<
  Omit<StreamsGroupHeartbeatRequest, 'activeTasks' | 'standbyTasks' | 'warmupTasks'>
> & {
  /** What the member says that it has; null: it does not say. */
  readonly owned?: { readonly active?: TaskMap; readonly standby?: TaskMap } | null;
  readonly version?: number;
};

/** An application that counts what is in `t`, and keeps the counts. */
export function counting(changelog = 'counts'): Topology {
  const topic = { name: changelog, partitions: 0, replicationFactor: 0, topicConfigs: [] };
  const nothing = {
    sourceTopicRegex: [],
    repartitionSinkTopics: [],
    repartitionSourceTopics: [],
    copartitionGroups: [],
  };
  const subtopology = { subtopologyId: '0', sourceTopics: ['t'], stateChangelogTopics: [topic], ...nothing };
  return { epoch: 0, subtopologies: [subtopology] };
}

/** A coordinator whose topic `t` has four partitions, and members of streams groups. Missing topics are made by hand. */
export class StreamsWorld extends GroupWorld {
  /** What the last heartbeat found missing. */
  missing: readonly InternalTopic[] = [];

  constructor(settings: Partial<StreamsSettings> = {}) {
    super();
    this.streams = { ...streamsDefaults, settings: () => ({ ...streamsSettings, ...settings }) };
    this.restart();
    this.image.set('t', 4);
  }

  asked(memberId: string, given: StreamsBeat = {}): Pending<StreamsGroupHeartbeatResponse> {
    const { owned, version = 1, ...fields } = given;
    const isJoin = (given.memberEpoch ?? 0) === 0;
    const told = owned === undefined ? (isJoin ? {} : null) : owned;
    const tasks = (map: TaskMap = {}) =>
      told &&
      Object.entries(map).map(([subtopologyId, partitions]) => ({ subtopologyId, partitions: [...partitions] }));
    const request = build(StreamsGroupHeartbeatRequest, {
      groupId: GROUP,
      memberId,
      processId: isJoin ? `process of ${memberId}` : null,
      rebalanceTimeoutMs: isJoin ? 30_000 : -1,
      topology: isJoin ? counting() : null,
      clientTags: isJoin ? [] : null,
      ...fields,
      activeTasks: tasks(told?.active),
      standbyTasks: tasks(told?.standby),
      warmupTasks: tasks(),
    });
    const pending: Pending<StreamsGroupHeartbeatResponse> = { answer: undefined, count: 0, loadCount: 0 };
    const client = groupClient({ apiVersion: version });
    streamsGroupHeartbeat(this.coordinator, request, client, (response, missing) => {
      pending.answer = response;
      pending.count += 1;
      this.missing = missing;
    });
    return pending;
  }

  beat(memberId: string, given: StreamsBeat = {}): StreamsGroupHeartbeatResponse {
    const { answer } = this.asked(memberId, given);
    assert.ok(answer, 'an answer');
    return answer;
  }

  described(): DescribedStreamsGroup {
    let found: DescribedStreamsGroup | undefined;
    streamsGroupOf(this.coordinator, GROUP, (group) => {
      found = group;
    });
    assert.ok(found, 'an answer');
    return found;
  }

  /** Active tasks by member, as described. */
  active(): Record<string, string[]> {
    return Object.fromEntries(
      this.described().members.map(({ memberId, assignment }) => [
        memberId,
        assignment.activeTasks.flatMap(({ subtopologyId, partitions }) =>
          partitions.map((one) => `${subtopologyId}_${one}`),
        ),
      ]),
    );
  }
}
