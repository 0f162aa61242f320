import { Cluster } from '../../src/kafka/client/cluster.ts';
import { findCoordinator } from '../../src/kafka/client/coordinator.ts';
import { FetchedRecords } from '../../src/kafka/client/fetched-records.ts';
import { fetchOffsets } from '../../src/kafka/client/offsets.ts';
import { ErrorCode, errorOf, KafkaError } from '../../src/kafka/protocol/errors.ts';
import { FetchRequest, FetchResponse } from '../../src/kafka/protocol/messages/01-fetch.ts';
import { batchesOf } from '../../src/kafka/records/batch.ts';
import { ZERO_UUID } from '../../src/wire/schema.ts';
import { clientOptions, GROUP, pause, SOURCE, type TransactionActorOptions } from './transaction-actors.ts';
import type { Isolation, SeenRecord } from './transaction-history.ts';
import { must } from './violation.ts';

export interface Place {
  readonly topic: string;
  readonly partition: number;
}

interface Fetched {
  readonly records: readonly SeenRecord[];
  readonly position: number;
  readonly isAtEnd: boolean;
  /** Nothing is open: both kinds of readers see the same end. */
  readonly isStable: boolean;
}

const isolations: readonly Isolation[] = ['read_committed', 'read_uncommitted'];
const nameOf = ({ topic, partition }: Place): string => `${topic}-${partition}`;

/** Reads all partitions in both isolations, from the start and again, and asks what the group has read. */
export class TransactionReader {
  readonly #options: TransactionActorOptions;
  readonly #places: readonly Place[];
  readonly #cluster: Cluster;
  #isStopping = false;
  read = 0;

  constructor(places: readonly Place[], options: TransactionActorOptions) {
    this.#options = options;
    this.#places = places;
    this.#cluster = new Cluster(options.machine.runtime, { bootstrapServers: options.bootstrap, ...clientOptions });
  }

  stop(): void {
    this.#isStopping = true;
  }

  async run(): Promise<void> {
    const { random, machine, history } = this.#options;
    const positions = new Map<string, number>();
    while (!this.#isStopping) {
      const place = random.pick(this.#places);
      const isolation = random.pick(isolations);
      const key = `${isolation} ${nameOf(place)}`;
      try {
        const { records, position, isAtEnd } = await this.fetch(place, isolation, positions.get(key) ?? 0);
        for (const record of records) history.saw(isolation, nameOf(place), record);
        this.read += records.length;
        positions.set(key, random.chance(0.05) ? 0 : position);
        if (isAtEnd) await pause(machine, random.between(0, 60));
        if (random.chance(0.2)) await this.#lookAtGroup();
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error;
        must(error.code !== ErrorCode.OFFSET_OUT_OF_RANGE, () => `${key} ends before ${positions.get(key)}`);
        await pause(machine, 100);
      }
    }
  }

  async #lookAtGroup(): Promise<void> {
    for (const [source, offset] of await this.groupOffsets()) this.#options.history.sawGroupOffset(source, offset);
  }

  /** By source. @throws KafkaError */
  async groupOffsets(): Promise<Map<string, number>> {
    const wanted = this.#options.sources.map((partition) => ({ topic: SOURCE, partition }));
    const { id } = await findCoordinator(this.#cluster, GROUP, 'group');
    const found = await fetchOffsets(this.#cluster, id, GROUP, wanted);
    return new Map(found.map((each) => [nameOf(each), each.offset]));
  }

  persistently<T>(ask: () => Promise<T>): Promise<T> {
    return this.#cluster.retrying(ask, 60_000);
  }

  /** Everything, once nobody writes; no transaction may be open. */
  async readAll(place: Place, isolation: Isolation): Promise<SeenRecord[]> {
    const found: SeenRecord[] = [];
    for (let position = 0; ; ) {
      const fetched = await this.persistently(() => this.fetch(place, isolation, position));
      found.push(...fetched.records);
      must(fetched.isStable, () => `${nameOf(place)}: a transaction is open, and nobody writes any more`);
      if (fetched.isAtEnd) return found;
      must(fetched.position > position, () => `${nameOf(place)}: nothing comes from offset ${position} on`);
      position = fetched.position;
    }
  }

  /** @throws KafkaError */
  async fetch(place: Place, isolation: Isolation, position: number): Promise<Fetched> {
    const { topic, partition } = place;
    const readCommitted = isolation === 'read_committed';
    if (this.#cluster.leaderOf(topic, partition) < 0) await this.#cluster.topics([topic]);
    const node = this.#cluster.leaderOf(topic, partition);
    const asked = {
      ...{ partition, currentLeaderEpoch: -1, fetchOffset: position, lastFetchedEpoch: -1, logStartOffset: -1 },
      ...{ partitionMaxBytes: 8000, replicaDirectoryId: ZERO_UUID, highWatermark: Number.POSITIVE_INFINITY },
    };
    const answer = await this.#cluster.request({ node, lane: 'fetch' }, FetchRequest, FetchResponse, {
      ...{ maxWaitMs: 100, minBytes: 1, isolationLevel: readCommitted ? 1 : 0 },
      topics: [{ topic, topicId: ZERO_UUID, partitions: [asked] }],
    });
    const got = answer.responses[0]?.partitions[0];
    if (answer.errorCode !== ErrorCode.NONE) throw errorOf(answer.errorCode);
    if (got === undefined) return { records: [], position, isAtEnd: false, isStable: true };
    if (got.errorCode !== ErrorCode.NONE) throw errorOf(got.errorCode);
    const { highWatermark, lastStableOffset } = got;
    if (readCommitted) {
      this.#options.history.sawStableOffset(nameOf(place), lastStableOffset, highWatermark);
      for (const { header } of batchesOf(got.records ?? { chunks: [], size: 0 })) {
        must(header.lastOffset < lastStableOffset, () => `${nameOf(place)}: read beyond ${lastStableOffset}`);
      }
    }
    const fetched = new FetchedRecords(got, { topic, position, readCommitted, checkCrcs: true });
    const records: SeenRecord[] = [];
    for (let record = fetched.next(); record !== undefined; record = fetched.next()) {
      records.push({ offset: record.offset, value: Buffer.from(record.value ?? []).toString() });
    }
    const end = readCommitted ? lastStableOffset : highWatermark;
    const isStable = !readCommitted || lastStableOffset === highWatermark;
    return { records, position: fetched.position, isAtEnd: fetched.position >= end, isStable };
  }
}
