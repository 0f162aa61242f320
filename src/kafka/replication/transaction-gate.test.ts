import assert from 'node:assert/strict';
import test from 'node:test';
import type { VerificationGuard, VerificationStart } from '../log/verifications.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { Partition } from './partition.ts';
import { type Entry, TransactionGate } from './transaction-gate.ts';
import type { TransactionOperation, VerificationErrors, VerificationQuestion } from './transaction-verifier.ts';

const guard: VerificationGuard = { producerId: 9 };
const nextGuard: VerificationGuard = { producerId: 9 };

interface Entered {
  entries: readonly Entry[] | undefined;
}

/** Partition 0 needs to be verified, 1 has been written to, 2 is led elsewhere, 3 is nowhere. */
class World {
  readonly started: VerificationStart[] = [];
  readonly questions: VerificationQuestion[] = [];
  isEnabled = true;
  /** Of partition 0, until a marker takes it away. */
  guard = guard;
  readonly gate = new TransactionGate({
    replicas: { partition: (_topic, index) => this.#replica(index) },
    verifier: { ask: (question) => this.questions.push(question) },
    isEnabled: () => this.isEnabled,
    missingError: () => ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  });

  #replica(index: number): Partition | undefined {
    if (index === 3) return undefined;
    const startVerification = (start: VerificationStart): VerificationGuard | undefined => {
      this.started.push(start);
      if (index === 2) throw new KafkaError(ErrorCode.NOT_LEADER_OR_FOLLOWER);
      return index === 0 ? this.guard : undefined;
    };
    return { startVerification } as Partition;
  }

  enter(partitions: readonly number[], operation: TransactionOperation = 'verify'): Entered {
    const result: Entered = { entries: undefined };
    this.gate.enter({
      writer: { transactionalId: 'x', producerId: 9, producerEpoch: 1 },
      operation,
      partitions: partitions.map((partition) => ({ topic: 't', partition, baseSequence: 5 })),
      done: (entries) => {
        result.entries = entries;
      },
    });
    return result;
  }

  answer(errors: VerificationErrors = new Map()): void {
    this.questions.shift()?.done(errors);
  }
}

const isDecided = ({ entries }: Entered): boolean => entries !== undefined;

test('the coordinator is asked only of what the transaction has not written to, and its errors are of one partition each', () => {
  const world = new World();
  const result = world.enter([0, 1, 2, 3]);
  assert.equal(isDecided(result), false, 'nothing is decided before the coordinator has answered');
  assert.deepEqual(
    world.questions[0]?.partitions.map(({ partition }) => partition),
    [0],
  );
  world.answer(new Map([['t-0', ErrorCode.INVALID_TXN_STATE]]));
  assert.deepEqual(
    result.entries?.map(({ errorCode }) => errorCode),
    [
      ErrorCode.INVALID_TXN_STATE,
      ErrorCode.NONE,
      ErrorCode.NOT_LEADER_OR_FOLLOWER,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ],
  );
});

test('the append shows the guard that was handed out', () => {
  const world = new World();
  const result = world.enter([0, 1]);
  world.answer();
  assert.equal(result.entries?.[0]?.verification?.guard, guard);
  assert.deepEqual(result.entries?.[1]?.verification, { guard: undefined });
  assert.deepEqual(world.started[0], { producerId: 9, producerEpoch: 1, baseSequence: 5, bumpsEpoch: false });
});

test('nobody is asked where the transaction has written already', () => {
  const world = new World();
  assert.deepEqual(world.enter([1]).entries, [{ errorCode: ErrorCode.NONE, verification: { guard: undefined } }]);
  assert.equal(world.questions.length, 0);
});

test('without verification every transaction may write, but its partitions are added all the same where the client leaves that to us', () => {
  const world = new World();
  world.isEnabled = false;
  assert.deepEqual(world.enter([0]).entries, [{ errorCode: ErrorCode.NONE, verification: undefined }]);
  assert.equal(world.started.length, 0);
  const added = world.enter([0], 'add');
  assert.equal(world.questions[0]?.operation, 'add');
  assert.equal(world.started[0]?.bumpsEpoch, true);
  world.answer();
  assert.deepEqual(added.entries, [{ errorCode: ErrorCode.NONE, verification: undefined }]);
});

test('a marker of the transaction before that outruns the answer has the coordinator asked again, where epochs tell transactions apart', () => {
  const world = new World();
  const result = world.enter([0, 1], 'add');
  world.guard = nextGuard;
  world.answer();
  assert.equal(isDecided(result), false);
  assert.deepEqual(
    world.questions[0]?.partitions.map(({ partition }) => partition),
    [0],
  );
  world.answer();
  assert.deepEqual(result.entries, [
    { errorCode: ErrorCode.NONE, verification: { guard: nextGuard } },
    { errorCode: ErrorCode.NONE, verification: { guard: undefined } },
  ]);
});

test('so it does not where the same epoch may have begun another transaction, nor after a refusal', () => {
  for (const { operation, errors } of [
    { operation: 'verify', errors: [] },
    { operation: 'add', errors: [['t-0', ErrorCode.CONCURRENT_TRANSACTIONS]] },
  ] as const) {
    const world = new World();
    const result = world.enter([0], operation);
    world.guard = nextGuard;
    world.answer(new Map(errors));
    assert.equal(world.questions.length, 0, operation);
    assert.deepEqual(result.entries?.[0]?.verification, { guard }, operation);
  }
});
