import { noSlices } from '../../../base/slices.ts';
import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import { fewBatchesOf } from '../../records/batch.ts';
import { CorruptBatchError } from '../../records/errors.ts';
import { checkProduceRecords } from '../../records/validate.ts';
import type { AppendOutcome } from '../../replication/partition.ts';
import { type ApiHandler, apiHandler, type RequestContext, type Responder } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { isInternal } from '../topic-names.ts';

type TopicData = ProduceRequest['topicData'][number];
type PartitionData = TopicData['partitionData'][number];
type PartitionResponse = ProduceResponse['responses'][number]['partitionResponses'][number];

/** The admin client of Apache may write internal topics; nobody else. */
const ADMIN_CLIENT_ID = '__admin_client';

/** Appends to each partition and answers when all of them are as safe as `acks` asks; with acks=0 nothing is answered. */
export function produceHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: ProduceRequest,
    response: ProduceResponse,
    versions: '0-13',
    overlaps: true,
    handle(request, context, responder) {
      if (request.transactionalId !== null) return refuseAll(request, responder, ErrorCode.INVALID_TXN_STATE);
      const rejected = rejectUnreadable(broker, request, context.apiVersion);
      if (rejected !== undefined) return refuseAll(request, responder, rejected.code, rejected.message);
      new ProduceOperation(broker, request, context, responder).start();
    },
  });
}

const FIRST_VERSION_OF_BATCHES = 3;
const FIRST_VERSION_WITH_ZSTD = 7;

interface Rejection {
  readonly code: number;
  readonly message: string | null;
}

/**
 * Apache looks for transactional records before anything else (`RequestUtils.hasTransactionalRecords`): a header that cannot be
 * read refuses the whole request. So does, where zstd is looked for, a codec that nobody knows.
 */
function rejectUnreadable(broker: BrokerContext, request: ProduceRequest, version: number): Rejection | undefined {
  const looksForZstd = version >= FIRST_VERSION_OF_BATCHES && version < FIRST_VERSION_WITH_ZSTD;
  let hasUnknownCodec = false;
  try {
    for (const { name, partitionData } of request.topicData) {
      for (const { index, records } of partitionData) {
        if (records === null) continue;
        for (const { header } of fewBatchesOf(records)) {
          if (looksForZstd && header.codec === undefined && header.magic === 2) {
            hasUnknownCodec ||= broker.metadata.partition(name, index) !== undefined;
          }
          if (header.isTransactional) return { code: ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, message: null };
        }
      }
    }
    return hasUnknownCodec ? { code: ErrorCode.UNKNOWN_SERVER_ERROR, message: null } : undefined;
  } catch (error) {
    if (error instanceof CorruptBatchError) return { code: ErrorCode.CORRUPT_MESSAGE, message: error.message };
    throw error;
  }
}

/** One request on its way through its partitions. */
class ProduceOperation {
  readonly #broker: BrokerContext;
  readonly #request: ProduceRequest;
  readonly #context: RequestContext;
  readonly #responder: Responder<ProduceResponse>;
  readonly #responses: ProduceResponse['responses'] = [];
  /** Partitions without an outcome, and one for `start` itself, so that no early outcome answers for all. */
  #pending = 1;
  #failed = false;

  constructor(
    broker: BrokerContext,
    request: ProduceRequest,
    context: RequestContext,
    responder: Responder<ProduceResponse>,
  ) {
    this.#broker = broker;
    this.#request = request;
    this.#context = context;
    this.#responder = responder;
  }

  start(): void {
    const nowMs = this.#broker.runtime.clock.wallMs();
    for (const topic of distinctPartitions(this.#request.topicData)) {
      // Each place is taken when its outcome is known.
      const partitionResponses = new Array<PartitionResponse>(topic.partitionData.length);
      this.#responses.push({ name: topic.name, topicId: topic.topicId, partitionResponses });
      const name = this.#context.apiVersion >= 13 ? this.#broker.metadata.topicName(topic.topicId) : topic.name;
      this.#pending += topic.partitionData.length;
      for (const [place, data] of topic.partitionData.entries()) {
        this.#append(name, data, nowMs, (outcome) => {
          partitionResponses[place] = respond(data.index, outcome);
          if (outcome.errorCode !== ErrorCode.NONE) this.#failed = true;
          this.#settle();
        });
      }
    }
    this.#settle();
  }

  #append(topic: string | undefined, data: PartitionData, nowMs: number, done: (outcome: AppendOutcome) => void): void {
    if (topic === undefined) return done(refused(ErrorCode.UNKNOWN_TOPIC_ID));
    if (this.#broker.metadata.partition(topic, data.index) === undefined) {
      return done(refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION));
    }
    const { records } = data;
    const rejected = checkProduceRecords(this.#context.apiVersion, records ?? noSlices);
    if (rejected !== undefined) return done(refused(rejected.code));
    const { acks } = this.#request;
    if (acks < -1 || acks > 1) return done(refused(ErrorCode.INVALID_REQUIRED_ACKS));
    if (isInternal(topic) && this.#context.clientId !== ADMIN_CLIENT_ID) {
      return done(refused(ErrorCode.INVALID_TOPIC_EXCEPTION));
    }
    const partition = this.#broker.replicas.partition(topic, data.index);
    if (partition === undefined || records === null) return done(refused(ErrorCode.NOT_LEADER_OR_FOLLOWER));
    partition.append({ records, acks, origin: 'client', nowMs, done });
  }

  #settle(): void {
    this.#pending -= 1;
    if (this.#pending > 0) return;
    if (this.#request.acks !== 0) return this.#responder.answer(build(ProduceResponse, { responses: this.#responses }));
    // Nobody asked for an answer; a closed connection is the only way to say that something went wrong.
    if (this.#failed) this.#responder.close('a produce request with acks=0 failed');
    else this.#responder.none();
  }
}

/** Where a partition is named twice the last counts, in the place of the first. */
function distinctPartitions(topics: readonly TopicData[]): TopicData[] {
  const merged = new Map<string, Map<number, PartitionData>>();
  return topics
    .map((topic) => {
      const key = topic.name === '' ? topic.topicId : topic.name;
      const isFirst = !merged.has(key);
      const partitions = merged.get(key) ?? new Map<number, PartitionData>();
      merged.set(key, partitions);
      for (const data of topic.partitionData) partitions.set(data.index, data);
      return { topic, partitions, isFirst };
    })
    .filter(({ isFirst }) => isFirst)
    .map(({ topic, partitions }) => ({ ...topic, partitionData: [...partitions.values()] }));
}

function refuseAll(
  request: ProduceRequest,
  responder: Responder<ProduceResponse>,
  errorCode: number,
  errorMessage: string | null = null,
): void {
  if (request.acks === 0) return responder.close('a produce request with acks=0 was refused');
  responder.answer(
    build(ProduceResponse, {
      responses: request.topicData.map(({ name, topicId, partitionData }) => ({
        name,
        topicId,
        partitionResponses: partitionData.map(({ index }) => respond(index, { ...refused(errorCode), errorMessage })),
      })),
    }),
  );
}

function refused(errorCode: number): AppendOutcome {
  return { errorCode, errorMessage: null, recordErrors: [], firstOffset: -1, logAppendTimeMs: -1, logStartOffset: -1 };
}

const noErrors: PartitionResponse['recordErrors'] = [];
const unknownLeader: PartitionResponse['currentLeader'] = { leaderId: -1, leaderEpoch: -1 };

function respond(index: number, outcome: AppendOutcome): PartitionResponse {
  return {
    index,
    errorCode: outcome.errorCode,
    baseOffset: outcome.firstOffset,
    logAppendTimeMs: outcome.logAppendTimeMs,
    logStartOffset: outcome.logStartOffset,
    recordErrors:
      outcome.recordErrors.length === 0
        ? noErrors
        : outcome.recordErrors.map(({ batchIndex, message }) => ({ batchIndex, batchIndexErrorMessage: message })),
    errorMessage: outcome.errorMessage,
    currentLeader: unknownLeader,
  };
}
