import type { Clock } from '../../runtime/clock.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { BatchHeader } from '../records/batch.ts';

/** Names one verification: a transaction that began later, under the same producer, has another (KIP-890). */
export interface VerificationGuard {
  readonly producerId: number;
}

/** What a batch that begins a transaction here has to show. */
export interface Verification {
  /** Undefined: the transaction was believed to be open here already, so that nobody was asked. */
  readonly guard: VerificationGuard | undefined;
}

interface Entry {
  readonly guard: VerificationGuard;
  readonly startedMs: number;
  epoch: number;
  lowestSequence: number;
  /** The coordinator adds the partition itself, and the epoch belongs to this transaction alone (KIP-890 part 2). */
  bumpsEpoch: boolean;
}

export interface VerificationStart {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly bumpsEpoch: boolean;
}

/**
 * Transactions of one partition whose coordinator has been asked whether they are open, until they write or end
 * (`VerificationStateEntry`). A marker between the question and the append takes the guard away, so that nothing is written to a
 * transaction that is over: no transaction hangs.
 */
export class Verifications {
  readonly #clock: Clock;
  /** Undefined while nobody asks: most partitions see no transaction. */
  #entries: Map<number, Entry> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The guard of the verification that is under way, or of a new one. */
  start({ producerId, producerEpoch, baseSequence, bumpsEpoch }: VerificationStart): VerificationGuard {
    this.#entries ??= new Map();
    let entry = this.#entries.get(producerId);
    if (entry === undefined) {
      entry = {
        guard: { producerId },
        startedMs: this.#clock.wallMs(),
        epoch: producerEpoch,
        lowestSequence: baseSequence,
        bumpsEpoch,
      };
      this.#entries.set(producerId, entry);
    }
    const isNewEpoch = producerEpoch > entry.epoch;
    if (isNewEpoch || (producerEpoch === entry.epoch && baseSequence < entry.lowestSequence)) {
      entry.epoch = producerEpoch;
      entry.lowestSequence = baseSequence;
    }
    return entry.guard;
  }

  /** @throws KafkaError INVALID_TXN_STATE for a batch that begins a transaction nobody has vouched for */
  require({ producerId }: BatchHeader, { guard }: Verification): void {
    if (guard !== undefined && this.#entries?.get(producerId)?.guard === guard) return;
    throw new KafkaError(ErrorCode.INVALID_TXN_STATE, 'Record was not part of an ongoing transaction');
  }

  /**
   * A lower sequence that failed its verification comes again: what follows it must not be written first.
   * @throws KafkaError OUT_OF_ORDER_SEQUENCE_NUMBER
   */
  checkSequence({ producerId, baseSequence }: BatchHeader, isKnown: boolean): void {
    const entry = this.#entries?.get(producerId);
    if (entry === undefined) return;
    if (entry.bumpsEpoch && baseSequence !== 0 && !isKnown) {
      throw new KafkaError(
        ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
        `Expected sequence 0 for transactions v2 idempotent producer ${producerId}, but it is ${baseSequence} and nothing is known of it`,
      );
    }
    if (baseSequence <= entry.lowestSequence) return;
    throw new KafkaError(
      ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
      `Out of order sequence number for producer ${producerId}: ${baseSequence} (incoming seq. number), ${entry.lowestSequence} (earliest seen sequence)`,
    );
  }

  /** The transaction has written here, or is over. */
  end(producerId: number): void {
    this.#entries?.delete(producerId);
  }

  /** `producer.id.expiration.ms`, from the first question on. */
  removeExpired(nowMs: number, expirationMs: number): void {
    for (const [producerId, { startedMs }] of this.#entries ?? []) {
      if (nowMs - startedMs >= expirationMs) this.end(producerId);
    }
  }
}
