import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../protocol/errors.ts';
import { buildEndTxnMarker } from '../records/control.ts';
import { numberBatches } from './append.ts';
import { append, LogWorld, values } from './testkit/log-world.ts';
import type { Verification, VerificationGuard } from './verifications.ts';

const PRODUCER = 7;

class World {
  readonly #world = new LogWorld(3);

  static async open(): Promise<World> {
    const world = new World();
    await world.#world.open();
    return world;
  }

  get log() {
    return this.#world.log;
  }

  start(given: { sequence?: number; epoch?: number; bumpsEpoch?: boolean } = {}): VerificationGuard | undefined {
    const { sequence = 0, epoch = 0, bumpsEpoch = false } = given;
    const start = { producerId: PRODUCER, producerEpoch: epoch, baseSequence: sequence, bumpsEpoch };
    return this.log.startVerification(start);
  }

  /** The error code of a transactional append that shows a verification. */
  write(verification: Verification | undefined, given: { sequence?: number; epoch?: number } = {}): number {
    const { sequence = 0, epoch = 0 } = given;
    let code: number | undefined;
    append(this.log, {
      records: values('v'),
      producerId: PRODUCER,
      producerEpoch: epoch,
      baseSequence: sequence,
      isTransactional: true,
      rules: { verification },
      done: (error) => {
        code = error?.code ?? 0;
      },
    });
    assert.notEqual(code, undefined);
    return code as number;
  }

  end(epoch = 0): void {
    const marker = {
      committed: false,
      coordinatorEpoch: 0,
      producerId: PRODUCER,
      producerEpoch: epoch,
      timestampMs: 0,
    };
    const records = numberBatches(buildEndTxnMarker(marker), this.log.nextOffset, 0);
    this.log.appendAsLeader(records, 'coordinator', (error) => assert.equal(error, undefined));
  }

  /** So long that whatever was verified before has expired. */
  async expire(): Promise<void> {
    await this.#world.sim.runFor(86_400_000);
    this.log.removeExpiredProducers();
  }
}

test('a transaction begins in a partition only with the guard of its own verification', async () => {
  const world = await World.open();
  assert.equal(world.write({ guard: undefined }), ErrorCode.INVALID_TXN_STATE);
  const guard = world.start();
  assert.ok(guard);
  assert.equal(world.start(), guard, 'one verification at a time');
  assert.equal(world.write({ guard: undefined }), ErrorCode.INVALID_TXN_STATE);
  assert.equal(world.write({ guard: { producerId: PRODUCER } }), ErrorCode.INVALID_TXN_STATE, 'another guard');
  assert.equal(world.write({ guard }), 0);
  assert.equal(world.start(), undefined, 'it has begun: nobody needs to be asked');
  assert.equal(world.write({ guard: undefined }, { sequence: 1 }), 0);
});

test('a guard is void once a marker was written, also when the same producer is verified anew', async () => {
  const world = await World.open();
  const stale = world.start();
  world.end();
  assert.equal(world.write({ guard: stale }), ErrorCode.INVALID_TXN_STATE);
  const fresh = world.start();
  assert.notEqual(fresh, stale);
  assert.equal(world.write({ guard: stale }), ErrorCode.INVALID_TXN_STATE);
  assert.equal(world.write({ guard: fresh }), 0);
  world.end();
  assert.equal(world.write({ guard: undefined }, { sequence: 1 }), ErrorCode.INVALID_TXN_STATE, 'the next one');
});

test('an open transaction of an older epoch does not stand for one of a newer', async () => {
  const world = await World.open();
  assert.equal(world.write({ guard: world.start() }), 0);
  assert.equal(world.write({ guard: undefined }, { epoch: 1 }), ErrorCode.INVALID_TXN_STATE);
  assert.equal(world.write({ guard: world.start({ epoch: 1 }) }, { epoch: 1 }), 0);
});

test('a repeated batch is answered without a guard, and nothing is asked where verification is disabled', async () => {
  const world = await World.open();
  assert.equal(world.write(undefined), 0);
  world.end();
  assert.equal(world.write({ guard: undefined }), 0, 'a repetition after the end');
  assert.equal(world.write(undefined, { sequence: 1 }), 0);
});

test('what follows a batch that failed its verification is not written first', async () => {
  const world = await World.open();
  world.start({ sequence: 4 });
  const guard = world.start({ sequence: 2 });
  assert.equal(world.write({ guard }, { sequence: 4 }), ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
  world.start({ sequence: 9, epoch: 1 });
  assert.equal(world.write({ guard }, { sequence: 9, epoch: 1 }), 0, 'another epoch counts anew');
});

test('with an epoch for each transaction a producer that nothing is known of begins at 0', async () => {
  const world = await World.open();
  const guard = world.start({ sequence: 3, bumpsEpoch: true });
  assert.equal(world.write({ guard }, { sequence: 3 }), ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
  assert.equal(world.write({ guard }, { sequence: 0 }), 0);
});

test('a verification that never led to a write is forgotten after a day', async () => {
  const world = await World.open();
  const guard = world.start();
  await world.expire();
  assert.equal(world.write({ guard }), ErrorCode.INVALID_TXN_STATE);
});
