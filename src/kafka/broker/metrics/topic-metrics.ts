import type { Family, Sample } from '../../../observability/exposition.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import type { RejectedRecords } from '../../records/validation.ts';
import type { AppendFigures, TopicFigures } from '../../replication/append-figures.ts';
import { counters } from './family.ts';

const names = [
  'MessagesIn',
  'BytesIn',
  'BytesOut',
  'BytesRejected',
  'TotalProduceRequests',
  'TotalFetchRequests',
  'FailedProduceRequests',
  'FailedFetchRequests',
  'ProduceMessageConversions',
  'InvalidMagicNumberRecords',
  'InvalidMessageCrcRecords',
  'InvalidOffsetOrSequenceRecords',
  'NoKeyCompactedTopicRecords',
] as const;
type Name = (typeof names)[number];

const places = Object.fromEntries(names.map((name, place) => [name, place])) as Record<Name, number>;

/** What a topic that has a new leader elsewhere keeps (`BrokerTopicStats.removeOldLeaderMetrics`). */
const ofFollowers: readonly Name[] = ['BytesOut', 'TotalFetchRequests', 'FailedFetchRequests'];

/** Refusals that Apache takes for the client's fault (`ReplicaManager.appendToLocalLog`): no request has failed with them. */
const expected: ReadonlySet<number> = new Set([
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.MESSAGE_TOO_LARGE,
  ErrorCode.RECORD_LIST_TOO_LARGE,
  ErrorCode.CORRUPT_MESSAGE,
  ErrorCode.KAFKA_STORAGE_ERROR,
]);
const expectedOfFetches: ReadonlySet<number> = new Set([
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.UNKNOWN_LEADER_EPOCH,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.REPLICA_NOT_AVAILABLE,
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.INCONSISTENT_TOPIC_ID,
  ErrorCode.OFFSET_OUT_OF_RANGE,
]);
const faults = {
  magic: 'InvalidMagicNumberRecords',
  crc: 'InvalidMessageCrcRecords',
  'offset-or-sequence': 'InvalidOffsetOrSequenceRecords',
  'no-key': 'NoKeyCompactedTopicRecords',
} as const satisfies Record<NonNullable<RejectedRecords['fault']>, Name>;

/** What comes into one topic and goes out of it; each counts for all of them too. */
export class TopicCounts implements TopicFigures {
  /** By place; what was never counted is NaN. */
  readonly #counts = new Float64Array(names.length).fill(Number.NaN);
  readonly #all: Float64Array;

  constructor(all: Float64Array) {
    this.#all = all;
  }

  asked(): void {
    this.#add(places.TotalProduceRequests, 1);
  }

  settled(errorCode: number, sizeInBytes: number, recordCount: number): void {
    if (errorCode === ErrorCode.NONE) {
      this.#add(places.BytesIn, sizeInBytes);
      this.#add(places.MessagesIn, recordCount);
    } else if (errorCode === ErrorCode.MESSAGE_TOO_LARGE) this.#add(places.BytesRejected, sizeInBytes);
    else if (!expected.has(errorCode)) this.#add(places.FailedProduceRequests, 1);
  }

  rejected({ fault, recordErrors }: RejectedRecords): void {
    if (fault !== undefined) this.#addToAll(places[faults[fault]], 1);
    for (const issue of recordErrors) if (issue.fault !== undefined) this.#addToAll(places[faults[issue.fault]], 1);
  }

  converted(recordCount: number): void {
    this.#add(places.ProduceMessageConversions, recordCount);
  }

  fetchAsked(): void {
    this.#add(places.TotalFetchRequests, 1);
  }

  fetchFailed(errorCode: number): void {
    if (!expectedOfFetches.has(errorCode)) this.#add(places.FailedFetchRequests, 1);
  }

  fetched(sizeInBytes: number): void {
    this.#add(places.BytesOut, sizeInBytes);
  }

  stopsLeading(): void {
    for (const name of names) if (!ofFollowers.includes(name)) this.#counts[places[name]] = Number.NaN;
  }

  /** Undefined of what was never counted. */
  at(place: number): number | undefined {
    const value = this.#counts[place]!;
    return Number.isNaN(value) ? undefined : value;
  }

  #add(place: number, count: number): void {
    this.#addToAll(place, count);
    this.#counts[place] = (this.at(place) ?? 0) + count;
  }

  #addToAll(place: number, count: number): void {
    this.#all[place]! += count;
  }
}

/** What comes into the topics and goes out (`BrokerTopicMetrics`). A topic is told of with what it ever had, as in Apache's. */
export class TopicMetrics implements AppendFigures {
  readonly #all = new Float64Array(names.length);
  readonly #byTopic = new Map<string, TopicCounts>();

  of(topic: string): TopicCounts {
    let counts = this.#byTopic.get(topic);
    if (counts === undefined) {
      counts = new TopicCounts(this.#all);
      this.#byTopic.set(topic, counts);
    }
    return counts;
  }

  stopsLeading(topic: string): void {
    this.#byTopic.get(topic)?.stopsLeading();
  }

  forget(topic: string): void {
    this.#byTopic.delete(topic);
  }

  *families(): Generator<Family> {
    for (const name of names)
      yield counters({ group: 'server', type: 'BrokerTopicMetrics', name }, this.#valuesOf(name));
  }

  *#valuesOf(name: Name): Generator<[labels: Sample['labels'], value: number]> {
    const place = places[name];
    yield [[], this.#all[place]!];
    for (const [topic, counts] of this.#byTopic) {
      const value = counts.at(place);
      if (value !== undefined) yield [[['topic', topic]], value];
    }
  }
}
