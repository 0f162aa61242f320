import type { Family, Sample } from '../../../observability/exposition.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import type { RejectedRecords } from '../../records/validation.ts';
import type { AppendFigures } from '../../replication/append-figures.ts';
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

/** What comes into the topics and goes out (`BrokerTopicMetrics`). A topic is told of with what it ever had, as in Apache's. */
export class TopicMetrics implements AppendFigures {
  readonly #all = new Float64Array(names.length);
  /** By place; what was never counted is NaN. */
  readonly #byTopic = new Map<string, Float64Array>();

  asked(topic: string): void {
    this.#add(topic, places.TotalProduceRequests, 1);
  }

  /** Before there is a partition to ask. */
  refused(topic: string): void {
    this.asked(topic);
  }

  settled(topic: string, errorCode: number, sizeInBytes: number, recordCount: number): void {
    if (errorCode === ErrorCode.NONE) {
      this.#add(topic, places.BytesIn, sizeInBytes);
      this.#add(topic, places.MessagesIn, recordCount);
    } else if (errorCode === ErrorCode.MESSAGE_TOO_LARGE) this.#add(topic, places.BytesRejected, sizeInBytes);
    else if (!expected.has(errorCode)) this.#add(topic, places.FailedProduceRequests, 1);
  }

  /** Of all topics alone. */
  rejected({ fault, recordErrors }: RejectedRecords): void {
    if (fault !== undefined) this.#addToAll(places[faults[fault]], 1);
    for (const issue of recordErrors) if (issue.fault !== undefined) this.#addToAll(places[faults[issue.fault]], 1);
  }

  converted(topic: string, recordCount: number): void {
    this.#add(topic, places.ProduceMessageConversions, recordCount);
  }

  fetchAsked(topic: string): void {
    this.#add(topic, places.TotalFetchRequests, 1);
  }

  fetchFailed(topic: string, errorCode: number): void {
    if (!expectedOfFetches.has(errorCode)) this.#add(topic, places.FailedFetchRequests, 1);
  }

  fetched(topic: string, sizeInBytes: number): void {
    this.#add(topic, places.BytesOut, sizeInBytes);
  }

  stopsLeading(topic: string): void {
    const counts = this.#byTopic.get(topic);
    if (counts === undefined) return;
    for (const name of names) if (!ofFollowers.includes(name)) counts[places[name]] = Number.NaN;
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
      const value = counts[place]!;
      if (!Number.isNaN(value)) yield [[['topic', topic]], value];
    }
  }

  #add(topic: string, place: number, count: number): void {
    this.#addToAll(place, count);
    let counts = this.#byTopic.get(topic);
    if (counts === undefined) {
      counts = new Float64Array(names.length).fill(Number.NaN);
      this.#byTopic.set(topic, counts);
    }
    const before = counts[place]!;
    counts[place] = Number.isNaN(before) ? count : before + count;
  }

  #addToAll(place: number, count: number): void {
    this.#all[place]! += count;
  }
}
