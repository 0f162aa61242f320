import { present } from '../../../base/assert.ts';
import { noSlices, type Slices } from '../../../base/slices.ts';
import { codecFor } from '../../../wire/codec.ts';
import { build } from '../../../wire/schema.ts';
import { Writer } from '../../../wire/writer.ts';
import type { PartitionLog } from '../../log/log.ts';
import { type LogRead, nothingToRead } from '../../log/read.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts';
import { batchesOf } from '../../records/batch.ts';
import { downConvert } from '../../records/convert.ts';
import type { Isolation, Partition } from '../../replication/partition.ts';
import { type ApiHandler, apiHandler, type RequestContext, type Responder } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import type { FetchSession, FetchTarget, SessionOutcome } from '../fetch-sessions.ts';
import { asKafkaError } from '../request-errors.ts';

type PartitionData = FetchResponse['responses'][number]['partitions'][number];

const READ_COMMITTED = 1;
/** Consumers are -1, and -2 for debugging; anything else is a broker that follows. */
const CONSUMER_REPLICA_ID = -1;

/** Reads from each partition within the request's limits; waits for `minBytes` as long as `maxWaitMs` allows. */
export function fetchHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: FetchRequest,
    response: FetchResponse,
    versions: '0-18',
    handle(request, context, responder) {
      const outcome = broker.fetchSessions.resolve({
        sessionId: request.sessionId,
        // Before v7 there were no sessions.
        sessionEpoch: context.apiVersion < 7 ? -1 : request.sessionEpoch,
        usesTopicIds: context.apiVersion >= 13,
        targets: targetsOf(request),
        forgotten: request.forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
          partitions.map((partition) => ({ topic, topicId, partition })),
        ),
      });
      if (outcome.kind === 'error') return responder.answer(build(FetchResponse, { errorCode: outcome.errorCode }));
      new FetchOperation(broker, request, context, responder, outcome).start();
    },
  });
}

function targetsOf(request: FetchRequest): FetchTarget[] {
  return request.topics.flatMap(({ topic, topicId, partitions }) =>
    partitions.map((asked) => ({
      topic,
      topicId,
      partition: asked.partition,
      fetchOffset: asked.fetchOffset,
      partitionMaxBytes: asked.partitionMaxBytes,
      currentLeaderEpoch: asked.currentLeaderEpoch,
      lastFetchedEpoch: asked.lastFetchedEpoch,
    })),
  );
}

/** What was found for one partition. */
interface Found {
  readonly target: FetchTarget;
  readonly errorCode: number;
  readonly log: PartitionLog | undefined;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  readonly read: LogRead | undefined;
  /** What there is to read within the limits; more than `read` has where a batch would have to be cut. */
  readonly readableBytes: number;
  records: Slices;
}

/** One fetch: read, wait if there is too little, read again, answer. */
class FetchOperation {
  readonly #broker: BrokerContext;
  readonly #request: FetchRequest;
  readonly #context: RequestContext;
  readonly #responder: Responder<FetchResponse>;
  readonly #targets: readonly FetchTarget[];
  readonly #session: FetchSession | undefined;
  readonly #isIncremental: boolean;
  readonly #isolation: Isolation;
  /** For the whole answer. */
  readonly #maxBytes: number;
  readonly #minBytes: number;

  constructor(
    broker: BrokerContext,
    request: FetchRequest,
    context: RequestContext,
    responder: Responder<FetchResponse>,
    outcome: Exclude<SessionOutcome, { kind: 'error' }>,
  ) {
    this.#broker = broker;
    this.#request = request;
    this.#context = context;
    this.#responder = responder;
    this.#targets = outcome.targets;
    this.#session = outcome.session;
    this.#isIncremental = outcome.kind === 'incremental';
    this.#isolation = request.isolationLevel === READ_COMMITTED ? 'committed' : 'high-watermark';
    const quotaBytes = this.#isFollower ? Infinity : broker.quotas.fetchBytesMax(context);
    this.#maxBytes = Math.min(request.maxBytes, broker.config.number('fetch.max.bytes'), quotaBytes);
    this.#minBytes = Math.min(request.minBytes, this.#maxBytes);
  }

  get #isFollower(): boolean {
    return replicaIdOf(this.#request) > CONSUMER_REPLICA_ID;
  }

  start(): void {
    const found = this.#readAll();
    if (this.#request.maxWaitMs <= 0 || this.#isEnough(found)) return this.#finish(found);
    const watched = this.#targets.flatMap((target) => this.#partitionOf(target) ?? []);
    this.#broker.fetchPurgatory.watch(
      { tryComplete: () => this.#tryAgain(), expire: () => this.#finish(this.#readAll()) },
      watched,
      this.#request.maxWaitMs,
    );
  }

  #tryAgain(): boolean {
    if (this.#context.isClosed()) return true;
    const found = this.#readAll();
    if (!this.#isEnough(found)) return false;
    this.#finish(found);
    return true;
  }

  /** Something to tell at once: enough bytes, an error, or nothing asked for. */
  #isEnough(found: readonly Found[]): boolean {
    if (found.length === 0) return true;
    let bytes = 0;
    for (const { errorCode, readableBytes } of found) {
      if (errorCode !== ErrorCode.NONE) return true;
      bytes += readableBytes;
    }
    return bytes >= this.#minBytes;
  }

  #partitionOf(target: FetchTarget): Partition | undefined {
    const topic = this.#topicOf(target);
    return topic === undefined ? undefined : this.#broker.replicas.partition(topic, target.partition);
  }

  #topicOf({ topic, topicId }: FetchTarget): string | undefined {
    return this.#context.apiVersion >= 13 ? this.#broker.metadata.topicName(topicId) : topic;
  }

  /** Within the limits of the whole answer, in the order that was asked. */
  #readAll(): Found[] {
    let left = this.#maxBytes;
    // From v3 on the first batch of the answer comes whole, however large (KIP-74); before, limits were hard.
    let minOneMessage = this.#context.apiVersion >= 3;
    return this.#targets.map((target) => {
      const found = this.#readOne(target, Math.min(left, target.partitionMaxBytes), minOneMessage);
      const bytes = found.read?.sizeInBytes ?? 0;
      if (bytes > 0) minOneMessage = false;
      left = Math.max(0, left - bytes);
      return found;
    });
  }

  #readOne(target: FetchTarget, maxBytes: number, minOneMessage: boolean): Found {
    const topic = this.#topicOf(target);
    try {
      if (topic === undefined) throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_ID);
      const partition = this.#broker.replicas.partition(topic, target.partition);
      if (partition === undefined) {
        const known = this.#broker.metadata.partition(topic, target.partition) !== undefined;
        throw new KafkaError(known ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      }
      if (this.#isFollower) {
        // Followers come with replication between brokers; until then nobody else has a replica of ours.
        throw new KafkaError(
          target.currentLeaderEpoch >= 0 ? ErrorCode.UNKNOWN_LEADER_EPOCH : ErrorCode.NOT_LEADER_OR_FOLLOWER,
        );
      }
      const log = partition.leaderLog(target.currentLeaderEpoch);
      const upTo = partition.limitOf(this.#isolation, log);
      // Between the high watermark and the end there is nothing to see yet, and that is no error.
      const readable = log.read(target.fetchOffset, { maxBytes, minOneMessage, upTo });
      // Consumers that find whole batches make progress with other partitions; older ones must see that one is too large.
      const read = readable.firstEntryIncomplete && this.#context.apiVersion >= 3 ? nothingToRead : readable;
      return {
        target,
        errorCode: ErrorCode.NONE,
        log,
        highWatermark: log.highWatermark,
        lastStableOffset: this.#context.apiVersion >= 4 ? log.lastStableOffset : -1,
        logStartOffset: log.logStartOffset,
        read,
        readableBytes: readable.sizeInBytes,
        records: read.kind === 'memory' ? read.records : noSlices,
      };
    } catch (error) {
      return this.#failed(target, error);
    }
  }

  #failed(target: FetchTarget, error: unknown): Found {
    const { code } = asKafkaError(error);
    if (!(error instanceof KafkaError)) throw error;
    return {
      target,
      errorCode: code,
      log: undefined,
      highWatermark: -1,
      lastStableOffset: -1,
      logStartOffset: -1,
      read: undefined,
      readableBytes: 0,
      records: noSlices,
    };
  }

  /**
   * Fetches what lies in files, then answers. The memory is lent until the answer has been sent, and nobody else gives it back:
   * where no answer is sent it is left to the collector.
   */
  #finish(found: Found[]): void {
    const reads = found.flatMap(({ read }, place) => (read?.kind === 'file' ? [{ read, place }] : []));
    if (reads.length === 0) return this.#answer(found, undefined);
    const loan = this.#broker.runtime.disk.buffers.lend(reads.map(({ read }) => read.sizeInBytes));
    let pending = reads.length;
    reads.forEach(({ read, place }, index) => {
      const one = present(found[place], 'a partition that was read');
      read.load(present(loan.buffers[index], 'memory for each read'), (error, records) => {
        if (error === undefined) one.records = records;
        else found[place] = this.#failed(one.target, error);
        pending -= 1;
        if (pending === 0) this.#answer(found, loan.giveBack);
      });
    });
  }

  #answer(found: readonly Found[], sent: (() => void) | undefined): void {
    if (this.#context.isClosed()) return;
    const throttleTimeMs = this.#broker.quotas.isCounting && !this.#isFollower ? this.#judge(found) : 0;
    if (throttleTimeMs > 0) return this.#responder.answer(this.#throttled(throttleTimeMs), sent);
    const responses: FetchResponse['responses'] = [];
    for (const one of found) {
      const data = this.#inReach(one, this.#describe(one));
      const facts = { ...data, recordBytes: data.records?.size ?? 0 };
      const isNews = this.#session?.tell(one.target, facts) ?? true;
      if (facts.recordBytes > 0) this.#session?.moveToEnd(one.target);
      if (!this.#isIncremental || isNews) add(responses, one, data);
    }
    this.#responder.answer(build(FetchResponse, { sessionId: this.#session?.id ?? 0, responses }), sent);
  }

  /** By the answer as it would be, before records are made smaller for old clients. */
  #judge(found: readonly Found[]): number {
    const responses: FetchResponse['responses'] = [];
    for (const one of found) {
      const data = this.#describe(one);
      const isNews = this.#session?.isNews(one.target, { ...data, recordBytes: one.records.size }) ?? true;
      if (!this.#isIncremental || isNews) add(responses, one, data);
    }
    const writer = new Writer();
    codecFor(FetchResponse, this.#context.apiVersion).write(writer, build(FetchResponse, { responses }));
    return this.#broker.quotas.fetched(this.#context, 4 + writer.size);
  }

  /** Nothing is answered but for how long; no session begins with it. */
  #throttled(throttleTimeMs: number): FetchResponse {
    if (this.#session !== undefined && !this.#isIncremental) this.#broker.fetchSessions.drop(this.#session);
    return build(FetchResponse, { throttleTimeMs, sessionId: (this.#isIncremental && this.#session?.id) || 0 });
  }

  #describe(one: Found): PartitionData {
    return {
      partitionIndex: one.target.partition,
      errorCode: one.errorCode,
      highWatermark: one.highWatermark,
      lastStableOffset: one.lastStableOffset,
      logStartOffset: one.logStartOffset,
      divergingEpoch: noEpoch,
      currentLeader: noLeader,
      snapshotId: noSnapshot,
      abortedTransactions: this.#abortedFor(one),
      preferredReadReplica: -1,
      records: one.records,
    };
  }

  /** Null where nobody asked; but Apache answers a partition that it does not know with an empty list, whoever asked. */
  #abortedFor(one: Found): PartitionData['abortedTransactions'] {
    const isUnknown =
      one.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION || one.errorCode === ErrorCode.UNKNOWN_TOPIC_ID;
    if (isUnknown) return [];
    return this.#isolation === 'committed' ? this.#abortedIn(one) : null;
  }

  #abortedIn({ log, target, records }: Found): { producerId: number; firstOffset: number }[] {
    if (log === undefined || records.size === 0) return [];
    let upperBound = target.fetchOffset;
    for (const { header } of batchesOf(records)) upperBound = header.lastOffset + 1;
    return log
      .abortedTransactions(target.fetchOffset, upperBound)
      .map(({ producerId, firstOffset }) => ({ producerId, firstOffset }));
  }

  /** Old clients get records in the format they know, or an error that they understand. */
  #inReach(one: Found, data: PartitionData): PartitionData {
    const { apiVersion } = this.#context;
    if (one.records.size === 0 || apiVersion >= 10) return data;
    const empty = (errorCode: number): PartitionData => ({ ...data, errorCode, records: noSlices });
    for (const { header } of batchesOf(one.records)) {
      if (header.codec === 'zstd') return empty(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE);
    }
    if (apiVersion >= 4) return data;
    if (one.log?.config.messageDownconversionEnable === false) return empty(ErrorCode.UNSUPPORTED_VERSION);
    const { slices } = downConvert(one.records, {
      magic: apiVersion <= 1 ? 0 : 1,
      firstOffset: one.target.fetchOffset,
    });
    return { ...data, records: slices };
  }
}

/** Partitions of one topic that follow each other stand together. */
function add(responses: FetchResponse['responses'], { target }: Found, data: PartitionData): void {
  const last = responses.at(-1);
  const { topic, topicId } = target;
  if (last !== undefined && last.topic === topic && last.topicId === topicId) last.partitions.push(data);
  else responses.push({ topic, topicId, partitions: [data] });
}

const noEpoch: PartitionData['divergingEpoch'] = { epoch: -1, endOffset: -1 };
const noLeader: PartitionData['currentLeader'] = { leaderId: -1, leaderEpoch: -1 };
const noSnapshot: PartitionData['snapshotId'] = { endOffset: -1, epoch: -1 };

/** From v15 on the follower's id stands beside its broker epoch. */
function replicaIdOf(request: FetchRequest): number {
  return Math.max(request.replicaId, request.replicaState.replicaId);
}
