import { present } from '../../base/assert.ts';
import { noSlices, type Slices } from '../../base/slices.ts';
import { codecFor } from '../../wire/codec.ts';
import { build } from '../../wire/schema.ts';
import { Writer } from '../../wire/writer.ts';
import type { PartitionLog } from '../log/log.ts';
import { type LogRead, nothingToRead, releaseRead } from '../log/read.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { type FetchRequest, FetchResponse } from '../protocol/messages/01-fetch.ts';
import { batchesOf } from '../records/batch.ts';
import type { Isolation, Partition } from '../replication/partition.ts';
import { AclOperation } from '../security/acl.ts';
import { everythingAllowed } from '../security/authorizer.ts';
import type { RequestContext, Responder } from './api-handler.ts';
import { allowedTopics, everyName, mayOnCluster, type Names, noName } from './authorization.ts';
import type { BrokerContext } from './broker-context.ts';
import { currentLeaderOf, endpointsOf, tellsLeader } from './current-leader.ts';
import type { FetchTarget, SessionOutcome } from './fetch-sessions.ts';
import {
  type Fetched,
  FIRST_VERSION_WITH_MAGIC_2,
  inReachOf,
  type PartitionData,
  partitionData,
  refusedPartition,
} from './fetched-partition.ts';
import { asKafkaError } from './request-errors.ts';

const READ_COMMITTED = 1;
/** Consumers are -1, and -2 for debugging; anything else is a broker that follows. */
const CONSUMER_REPLICA_ID = -1;
/** Before, limits were hard: a batch that does not fit is cut, and the consumer sees that one is too large (KIP-74). */
const FIRST_VERSION_WITH_WHOLE_BATCHES = 3;
export const FIRST_VERSION_WITH_TOPIC_IDS = 13;
const FIRST_VERSION_WITH_LEADERS = 16;

/** What was found for one partition. */
interface Found {
  readonly target: FetchTarget;
  readonly topic: string;
  readonly log: PartitionLog | undefined;
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  readonly read: LogRead | undefined;
  /** What was asked for at most. */
  readonly maxBytes: number;
  /** First offset that this reader may not see. */
  readonly upTo: number;
  /** What there is to read within the limits; more than `read` has where a batch would have to be cut. */
  readonly readableBytes: number;
  records: Slices;
}

/** What is told of a partition. */
interface Described {
  readonly target: FetchTarget;
  readonly data: PartitionData;
}

/** The same, with what was found of it: nothing for a partition that nobody knows. */
interface Told extends Described {
  readonly one: Found | undefined;
}

type Responses = FetchResponse['responses'];

interface Asked {
  readonly target: FetchTarget;
  readonly topic: string;
}

/** One fetch: read, wait if there is too little, read again, answer. */
export class FetchOperation {
  readonly #broker: BrokerContext;
  readonly #request: FetchRequest;
  readonly #context: RequestContext;
  readonly #responder: Responder<FetchResponse>;
  readonly #outcome: Exclude<SessionOutcome, { kind: 'error' }>;
  readonly #isolation: Isolation;
  /** Of the whole answer. */
  readonly #maxBytes: number;
  readonly #asked: Asked[] = [];
  /** Partitions that nobody knows, or that are not the client's to read: they come last, and no fetch waits or does not wait for their sake. */
  readonly #unknown: Described[] = [];
  /** To consumers these before the others. */
  readonly #unknownIds: Described[] = [];

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
    this.#outcome = outcome;
    this.#isolation = request.isolationLevel === READ_COMMITTED ? 'committed' : 'high-watermark';
    const quotaBytes = this.#isFollower ? Infinity : broker.quotas.fetchBytesMax(context);
    this.#maxBytes = Math.min(request.maxBytes, broker.config.number('fetch.max.bytes'), quotaBytes);
    const readable = this.#readable();
    for (const target of outcome.targets) this.#sort(target, readable);
  }

  get #isFollower(): boolean {
    return replicaIdOf(this.#request) > CONSUMER_REPLICA_ID;
  }

  #nameOf(target: FetchTarget): string | undefined {
    return this.#context.apiVersion >= FIRST_VERSION_WITH_TOPIC_IDS ? target.name : target.topic;
  }

  /** The topics that the client may read; a broker that copies them all, or none. */
  #readable(): Names {
    const broker = this.#broker;
    if (broker.authorizer === everythingAllowed) return everyName;
    if (!this.#isFollower) {
      const names = [...this.#outcome.targets].flatMap((target) => this.#nameOf(target) ?? []);
      return allowedTopics(broker, this.#context, AclOperation.read, names);
    }
    return mayOnCluster(broker, this.#context, AclOperation.clusterAction) ? everyName : noName;
  }

  #sort(target: FetchTarget, readable: Names): void {
    const { metadata } = this.#broker;
    const { partition } = target;
    const topic = this.#nameOf(target);
    const refused = (errorCode: number) => ({ target, data: refusedPartition(partition, errorCode) });
    if (readable === noName) this.#unknown.push(refused(ErrorCode.TOPIC_AUTHORIZATION_FAILED));
    else if (topic === undefined) {
      const list = this.#isFollower ? this.#unknown : this.#unknownIds;
      list.push(refused(ErrorCode.UNKNOWN_TOPIC_ID));
    } else if (!readable.has(topic)) {
      this.#unknown.push(refused(ErrorCode.TOPIC_AUTHORIZATION_FAILED));
    } else if (metadata.partition(topic, partition) === undefined) {
      this.#unknown.push(refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION));
    } else this.#asked.push({ target, topic });
  }

  start(): void {
    for (const { topic } of this.#asked) this.#broker.topicMetrics?.of(topic).fetchAsked();
    const found = this.#readAll();
    if (this.#request.maxWaitMs <= 0 || this.#isEnough(found)) return this.#finish(found);
    releaseAll(found);
    const watched = this.#asked.flatMap(({ topic, target }) => this.#partition(topic, target) ?? []);
    this.#broker.fetchPurgatory.watch(
      { tryComplete: () => this.#tryAgain(), expire: () => this.#finish(this.#readAll()) },
      watched,
      this.#request.maxWaitMs,
    );
  }

  #tryAgain(): boolean {
    if (this.#context.isClosed()) return true;
    const found = this.#readAll();
    if (!this.#isEnough(found)) {
      releaseAll(found);
      return false;
    }
    this.#finish(found);
    return true;
  }

  /** Something to tell at once: enough bytes, an error, records of an older segment, or nothing asked for. */
  #isEnough(found: readonly Found[]): boolean {
    if (found.length === 0) return true;
    let bytes = 0;
    for (const { errorCode, readableBytes } of found) {
      if (errorCode !== ErrorCode.NONE) return true;
      bytes += readableBytes;
    }
    return bytes >= Math.min(this.#request.minBytes, this.#maxBytes) || found.some(isBehindNewestSegment);
  }

  #partition(topic: string, target: FetchTarget): Partition | undefined {
    return this.#broker.replicas.partition(topic, target.partition);
  }

  /** Within the limits of the whole answer, in the order that was asked. */
  #readAll(): Found[] {
    let left = this.#maxBytes;
    // The first batch of the answer comes whole, however large.
    let minOneMessage = this.#context.apiVersion >= FIRST_VERSION_WITH_WHOLE_BATCHES;
    return this.#asked.map((asked) => {
      const found = this.#readOne(asked, Math.min(left, asked.target.partitionMaxBytes), minOneMessage);
      const bytes = found.read?.takenBytes ?? 0;
      if (bytes > 0) minOneMessage = false;
      left = Math.max(0, left - bytes);
      return found;
    });
  }

  #readOne(asked: Asked, maxBytes: number, minOneMessage: boolean): Found {
    const { target, topic } = asked;
    const { apiVersion } = this.#context;
    try {
      const partition = this.#partition(topic, target);
      if (partition === undefined) {
        const known = this.#broker.metadata.partition(topic, target.partition) !== undefined;
        throw new KafkaError(known ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      }
      const log = partition.leaderLog(target.currentLeaderEpoch);
      if (apiVersion >= FIRST_VERSION_WITH_TOPIC_IDS && (log.topicId ?? target.topicId) !== target.topicId) {
        throw new KafkaError(ErrorCode.INCONSISTENT_TOPIC_ID);
      }
      if (this.#isFollower) {
        // Followers come with replication between brokers; until then nobody else has a replica of ours.
        throw new KafkaError(
          target.currentLeaderEpoch >= 0 ? ErrorCode.UNKNOWN_LEADER_EPOCH : ErrorCode.NOT_LEADER_OR_FOLLOWER,
        );
      }
      const upTo = partition.limitOf(this.#isolation, log);
      // Between the high watermark and the end there is nothing to see yet, and that is no error.
      const readable = log.read(target.fetchOffset, { maxBytes, minOneMessage, upTo });
      // Consumers that find whole batches make progress with other partitions; older ones must see that one is too large.
      const isLeftOut = readable.firstEntryIncomplete && apiVersion >= FIRST_VERSION_WITH_WHOLE_BATCHES;
      const read = isLeftOut ? nothingToRead : readable;
      if (isLeftOut) releaseRead(readable);
      return {
        target,
        topic,
        log,
        errorCode: ErrorCode.NONE,
        highWatermark: log.highWatermark,
        lastStableOffset: log.lastStableOffset,
        logStartOffset: log.logStartOffset,
        read,
        maxBytes,
        upTo,
        readableBytes: readable.takenBytes,
        records: read.kind === 'memory' ? read.records : noSlices,
      };
    } catch (error) {
      return this.#failed(asked, error);
    }
  }

  #failed({ target, topic }: Asked, error: unknown): Found {
    const { code } = asKafkaError(error);
    if (!(error instanceof KafkaError)) throw error;
    this.#broker.topicMetrics?.of(topic).fetchFailed(code);
    return {
      target,
      topic,
      log: this.#partition(topic, target)?.log,
      errorCode: code,
      highWatermark: -1,
      lastStableOffset: -1,
      logStartOffset: -1,
      read: undefined,
      maxBytes: 0,
      upTo: 0,
      readableBytes: 0,
      records: noSlices,
    };
  }

  /**
   * Fetches what lies in files, then answers. All memory is held until the answer has been sent, and nobody else lets go of it:
   * where no answer is sent it is left to the collector.
   */
  #finish(found: Found[]): void {
    const held = found.map(({ read }) => read);
    const release = (): void => held.forEach(releaseRead);
    const reads = found.flatMap(({ read }, place) => (read?.kind === 'file' ? [{ read, place }] : []));
    if (reads.length === 0) return this.#answer(found, release);
    const loan = this.#broker.runtime.disk.buffers.lend(reads.map(({ read }) => read.sizeInBytes));
    let pending = reads.length;
    reads.forEach(({ read, place }, index) => {
      const one = present(found[place], 'a partition that was read');
      read.load(present(loan.buffers[index], 'memory for each read'), (error, records) => {
        if (error === undefined) one.records = records;
        else found[place] = this.#failed(one, error);
        pending -= 1;
        if (pending > 0) return;
        this.#answer(found, () => {
          release();
          loan.giveBack();
        });
      });
    });
  }

  #answer(found: readonly Found[], sent: () => void): void {
    if (this.#context.isClosed()) return;
    const { apiVersion, listenerName } = this.#context;
    const isFromFollower = this.#isFollower;
    const all = [
      ...found.map((one) => ({ target: one.target, one, data: this.#describe(one) })),
      ...[...this.#unknownIds, ...this.#unknown].map((unknown) => ({ ...unknown, one: undefined })),
    ];
    const throttleTimeMs = this.#broker.quotas.isCounting && !isFromFollower ? this.#judge(all) : 0;
    if (throttleTimeMs > 0) return this.#responder.answer(this.#throttled(throttleTimeMs), sent);
    const { sessionId, errorCode, isTold } = this.#inSession(all);
    const told = all.filter(({ target, data }) => isTold(target, data));
    const answer = (responses: Responses, whenSent: () => void): void => {
      const leaders = responses.flatMap(({ partitions }) => partitions.map(({ currentLeader }) => currentLeader));
      const nodeEndpoints = endpointsOf(this.#broker, leaders, listenerName);
      if (this.#broker.topicMetrics !== undefined) this.#countOut(told, responses);
      this.#responder.answer(build(FetchResponse, { errorCode, sessionId, responses, nodeEndpoints }), whenSent);
    };
    if (apiVersion < FIRST_VERSION_WITH_MAGIC_2) return this.#convert(told, sent, answer);
    const responses: Responses = [];
    for (const { target, one, data } of told) {
      add(responses, target, one === undefined ? data : inReachOf(apiVersion, fetchedOf(one, data, isFromFollower)));
    }
    answer(responses, sent);
  }

  /** What is told of each partition, in the order of `told`; nothing where it was not even looked for. */
  #countOut(told: readonly Told[], responses: Responses): void {
    const all = responses.flatMap(({ partitions }) => partitions);
    told.forEach(({ one }, place) => {
      if (one !== undefined) this.#broker.topicMetrics?.of(one.topic).fetched(all[place]?.records?.size ?? 0);
    });
  }

  /** Records of an old client are written anew, of all partitions at the same time. */
  #convert(
    told: readonly Told[],
    sent: () => void,
    answer: (responses: Responses, whenSent: () => void) => void,
  ): void {
    const isFromFollower = this.#isFollower;
    const converted = told.map(({ data }) => data);
    const givenBack = [sent];
    let pending = 1;
    const settle = (): void => {
      pending -= 1;
      if (pending > 0) return;
      const responses: Responses = [];
      told.forEach(({ target }, place) => {
        add(responses, target, present(converted[place], 'data of each partition'));
      });
      answer(responses, () => {
        for (const giveBack of givenBack) giveBack();
      });
    };
    told.forEach(({ one, data }, place) => {
      if (one === undefined) return;
      pending += 1;
      const fetched = fetchedOf(one, data, isFromFollower);
      this.#broker.conversions.convert(this.#context.apiVersion, fetched, (result, giveBack) => {
        converted[place] = result;
        if (giveBack !== undefined) givenBack.push(giveBack);
        settle();
      });
    });
    settle();
  }

  /** By the answer as it would be, before records are made smaller for old clients. */
  #judge(all: readonly Described[]): number {
    const outcome = this.#outcome;
    const isNews = ({ target, data }: Described): boolean =>
      outcome.kind === 'full' ||
      (outcome.session.epoch === outcome.epoch && outcome.session.isNews(target, factsOf(data)));
    const responses: FetchResponse['responses'] = [];
    for (const one of all) if (isNews(one)) add(responses, one.target, one.data);
    const writer = new Writer();
    codecFor(FetchResponse, this.#context.apiVersion).write(writer, build(FetchResponse, { responses }));
    return this.#broker.quotas.fetched(this.#context, 4 + writer.size);
  }

  /** Nothing is answered but for how long; no session begins with it. */
  #throttled(throttleTimeMs: number): FetchResponse {
    const outcome = this.#outcome;
    if (outcome.kind === 'full') return build(FetchResponse, { throttleTimeMs });
    const isPast = outcome.session.epoch !== outcome.epoch;
    const errorCode = isPast ? ErrorCode.INVALID_FETCH_SESSION_EPOCH : ErrorCode.NONE;
    return build(FetchResponse, { throttleTimeMs, errorCode, sessionId: outcome.session.id });
  }

  /** What the session, if there is one, makes of the answer: its id, and which partitions it names. */
  #inSession(all: readonly Described[]): {
    readonly sessionId: number;
    readonly errorCode: number;
    readonly isTold: (target: FetchTarget, data: PartitionData) => boolean;
  } {
    const outcome = this.#outcome;
    const errorCode = ErrorCode.NONE;
    if (outcome.kind === 'full') {
      const usesTopicIds = this.#context.apiVersion >= FIRST_VERSION_WITH_TOPIC_IDS;
      const entries = outcome.opens ? all.map(({ target, data }) => ({ target, facts: factsOf(data) })) : [];
      const sessionId = outcome.opens ? this.#broker.fetchSessions.open(entries, usesTopicIds) : 0;
      return { sessionId, errorCode, isTold: () => true };
    }
    const { session, epoch } = outcome;
    if (session.epoch !== epoch) {
      // The same request came twice, and the other one was answered meanwhile.
      return { sessionId: session.id, errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH, isTold: () => false };
    }
    return { sessionId: session.id, errorCode, isTold: (target, data) => session.tell(target, factsOf(data)) };
  }

  #describe(one: Found): PartitionData {
    const data = partitionData(one.target.partition, {
      errorCode: one.errorCode,
      highWatermark: one.highWatermark,
      lastStableOffset: one.lastStableOffset,
      logStartOffset: one.logStartOffset,
      abortedTransactions: this.#isolation === 'committed' ? abortedIn(one) : null,
      records: one.records,
    });
    if (this.#context.apiVersion < FIRST_VERSION_WITH_LEADERS || !tellsLeader(one.errorCode)) return data;
    return { ...data, currentLeader: currentLeaderOf(this.#broker, one.topic, one.target.partition) };
  }
}

function releaseAll(found: readonly Found[]): void {
  for (const { read } of found) releaseRead(read);
}

/** Partitions of one topic that follow each other stand together. */
function add(responses: FetchResponse['responses'], { topic, topicId }: FetchTarget, data: PartitionData): void {
  const last = responses.at(-1);
  if (last !== undefined && last.topic === topic && last.topicId === topicId) last.partitions.push(data);
  else responses.push({ topic, topicId, partitions: [data] });
}

function factsOf({ errorCode, highWatermark, logStartOffset, records }: PartitionData) {
  return { errorCode, highWatermark, logStartOffset, recordBytes: records?.size ?? 0 };
}

function fetchedOf({ log, target, read }: Found, data: PartitionData, isFromFollower: boolean): Fetched {
  const takenBytes = read?.takenBytes ?? 0;
  return { data, isFromFollower, config: log?.config, fetchOffset: target.fetchOffset, takenBytes };
}

/** Null for a partition that could not be read, or whose first batch is left out. */
function abortedIn(one: Found): PartitionData['abortedTransactions'] {
  const { log, errorCode, target, records, read, readableBytes, maxBytes, upTo } = one;
  if (log === undefined || errorCode !== ErrorCode.NONE) return null;
  if (read === nothingToRead && readableBytes > 0) return null;
  const { fetchOffset } = target;
  // Where there was something to read and the answer had no room for it, Apache tells of it all the same.
  if (records.size === 0 && fetchOffset >= upTo) return [];
  let endOffset = fetchOffset;
  for (const { header } of batchesOf(records)) endOffset = header.lastOffset + 1;
  return log
    .abortedTransactions({ fetchOffset, endOffset, sizeInBytes: records.size, maxBytes, upTo })
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset }));
}

/** Who reads behind the newest segment is answered with what that one segment has (`DelayedFetch`, case F). */
function isBehindNewestSegment({ log, target, upTo, readableBytes }: Found): boolean {
  if (log === undefined || readableBytes === 0) return false;
  return log.segments.some(({ baseOffset }) => baseOffset > target.fetchOffset && baseOffset < upTo);
}

/** From v15 on the follower's id stands beside its broker epoch. */
function replicaIdOf(request: FetchRequest): number {
  return Math.max(request.replicaId, request.replicaState.replicaId);
}
