import type { Log } from '../../runtime/log.ts';
import { build } from '../../wire/schema.ts';
import {
  type BrokerChannel,
  type ChannelTarget,
  interBrokerVersions,
  type OpenChannel,
} from '../channel/broker-channel.ts';
import { ErrorCode } from '../protocol/errors.ts';
import {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from '../protocol/messages/24-add-partitions-to-txn.ts';

/** Who writes within a transaction. */
export interface TransactionWriter {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly producerEpoch: number;
}

/**
 * What the coordinator is asked: whether a transaction has the partitions, for clients that know TRANSACTION_ABORTABLE or not, or
 * (transactions of version 2) to add them to it.
 */
export type TransactionOperation = 'verify' | 'verify-abortable' | 'add';

export interface VerifiedPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Errors by partition (`nameOf`); what is not in it may be written to. */
export type VerificationErrors = ReadonlyMap<string, number>;

export interface VerificationQuestion {
  readonly writer: TransactionWriter;
  readonly operation: TransactionOperation;
  readonly partitions: readonly VerifiedPartition[];
  /** Called once, now or later. */
  readonly done: (errors: VerificationErrors) => void;
}

/** Asks the coordinator of a transaction on behalf of the leaders of its partitions. */
export interface TransactionVerifier {
  ask(question: VerificationQuestion): void;
}

export interface CoordinatorVerifierOptions {
  /** The broker that coordinates a transactional id; undefined where it is not known or not there. */
  readonly coordinatorOf: (transactionalId: string) => ChannelTarget | undefined;
  readonly openChannel: OpenChannel;
  readonly log: Log;
}

interface Node {
  readonly target: ChannelTarget;
  readonly channel: BrokerChannel;
  isAsking: boolean;
  /** What waits for the answer before it, by transactional id. */
  waiting: Map<string, VerificationQuestion>;
}

export function nameOf({ topic, partition }: VerifiedPartition): string {
  return `${topic}-${partition}`;
}

/**
 * One request in flight to each coordinator; what comes meanwhile goes together with the next (`AddPartitionsToTxnManager`). Of one
 * transactional id only the newest question waits: an older one comes from a producer that has tried again, or is fenced.
 */
export class CoordinatorVerifier implements TransactionVerifier {
  readonly #options: CoordinatorVerifierOptions;
  readonly #nodes = new Map<number, Node>();

  constructor(options: CoordinatorVerifierOptions) {
    this.#options = options;
  }

  ask(question: VerificationQuestion): void {
    const target = this.#options.coordinatorOf(question.writer.transactionalId);
    if (target === undefined) return refuse(question, ErrorCode.COORDINATOR_NOT_AVAILABLE);
    const node = this.#nodeOf(target);
    const { transactionalId, producerEpoch } = question.writer;
    const older = node.waiting.get(transactionalId);
    if (older !== undefined && older.writer.producerEpoch > producerEpoch) {
      return refuse(question, ErrorCode.INVALID_PRODUCER_EPOCH);
    }
    node.waiting.set(transactionalId, question);
    if (older !== undefined) {
      const isFenced = older.writer.producerEpoch < producerEpoch;
      refuse(older, isFenced ? ErrorCode.INVALID_PRODUCER_EPOCH : ErrorCode.NETWORK_EXCEPTION);
    }
    this.#send(node);
  }

  close(): void {
    for (const { channel } of this.#nodes.values()) channel.close();
    this.#nodes.clear();
  }

  #nodeOf(target: ChannelTarget): Node {
    const known = this.#nodes.get(target.id);
    if (known !== undefined && known.target.host === target.host && known.target.port === target.port) return known;
    // A broker that came back elsewhere: what the old way still owes is failed by its end.
    known?.channel.close();
    const node: Node = {
      target,
      channel: this.#options.openChannel(target),
      isAsking: false,
      waiting: known?.waiting ?? new Map(),
    };
    this.#nodes.set(target.id, node);
    return node;
  }

  #send(node: Node): void {
    if (node.isAsking || node.waiting.size === 0) return;
    const asked = node.waiting;
    node.waiting = new Map();
    node.isAsking = true;
    const request = build(AddPartitionsToTxnRequest, { transactions: Array.from(asked.values(), transactionOf) });
    const version = interBrokerVersions['3.9-IV0'].addPartitionsToTxn;
    node.channel.send(AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, version, request).then(
      (response) => this.#finish(node, () => answer(asked, response)),
      (error: unknown) => {
        this.#options.log.warn('a transaction coordinator did not answer', {
          id: node.target.id,
          error: String(error),
        });
        this.#finish(node, () => refuseAll(asked, ErrorCode.NETWORK_EXCEPTION));
      },
    );
  }

  #finish(node: Node, tell: () => void): void {
    node.isAsking = false;
    tell();
    if (this.#nodes.get(node.target.id) === node) this.#send(node);
  }
}

function transactionOf({
  writer,
  operation,
  partitions,
}: VerificationQuestion): AddPartitionsToTxnRequest['transactions'][number] {
  const topics = new Map<string, number[]>();
  for (const { topic, partition } of partitions) topics.set(topic, [...(topics.get(topic) ?? []), partition]);
  return {
    ...writer,
    verifyOnly: operation !== 'add',
    topics: Array.from(topics, ([name, indexes]) => ({ name, partitions: indexes })),
  };
}

function answer(asked: ReadonlyMap<string, VerificationQuestion>, response: AddPartitionsToTxnResponse): void {
  if (response.errorCode !== ErrorCode.NONE) {
    // That this broker may not ask is nothing a client could understand.
    const isRefused = response.errorCode === ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
    refuseAll(asked, isRefused ? ErrorCode.INVALID_TXN_STATE : response.errorCode);
    return;
  }
  const left = new Map(asked);
  for (const { transactionalId, topicResults } of response.resultsByTransaction) {
    const question = left.get(transactionalId);
    if (question === undefined) continue;
    left.delete(transactionalId);
    const errors = new Map<string, number>();
    for (const { name, resultsByPartition } of topicResults) {
      for (const { partitionIndex, partitionErrorCode } of resultsByPartition) {
        if (partitionErrorCode === ErrorCode.NONE) continue;
        errors.set(nameOf({ topic: name, partition: partitionIndex }), clientError(partitionErrorCode, question));
      }
    }
    question.done(errors);
  }
  // Nothing is written on the word of a coordinator that said nothing.
  refuseAll(left, ErrorCode.NETWORK_EXCEPTION);
}

/** What the coordinator says as producers of this kind of request expect it. */
function clientError(errorCode: number, { operation }: VerificationQuestion): number {
  if (errorCode === ErrorCode.PRODUCER_FENCED) return ErrorCode.INVALID_PRODUCER_EPOCH;
  const isTooNew = errorCode === ErrorCode.TRANSACTION_ABORTABLE && operation === 'verify';
  return isTooNew ? ErrorCode.INVALID_TXN_STATE : errorCode;
}

function refuse({ partitions, done }: VerificationQuestion, errorCode: number): void {
  done(new Map(partitions.map((partition) => [nameOf(partition), errorCode])));
}

function refuseAll(asked: ReadonlyMap<string, VerificationQuestion>, errorCode: number): void {
  for (const question of asked.values()) refuse(question, errorCode);
}
