import type { Verification, VerificationGuard } from '../log/verifications.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { ReplicaManager } from './replica-manager.ts';
import {
  nameOf,
  type TransactionOperation,
  type TransactionVerifier,
  type TransactionWriter,
} from './transaction-verifier.ts';

/** A partition that a transaction is about to write to. */
export interface EnteredPartition {
  readonly topic: string;
  readonly partition: number;
  /** Of the first batch; -1 where batches have none. */
  readonly baseSequence: number;
}

export interface Entry {
  /** 0: the transaction may write here. Errors are the coordinator's, or say that this broker does not lead the partition. */
  readonly errorCode: number;
  /** What the append has to show; undefined where nothing is asked of it. */
  readonly verification: Verification | undefined;
}

export interface EntranceRequest {
  readonly writer: TransactionWriter;
  readonly operation: TransactionOperation;
  readonly partitions: readonly EnteredPartition[];
  /** Called once, now or later, with one entry for each partition, in their order. */
  readonly done: (entries: readonly Entry[]) => void;
}

/** A question to the coordinator that may have to be asked. */
interface Started {
  readonly errorCode: number;
  /** Undefined where there is nothing to ask. */
  readonly guard: VerificationGuard | undefined;
}

export interface TransactionGateOptions {
  readonly replicas: Pick<ReplicaManager, 'partition'>;
  readonly verifier: TransactionVerifier;
  /** `transaction.partition.verification.enable`. */
  readonly isEnabled: () => boolean;
  /** What is said of a partition that this broker has no replica of. */
  readonly missingError: (topic: string, partition: number) => number;
}

/**
 * No transaction writes to a partition that its coordinator does not know to be part of it, for nobody would end it there: before
 * its first append to a partition the coordinator is asked (KIP-890; `ReplicaManager.maybeStartTransactionVerificationForPartitions`).
 */
export class TransactionGate {
  readonly #options: TransactionGateOptions;

  constructor(options: TransactionGateOptions) {
    this.#options = options;
  }

  enter(request: EntranceRequest): void {
    const { writer, operation, partitions, done } = request;
    const isEnabled = this.#options.isEnabled();
    if (!isEnabled && operation !== 'add') return done(partitions.map(() => unasked));
    const started = partitions.map((partition) => this.#start(request, partition));
    const entriesWith = (errors: ReadonlyMap<string, number>): Entry[] =>
      started.map(({ errorCode, guard }, index) => ({
        errorCode: errorCode === ErrorCode.NONE ? (errors.get(nameOf(partitions[index]!)) ?? errorCode) : errorCode,
        verification: isEnabled ? { guard } : undefined,
      }));
    const asked = partitions.filter((_, index) => started[index]!.guard !== undefined);
    if (asked.length === 0) return done(entriesWith(new Map()));
    this.#options.verifier.ask({
      writer,
      operation,
      partitions: asked,
      done: (errors) => {
        const entries = entriesWith(errors);
        if (isEnabled && operation === 'add') this.#settle(request, started, entries);
        else done(entries);
      },
    });
  }

  /**
   * The coordinator adds a partition once the markers of the transaction before are written (KIP-890): one that came here while it was
   * asked took the guard of the next transaction away, which is asked for again. Only where each transaction has an epoch of its own:
   * elsewhere what was vouched for may be over, and another one open.
   */
  #settle(request: EntranceRequest, started: readonly Started[], entries: Entry[]): void {
    const { partitions, done } = request;
    const outrun = partitions.flatMap((partition, index) => {
      const guard = started[index]?.guard;
      const isVouchedFor = guard !== undefined && entries[index]?.errorCode === ErrorCode.NONE;
      return isVouchedFor && this.#start(request, partition).guard !== guard ? [index] : [];
    });
    if (outrun.length === 0) return done(entries);
    this.enter({
      ...request,
      partitions: outrun.map((index) => partitions[index]!),
      done: (again) => {
        for (const [place, index] of outrun.entries()) entries[index] = again[place]!;
        done(entries);
      },
    });
  }

  #start({ writer, operation }: EntranceRequest, { topic, partition, baseSequence }: EnteredPartition): Started {
    const { producerId, producerEpoch } = writer;
    const replica = this.#options.replicas.partition(topic, partition);
    if (replica === undefined) return { errorCode: this.#options.missingError(topic, partition), guard: undefined };
    try {
      const guard = replica.startVerification({
        producerId,
        producerEpoch,
        baseSequence,
        bumpsEpoch: operation === 'add',
      });
      return { errorCode: ErrorCode.NONE, guard };
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      return { errorCode: error.code, guard: undefined };
    }
  }
}

const unasked: Entry = { errorCode: ErrorCode.NONE, verification: undefined };
