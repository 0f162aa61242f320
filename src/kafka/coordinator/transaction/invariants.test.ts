import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ErrorCode } from '../../protocol/errors.ts';
import type { ProducerIdAndEpoch } from './init-producer-id.ts';
import { type Outcome, PartitionModel } from './testkit/partition-model.ts';
import { type Pending, type Producer, TransactionWorld } from './testkit/transaction-world.ts';

const PARTITIONS = [0, 1, 2];
/** Two of them fight for one transactional id. */
const IDS = ['a', 'a', 'b'];
/** Longer than any transaction may stay open, with the search for those. */
const HEALING_MS = 200_000;

type Plain = 'holdLog' | 'commitLog' | 'holdMarkers' | 'release' | 'cut' | 'deafen' | 'heal' | 'restart' | 'reelect';
type Action =
  | { readonly kind: Plain }
  | { readonly kind: 'step'; readonly client: number; readonly choice: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'fail'; readonly errorCode: number; readonly isWritten: boolean };

const plain = (...kinds: Plain[]) => fc.constantFrom(...kinds).map((kind): Action => ({ kind }));

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.record({ kind: fc.constant('step' as const), client: fc.nat(2), choice: fc.nat(9) }),
  },
  { weight: 8, arbitrary: plain('holdLog', 'commitLog', 'commitLog') },
  { weight: 8, arbitrary: plain('holdMarkers', 'release', 'cut', 'deafen', 'heal', 'heal') },
  { weight: 3, arbitrary: plain('restart', 'reelect') },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, 100, 300, 20_000) }) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(
        { errorCode: ErrorCode.NOT_ENOUGH_REPLICAS, isWritten: false },
        { errorCode: ErrorCode.REQUEST_TIMED_OUT, isWritten: true },
        { errorCode: ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND, isWritten: true },
        { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, isWritten: true },
        { errorCode: ErrorCode.KAFKA_STORAGE_ERROR, isWritten: false },
      )
      .map((failure): Action => ({ kind: 'fail', ...failure })),
  },
);

interface Transaction {
  readonly number: number;
  readonly added: Set<number>;
  written: number;
  wanted: Outcome | undefined;
  told: Outcome | undefined;
}

type Asked =
  | { readonly kind: 'init'; readonly life: number; readonly pending: Pending<Producer> }
  | { readonly kind: 'add'; readonly life: number; readonly pending: Pending<number>; readonly partition: number }
  | {
      readonly kind: 'end';
      readonly life: number;
      readonly pending: Pending<Producer>;
      readonly fencedBefore: boolean;
    };

interface Client {
  readonly id: string;
  producer: ProducerIdAndEpoch | undefined;
  transaction: Transaction | undefined;
  asked: Asked | undefined;
}

const askAgain: ReadonlySet<number> = new Set([
  ErrorCode.CONCURRENT_TRANSACTIONS,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
]);

/** Producers that know only what they were answered, partitions that know only what reached them, and crashes in between. */
class Play {
  readonly #world: TransactionWorld;
  readonly #version: number;
  readonly #partitions = PARTITIONS.map(() => new PartitionModel());
  readonly #clients: Client[] = IDS.map((id) => ({
    id,
    producer: undefined,
    transaction: undefined,
    asked: undefined,
  }));
  readonly #transactions: Transaction[] = [];
  /** Answers of a life that is over never come. */
  #life = 0;

  constructor(world: TransactionWorld, version: number) {
    this.#world = world;
    this.#version = version;
    world.leaders.judge = (marker) => this.#partitions[marker.partition]!.mark(marker);
  }

  async take(action: Action): Promise<void> {
    const { topic, leaders } = this.#world;
    if (action.kind === 'step') await this.#step(this.#clients[action.client]!, action.choice);
    else if (action.kind === 'pass') await this.#world.run(action.ms);
    else if (action.kind === 'fail') topic.failures.push(action);
    else if (action.kind === 'holdLog') topic.isHeld = true;
    else if (action.kind === 'commitLog') this.#commitLog();
    else if (action.kind === 'holdMarkers') leaders.isHeld = true;
    else if (action.kind === 'release') leaders.release();
    else if (action.kind === 'cut') leaders.isCut = true;
    else if (action.kind === 'deafen') leaders.isDeaf = true;
    else if (action.kind === 'heal') this.#heal();
    else if (action.kind === 'restart') await this.#restart();
    else await this.#reelect();
    await this.#world.run(0);
  }

  #commitLog(): void {
    this.#world.topic.isHeld = false;
    this.#world.topic.commit();
  }

  /** What waits on its way still arrives, also from a life that is over. */
  #heal(): void {
    const { leaders } = this.#world;
    leaders.isHeld = false;
    leaders.isCut = false;
    leaders.isDeaf = false;
    leaders.release();
  }

  async #restart(): Promise<void> {
    this.#life += 1;
    await this.#world.restart();
  }

  async #reelect(): Promise<void> {
    this.#world.coordinator.onResigned(0);
    this.#world.nextEpoch();
    await this.#world.electAll();
  }

  /** A client hears an answer, or asks the next thing. */
  async #step(client: Client, choice: number): Promise<void> {
    const { asked } = client;
    if (asked !== undefined) {
      const isLost = asked.life !== this.#life && asked.pending.count === 0;
      if (asked.pending.count === 0 && !isLost) return;
      client.asked = undefined;
      if (!isLost) return this.#heard(client, asked);
    }
    this.#ask(client, choice);
  }

  #ask(client: Client, choice: number): void {
    const { id, producer, transaction } = client;
    const life = this.#life;
    if (producer === undefined) {
      client.asked = { kind: 'init', life, pending: this.#world.initLater({ id, timeoutMs: 60_000 }) };
    } else if (transaction?.wanted !== undefined) this.#end(client, producer, transaction, transaction.wanted);
    else if (transaction !== undefined && transaction.added.size > 0 && choice < 5) {
      this.#write(client, producer, transaction, choice);
    } else if (transaction !== undefined && transaction.added.size > 0 && choice < 8) {
      this.#end(client, producer, transaction, choice === 7 ? 'aborted' : 'committed');
    } else {
      const partition = choice % PARTITIONS.length;
      client.transaction ??= this.#newTransaction();
      const given = { id, partitions: [partition], version: this.#version };
      client.asked = { kind: 'add', life, pending: this.#world.add(producer, given), partition };
    }
  }

  #newTransaction(): Transaction {
    const number = this.#transactions.length;
    const transaction = { number, added: new Set<number>(), written: 0, wanted: undefined, told: undefined };
    this.#transactions.push(transaction);
    return transaction;
  }

  #write(client: Client, producer: ProducerIdAndEpoch, transaction: Transaction, choice: number): void {
    const partition = [...transaction.added][choice % transaction.added.size]!;
    const isTaken = this.#partitions[partition]!.write(producer.producerId, producer.producerEpoch, transaction.number);
    if (isTaken) transaction.written += 1;
    else this.#die(client);
  }

  #end(client: Client, producer: ProducerIdAndEpoch, transaction: Transaction, wanted: Outcome): void {
    const { id } = client;
    // A producer that was fenced while it asked may have been first all the same; one that asks afterwards never is.
    const fencedBefore = this.#clients.some((other) => other.id === id && isLater(other.producer, producer));
    transaction.wanted = wanted;
    const pending = this.#world.end(producer, wanted === 'committed', { id, version: this.#version });
    client.asked = { kind: 'end', life: this.#life, pending, fencedBefore };
  }

  #heard(client: Client, asked: Asked): void {
    const { answer } = asked.pending;
    const errorCode = typeof answer === 'number' ? answer : (answer?.errorCode ?? Number.NaN);
    assert.equal(asked.pending.count, 1, 'one answer');
    if (errorCode !== ErrorCode.NONE) {
      // What may have happened all the same is asked for again, unless the producer is no longer who it was.
      if (!askAgain.has(errorCode) && errorCode !== ErrorCode.UNKNOWN_SERVER_ERROR) this.#die(client);
      return;
    }
    const { transaction } = client;
    if (asked.kind === 'init') client.producer = asked.pending.answer;
    else if (asked.kind === 'add') transaction?.added.add(asked.partition);
    else {
      assert.ok(!asked.fencedBefore, 'a fenced producer ended a transaction');
      transaction!.told = transaction!.wanted;
      client.transaction = undefined;
      if (this.#version >= 2) client.producer = asked.pending.answer;
    }
  }

  /** Who is fenced begins anew, as somebody else. */
  #die(client: Client): void {
    client.producer = undefined;
    client.transaction = undefined;
  }

  /** Everything works again, and time passes: no transaction is left half done. */
  async finish(): Promise<void> {
    this.#world.topic.failures.length = 0;
    this.#commitLog();
    this.#heal();
    await this.#world.run(HEALING_MS);
    for (const { transactionalId, transactionState } of this.#world.list().transactionStates) {
      assert.match(transactionState, /^(Empty|CompleteCommit|CompleteAbort)$/, transactionalId);
    }
    for (const [index, { openCount }] of this.#partitions.entries()) {
      assert.equal(openCount, 0, `readers of partition ${index} wait for ever`);
    }
    for (const transaction of this.#transactions) this.#judge(transaction);
  }

  #judge({ number, wanted, told }: Transaction): void {
    const outcomes = new Set(this.#partitions.flatMap((partition) => partition.outcomes.get(number) ?? []));
    assert.ok(outcomes.size <= 1, `transaction ${number} is half visible`);
    const [outcome] = outcomes;
    if (outcome === 'committed') assert.equal(wanted, 'committed', `transaction ${number} committed by nobody’s wish`);
    if (told !== undefined && outcome !== undefined)
      assert.equal(outcome, told, `transaction ${number} ended otherwise`);
  }
}

function isLater(one: ProducerIdAndEpoch | undefined, other: ProducerIdAndEpoch): boolean {
  if (one === undefined) return false;
  if (one.producerId !== other.producerId) return one.producerId > other.producerId;
  return one.producerEpoch > other.producerEpoch;
}

for (const version of [0, 2]) {
  test(`with transaction.version ${version} no transaction is half visible, whatever fails meanwhile`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 20, maxLength: 150, size: 'max' }), async (actions) => {
        const world = await TransactionWorld.ready({ version });
        const play = new Play(world, version);
        for (const one of actions) await play.take(one);
        await play.finish();
        world.kill();
      }),
      { numRuns: 100 },
    );
  });
}
