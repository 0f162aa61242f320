import { copyOf, noSlices, type Slices, slicesOf } from '../../../base/slices.ts';
import { build } from '../../../wire/schema.ts';
import type { TransactionRules } from '../../log/append.ts';
import { ErrorCode, errorInfo } from '../../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import type { BatchHeader } from '../../records/batch.ts';
import { checkProduceRecords } from '../../records/validate.ts';
import type { AppendOutcome } from '../../replication/append-outcome.ts';
import type { AppendSender, LeaderAppend } from '../../replication/partition.ts';
import type { Entry } from '../../replication/transaction-gate.ts';
import type { TransactionOperation } from '../../replication/transaction-verifier.ts';
import { type ApiHandler, apiHandler, type RequestContext, type Responder } from '../api-handler.ts';
import type { Names } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { distinctPartitions, rejectWhole, transactionalHeader, writableTopics } from '../produce-checks.ts';
import { isInternal } from '../topic-names.ts';

type TopicData = ProduceRequest['topicData'][number];
type PartitionData = TopicData['partitionData'][number];
type PartitionResponse = ProduceResponse['responses'][number]['partitionResponses'][number];

/** The admin client of Apache may write internal topics; nobody else. */
const ADMIN_CLIENT_ID = '__admin_client';

const KNOWS_ABORTABLE_FROM = 11;
const ADDS_PARTITIONS_FROM = 12;

/**
 * Appends to each partition and answers when all of them are as safe as `acks` asks; with acks=0 nothing is answered. Within a
 * transaction from v11 on clients know TRANSACTION_ABORTABLE, from v12 on the partitions are added to it here (KIP-890).
 */
export function produceHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: ProduceRequest,
    response: ProduceResponse,
    versions: '0-13',
    overlaps: true,
    borrows: true,
    handle(request, context, responder) {
      const writable = writableTopics(broker, context, request.topicData);
      const rejected = rejectWhole(broker, context, request, writable);
      if (rejected !== undefined) {
        return refuseAll(request, responder, { ...refused(rejected.code), errorMessage: rejected.message });
      }
      new ProduceOperation(broker, request.acks, context, responder).start(request, writable);
    },
  });
}

/** One partition's part of a request: what is to be appended, and the place of its answer. */
class PartitionAppend implements LeaderAppend {
  readonly topic: string;
  readonly partition: number;
  readonly origin = 'client';
  records: Slices;
  /** Read when the records are accepted. */
  firstHeader: BatchHeader | undefined;
  rules: TransactionRules = noRules;
  readonly #operation: ProduceOperation;
  readonly #answers: PartitionResponse[];
  readonly #place: number;

  constructor(
    operation: ProduceOperation,
    topic: string,
    { index, records }: PartitionData,
    answers: PartitionResponse[],
    place: number,
  ) {
    this.topic = topic;
    this.partition = index;
    this.records = records ?? noSlices;
    this.#operation = operation;
    this.#answers = answers;
    this.#place = place;
  }

  get acks(): number {
    return this.#operation.acks;
  }

  get nowMs(): number {
    return this.#operation.nowMs;
  }

  get sender(): AppendSender {
    return this.#operation.sender;
  }

  done(outcome: AppendOutcome): void {
    this.#answers[this.#place] = respond(this.partition, outcome);
    this.#operation.settled(outcome.errorCode);
  }
}

/** One request on its way through its partitions. It keeps nothing of the request: collections would copy it until the answer. */
class ProduceOperation {
  readonly acks: number;
  readonly nowMs: number;
  readonly #broker: BrokerContext;
  readonly #context: RequestContext;
  readonly #responder: Responder<ProduceResponse>;
  #responses: ProduceResponse['responses'] = [];
  /** Partitions without an outcome, and one for `start` itself, so that no early outcome answers for all. */
  #pending = 1;
  #failed = false;

  constructor(broker: BrokerContext, acks: number, context: RequestContext, responder: Responder<ProduceResponse>) {
    this.#broker = broker;
    this.#context = context;
    this.#responder = responder;
    this.acks = acks;
    this.nowMs = broker.runtime.clock.wallMs();
  }

  /** The connection, which waits with what follows. */
  get sender(): AppendSender {
    return this.#context;
  }

  start(request: ProduceRequest, writable: Names): void {
    const { transactionalId } = request;
    const topics = distinctPartitions(request.topicData);
    // Each place is taken when its outcome is known.
    this.#responses = topics.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: new Array<PartitionResponse>(partitionData.length),
    }));
    const transactional: PartitionAppend[] = [];
    for (let index = 0; index < topics.length; index += 1) {
      const { name, topicId, partitionData } = topics[index]!;
      const answers = this.#responses[index]!.partitionResponses;
      const topic = this.#context.apiVersion >= 13 ? this.#broker.metadata.topicName(topicId) : name;
      const isDenied = topic !== undefined && !writable.has(topic);
      this.#pending += partitionData.length;
      for (let place = 0; place < partitionData.length; place += 1) {
        const data = partitionData[place]!;
        const one = new PartitionAppend(this, topic ?? '', data, answers, place);
        const refusal = topic === undefined ? ErrorCode.UNKNOWN_TOPIC_ID : this.#accept(one, data, isDenied);
        if (refusal !== ErrorCode.NONE) one.done(refused(refusal));
        else if (transactionalId === null) this.#append(one);
        else transactional.push(one);
      }
    }
    if (transactionalId !== null && !this.#appendWithin(transactionalId, transactional, request)) return;
    this.settled(ErrorCode.NONE);
  }

  /** Whether the records may be appended, as far as the request itself tells: an error code. */
  #accept(one: PartitionAppend, { records }: PartitionData, isDenied: boolean): number {
    if (isDenied) return ErrorCode.TOPIC_AUTHORIZATION_FAILED;
    if (this.#broker.metadata.partition(one.topic, one.partition) === undefined) {
      return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    }
    const checked = checkProduceRecords(this.#context.apiVersion, one.records);
    if (checked !== undefined && 'code' in checked) return checked.code;
    if (records === null) return ErrorCode.NOT_LEADER_OR_FOLLOWER;
    one.firstHeader = checked;
    return ErrorCode.NONE;
  }

  #append(one: PartitionAppend): void {
    if (this.acks < -1 || this.acks > 1) return one.done(refused(ErrorCode.INVALID_REQUIRED_ACKS));
    if (isInternal(one.topic) && this.#context.clientId !== ADMIN_CLIENT_ID) {
      return this.#refuse(one, ErrorCode.INVALID_TOPIC_EXCEPTION);
    }
    const replica = this.#broker.replicas.partition(one.topic, one.partition);
    if (replica === undefined) return this.#refuse(one, ErrorCode.NOT_LEADER_OR_FOLLOWER);
    replica.append(one);
  }

  /** For where it would go. */
  #refuse(one: PartitionAppend, errorCode: number): void {
    this.#broker.topicMetrics?.of(one.topic).asked();
    one.done(refused(errorCode));
  }

  /**
   * The coordinator may have to be asked first. What follows on the connection waits meanwhile, or a later batch would overtake an
   * earlier one. False where the whole request is refused.
   */
  #appendWithin(transactionalId: string, all: readonly PartitionAppend[], request: ProduceRequest): boolean {
    const written = all.flatMap((one) => {
      const header = transactionalHeader(one.records);
      return header === undefined ? [] : [{ one, header }];
    });
    const first = written[0]?.header;
    if (written.some(({ header }) => !isSameProducer(header, first))) {
      const errorMessage = 'Transactional records contained more than one producer ID';
      const outcome = { ...refused(ErrorCode.INVALID_PRODUCER_ID_MAPPING), errorMessage };
      refuseAll(request, this.#responder, outcome);
      return false;
    }
    if (first === undefined) {
      for (const one of all) this.#append(one);
      return true;
    }
    const { producerId, producerEpoch } = first;
    const operation = operationOf(this.#context.apiVersion);
    this.#context.holdOthers();
    let isDone = false;
    this.#broker.transactionGate.enter({
      writer: { transactionalId, producerId, producerEpoch },
      operation,
      partitions: written.map(({ one: { topic, partition }, header: { baseSequence } }) => ({
        topic,
        partition,
        baseSequence,
      })),
      done: (entries) => {
        isDone = true;
        const entryOf = new Map(written.map(({ one }, index) => [one, entries[index]!]));
        for (const one of all) {
          const { errorCode, verification } = entryOf.get(one) ?? noEntry;
          one.rules = { verification };
          if (errorCode === ErrorCode.NONE) this.#append(one);
          else one.done(unverified(errorCode, operation));
        }
        this.#context.letOthers();
      },
    });
    // The coordinator is asked: the request's memory is somebody else's meanwhile.
    if (!isDone) for (const one of all) one.records = slicesOf(copyOf(one.records));
    return true;
  }

  /** One partition has its outcome. */
  settled(errorCode: number): void {
    if (errorCode !== ErrorCode.NONE) this.#failed = true;
    this.#pending -= 1;
    if (this.#pending > 0) return;
    const response = build(ProduceResponse, { responses: this.#responses });
    if (this.acks !== 0) return this.#responder.answer(response);
    // Nobody asked for an answer; a closed connection is the only way to say that something went wrong.
    if (this.#failed) this.#responder.close('a produce request with acks=0 failed', response);
    else this.#responder.none();
  }
}

const noRules: TransactionRules = {};
const noEntry: Entry = { errorCode: ErrorCode.NONE, verification: undefined };

function operationOf(apiVersion: number): TransactionOperation {
  if (apiVersion >= ADDS_PARTITIONS_FROM) return 'add';
  return apiVersion >= KNOWS_ABORTABLE_FROM ? 'verify-abortable' : 'verify';
}

function isSameProducer(header: BatchHeader, first: BatchHeader | undefined): boolean {
  return header.producerId === first?.producerId && header.producerEpoch === first.producerEpoch;
}

/** What producers are told when their transaction was not found to hold a partition (`ReplicaManager.handleProduceAppend`). */
function unverified(errorCode: number, operation: TransactionOperation): AppendOutcome {
  if (errorCode === ErrorCode.INVALID_TXN_STATE) {
    return { ...refused(errorCode), errorMessage: 'Partition was not added to the transaction' };
  }
  const isRetried =
    retried.includes(errorCode) || (errorCode === ErrorCode.CONCURRENT_TRANSACTIONS && operation !== 'add');
  if (!isRetried) return refused(errorCode);
  // Old clients do not expect such errors here; this one they retry without asking for metadata.
  const errorMessage = `Unable to verify the partition has been added to the transaction. Underlying error: ${errorInfo(errorCode).name}`;
  return { ...refused(ErrorCode.NOT_ENOUGH_REPLICAS), errorMessage };
}

const retried: readonly number[] = [
  ErrorCode.NETWORK_EXCEPTION,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
];

function refuseAll(request: ProduceRequest, responder: Responder<ProduceResponse>, outcome: AppendOutcome): void {
  if (request.acks === 0) return responder.close('a produce request with acks=0 was refused');
  responder.answer(
    build(ProduceResponse, {
      responses: request.topicData.map(({ name, topicId, partitionData }) => ({
        name,
        topicId,
        partitionResponses: partitionData.map(({ index }) => respond(index, outcome)),
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
