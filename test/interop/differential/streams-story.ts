/** One streams group on one broker: what is asked, what is answered, and what the broker writes of it. */
import { partitionFor } from '../../../src/kafka/coordinator/partition-for.ts';
import { ZERO_UUID } from '../../../src/wire/schema.ts';
import { PeerError, until } from '../peers/process.ts';
import { ConsumerStory, OFFSETS_PARTITIONS } from './consumer-story.ts';
import { type Answer, ask } from './raw-client.ts';

export type TaskMap = Readonly<Record<string, readonly number[]>>;

export interface TopicSpec {
  readonly name: string;
  readonly partitions?: number;
  readonly replicationFactor?: number;
  readonly configs?: Readonly<Record<string, string>>;
}

export interface SubtopologySpec {
  readonly sources?: readonly string[];
  readonly regex?: readonly string[];
  readonly sinks?: readonly string[];
  readonly repartition?: readonly TopicSpec[];
  readonly changelogs?: readonly TopicSpec[];
  /** Indexes of sources, and of repartition sources. */
  readonly together?: readonly (readonly [readonly number[], readonly number[]])[];
}

export interface StreamsBeat {
  readonly epoch?: number;
  readonly version?: number;
  readonly group?: string;
  readonly process?: string | null;
  readonly instanceId?: string | null;
  readonly rackId?: string | null;
  readonly rebalanceTimeoutMs?: number;
  readonly topology?: Readonly<Record<string, SubtopologySpec>> | null;
  readonly topologyEpoch?: number;
  readonly active?: TaskMap | null;
  readonly standby?: TaskMap | null;
  readonly warmup?: TaskMap | null;
  readonly endpoint?: { readonly host: string; readonly port: number };
  readonly endpointEpoch?: number;
  readonly tags?: Readonly<Record<string, string>>;
  readonly offsets?: readonly (readonly [subtopology: string, partition: number, offset: number])[];
  readonly ends?: readonly (readonly [subtopology: string, partition: number, offset: number])[];
  readonly shutdown?: boolean;
}

export interface DescribedStreams {
  readonly groupState: string;
  readonly assignmentEpoch: number;
  readonly members: readonly unknown[];
}

export interface StreamsTold {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly status: readonly { statusDetail: string }[] | null;
}

/** Counts what t holds, and keeps the counts. */
export const counting: Readonly<Record<string, SubtopologySpec>> = {
  0: { sources: ['t'], changelogs: [{ name: 'counts', configs: { 'cleanup.policy': 'compact' } }] },
};

export class StreamsStory extends ConsumerStory {
  #probes = 0;

  /** Other stories make topics meanwhile. */
  override learnTopics(): Promise<void> {
    return super.learnTopics((name) => /^[tuv]$/.test(name));
  }

  /** Internal topics are the group's own. */
  topicName(name: string): string {
    return /^[tuv]$|^no-/.test(name) ? name : `${this.group}-${name}`;
  }

  async streams(memberId: string, given: StreamsBeat = {}): Promise<Answer> {
    const { epoch = 0, version = 1 } = given;
    const isJoin = epoch === 0;
    const topology = given.topology === undefined ? (isJoin ? counting : null) : given.topology;
    const tasks = (told: TaskMap | null | undefined) => {
      const usual = isJoin ? {} : null;
      const map = told === undefined ? (given.active ? {} : usual) : told;
      return map && Object.entries(map).map(([subtopologyId, partitions]) => ({ subtopologyId, partitions }));
    };
    const offsets = (told: StreamsBeat['offsets']) =>
      told?.map(([subtopologyId, partition, offset]) => ({ subtopologyId, partition, offset })) ?? null;
    const what = `streams ${memberId} ${JSON.stringify({ ...given, topology: undefined })}`;
    return this.tell(what, 88, version, {
      groupId: given.group ?? this.group,
      memberId,
      memberEpoch: epoch,
      endpointInformationEpoch: given.endpointEpoch ?? 0,
      instanceId: given.instanceId ?? null,
      rackId: given.rackId ?? null,
      rebalanceTimeoutMs: given.rebalanceTimeoutMs ?? (isJoin ? 60_000 : -1),
      topology: topology && this.#topology(topology, given.topologyEpoch ?? 0),
      activeTasks: tasks(given.active),
      standbyTasks: tasks(given.standby),
      warmupTasks: tasks(given.warmup),
      processId: given.process === undefined ? (isJoin ? `process of ${memberId}` : null) : given.process,
      userEndpoint: given.endpoint ?? null,
      clientTags: given.tags ? Object.entries(given.tags).map(([key, value]) => ({ key, value })) : isJoin ? [] : null,
      taskOffsets: offsets(given.offsets),
      taskEndOffsets: offsets(given.ends),
      shutdownApplication: given.shutdown ?? false,
    });
  }

  #topology(specs: Readonly<Record<string, SubtopologySpec>>, epoch: number): object {
    const topic = ({ name, partitions = 0, replicationFactor = 0, configs = {} }: TopicSpec): object => ({
      name: this.topicName(name),
      partitions,
      replicationFactor,
      topicConfigs: Object.entries(configs).map(([key, value]) => ({ key, value })),
    });
    const subtopologies = Object.entries(specs).map(([subtopologyId, spec]) => ({
      subtopologyId,
      sourceTopics: (spec.sources ?? []).map((name) => this.topicName(name)),
      sourceTopicRegex: spec.regex ?? [],
      stateChangelogTopics: (spec.changelogs ?? []).map(topic),
      repartitionSinkTopics: (spec.sinks ?? []).map((name) => this.topicName(name)),
      repartitionSourceTopics: (spec.repartition ?? []).map(topic),
      copartitionGroups: (spec.together ?? []).map(([sourceTopics, repartitionSourceTopics]) => ({
        sourceTopics,
        sourceTopicRegex: [],
        repartitionSourceTopics,
      })),
    }));
    return { epoch, subtopologies };
  }

  describeStreams(version = 1, includeTopologyDescription = false): Promise<Answer> {
    const flags = { includeAuthorizedOperations: true, includeTopologyDescription };
    return this.tell('describe streams', 89, version, { groupIds: [this.group], ...flags });
  }

  /** Until topics that the broker makes are there, and it knows. */
  waitForTopics(...names: string[]): Promise<void> {
    return this.waitForTopicsOf(this.group, ...names);
  }

  /** As `waitForTopics`, for another group that reads them. */
  async waitForTopicsOf(reader: string, ...names: string[]): Promise<void> {
    const wanted = names.map((name) => ({ topicId: ZERO_UUID, name: this.topicName(name) }));
    // Asking for them must not make them.
    const request = { topics: wanted, allowAutoTopicCreation: false };
    await until(`${names} of ${this.group}`, async () => {
      const { topics } = (await ask(this.port, 3, 12, request)) as { topics?: { errorCode: number }[] };
      return topics?.every(({ errorCode }) => errorCode === 0) || undefined;
    });
    await this.#waitForCoordinator(reader, names);
    const told = (await ask(this.port, 3, 12, request)) as {
      topics: { name: string; topicId: string; partitions: unknown[] }[];
    };
    const found = told.topics.map(({ name, partitions }) => [name, partitions.length]);
    this.note('topics', found);
  }

  /** What serves Metadata may know of topics before the coordinator does: another group of its reads them. */
  async #waitForCoordinator(reader: string, names: readonly string[]): Promise<void> {
    let group = reader;
    do {
      this.#probes += 1;
      group = `${this.group}-probe-${this.#probes}`;
    } while (partitionFor(group, OFFSETS_PARTITIONS) !== partitionFor(reader, OFFSETS_PARTITIONS));
    await until(`the coordinator of ${reader} knows ${names}`, async () => {
      const { status } = (await ask(this.port, 88, 1, {
        groupId: group,
        memberId: 'probe',
        rebalanceTimeoutMs: 1000,
        topology: this.#topology({ 0: { sources: names } }, 0),
        activeTasks: [],
        standbyTasks: [],
        warmupTasks: [],
        processId: 'probe',
      })) as { status?: { statusCode: number }[] };
      return status?.length === 0 || undefined;
    });
  }

  /** Until what is told of the group is so. */
  async waitForStreams(what: string, isSo: (group: DescribedStreams) => boolean): Promise<void> {
    await until(`${this.group}: ${what}`, async () => {
      const { groups } = (await ask(this.port, 89, 1, { groupIds: [this.group] })) as { groups: DescribedStreams[] };
      return isSo(groups[0]!) || undefined;
    });
  }

  /** A heartbeat that says nothing; only the last answer counts. */
  async streamsUntil(
    memberId: string,
    given: StreamsBeat & { readonly epoch: number },
    isDone: (answer: StreamsTold) => boolean,
  ): Promise<void> {
    const { epoch, group = this.group } = given;
    const fields = { groupId: group, memberId, memberEpoch: epoch };
    const answer = await until(`${memberId} is told something`, async () => {
      const told = (await ask(this.port, 88, 1, fields)) as unknown as StreamsTold;
      if (told.errorCode !== 0) throw new PeerError(`${memberId} is refused: ${told.errorCode} ${told.errorMessage}`);
      return isDone(told) ? told : undefined;
    });
    this.note(`streams ${memberId} until`, answer);
  }

  async createTopic(name: string, numPartitions: number): Promise<void> {
    const topic = { name: this.topicName(name), numPartitions, replicationFactor: 1, assignments: [], configs: [] };
    await ask(this.port, 19, 7, { topics: [topic], timeoutMs: 10_000 });
    await this.waitForTopics(name);
  }
}
