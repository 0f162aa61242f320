/** Batches that take longer than a moment to unpack: who is served meanwhile, who waits, and what becomes of them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { crc32c } from '../../base/crc32c.ts';
import { copyOf, slicesOf } from '../../base/slices.ts';
import { LogWorld, readAll } from '../log/testkit/log-world.ts';
import { ErrorCode, errorInfo } from '../protocol/errors.ts';
import { batchesOf, type CodecName, codecNames } from '../records/batch.ts';
import { buildBatch } from '../records/builder.ts';
import { recordsOf } from '../records/iterate.ts';
import { LongWork } from './long-work.ts';
import { type LeadershipState, Partition } from './partition.ts';

const leading: LeadershipState = {
  leader: 1,
  leaderEpoch: 5,
  isr: [1],
  replicas: [1],
  partitionEpoch: 0,
  controllerEpoch: 1,
};
const codecs = codecNames.filter((codec) => codec !== 'none');

/** 3,000 records and 6 MB that become some 100 KB. */
const LARGE_RECORDS = 3_000;
const largeOf = new Map<CodecName, Uint8Array>();
function large(codec: CodecName): Uint8Array {
  let bytes = largeOf.get(codec);
  if (bytes === undefined) {
    const value = Buffer.alloc(2_000, 'Odradek ');
    const records = Array.from({ length: LARGE_RECORDS }, (_, index) => ({ timestamp: index, value }));
    bytes = copyOf(buildBatch({ records, codec }));
    largeOf.set(codec, bytes);
  }
  return Buffer.from(bytes);
}

function small(text: string): Uint8Array {
  return copyOf(buildBatch({ records: [{ timestamp: 1, value: Buffer.from(text) }] }));
}

/** A leader on a log, whose turns of the loop are the test's. */
class LeaderWorld {
  readonly logs: LogWorld;
  readonly partition: Partition;
  readonly #turns: (() => void)[] = [];
  /** What happened, in its order. */
  readonly events: string[] = [];

  private constructor(logs: LogWorld) {
    this.logs = logs;
    const clock = { monotonicMs: () => 0, soon: (turn: () => void) => void this.#turns.push(turn) };
    const longWork = new LongWork(clock, (error) => {
      throw error;
    });
    this.partition = new Partition({ topic: 'demo', index: 0, brokerId: 1, longWork, onProgress: () => undefined });
    this.partition.become(leading, logs.log);
  }

  static async start(config: ConstructorParameters<typeof LogWorld>[1] = {}): Promise<LeaderWorld> {
    const logs = new LogWorld(1, { maxMessageBytes: 100_000_000, ...config });
    await logs.open();
    return new LeaderWorld(logs);
  }

  /** The caller's memory is used again at once. */
  append(name: string, bytes: Uint8Array, letOthers: () => void = () => undefined): void {
    this.partition.append({
      records: slicesOf(bytes),
      acks: 1,
      origin: 'client',
      nowMs: 1_700_000_000_000,
      sender: {
        holdOthers: () => void this.events.push(`${name} holds`),
        letOthers: () => {
          this.events.push(`${name} lets`);
          letOthers();
        },
      },
      done: ({ errorCode, firstOffset }) =>
        this.events.push(`${name} ${errorCode === ErrorCode.NONE ? firstOffset : errorInfo(errorCode).name}`),
    });
    bytes.fill(0xee);
  }

  turn(): boolean {
    const turns = this.#turns.splice(0);
    for (const turn of turns) turn();
    return turns.length > 0;
  }

  finish(): number {
    let count = 0;
    while (this.turn()) count += 1;
    return count;
  }

  async records(): Promise<{ offset: number; value: string }[]> {
    await this.logs.drain();
    return (await readAll(this.logs, 0, 10_000_000)).flatMap((records) =>
      [...batchesOf(records)].flatMap((batch) =>
        [...recordsOf(batch)].map(({ offset, value }) => ({ offset, value: String(value) })),
      ),
    );
  }
}

for (const codec of codecs) {
  for (const target of ['producer', ...codecs, 'uncompressed'] as const) {
    test(`a large ${codec} batch for a topic with ${target} has its turns, and is appended as it would be at once`, async () => {
      const world = await LeaderWorld.start({ compressionType: target });
      world.append('large', large(codec));
      assert.deepEqual(world.events, ['large holds']);
      assert.equal(world.logs.log.nextOffset, 0);
      // A MiB a turn: all of it is unpacked, and where the codec changes copied and packed too.
      const turns = world.finish();
      assert.ok(turns >= 5 && turns < 40, `${turns} turns`);
      await world.logs.drain();
      assert.deepEqual(world.events.toSorted(), ['large 0', 'large holds', 'large lets']);
      const [batch] = [...batchesOf((await readAll(world.logs))[0]!)];
      const { header } = batch!;
      assert.equal(header.recordCount, LARGE_RECORDS);
      assert.equal(header.partitionLeaderEpoch, leading.leaderEpoch);
      const want = target === 'producer' ? codec : target === 'uncompressed' ? 'none' : target;
      assert.equal(header.codec, want);
      const alone = copyOf(
        buildBatch({ records: [...recordsOf(batch!)], codec: want, leaderEpoch: leading.leaderEpoch }),
      );
      assert.ok(Buffer.from(alone).equals(copyOf(batch!.bytes)), 'the same bytes as built at once');
    });
  }
}

test('an ordinary compressed batch is appended at once', async () => {
  for (const codec of codecs) {
    const world = await LeaderWorld.start();
    const value = Buffer.alloc(900_000, 'Odradek ');
    world.append('ordinary', copyOf(buildBatch({ records: [{ value }], codec })));
    assert.equal(world.logs.log.nextOffset, 1);
    assert.ok(!world.turn());
    assert.deepEqual(world.events.toSorted(), ['ordinary 0']);
  }
});

test('what comes after a large batch waits for it, in order', async () => {
  const world = await LeaderWorld.start();
  world.append('a', small('a'));
  world.append('large', large('gzip'));
  world.append('b', small('b'));
  world.append('other', large('zstd'));
  world.append('c', small('c'));
  world.finish();
  await world.logs.drain();
  const told = world.events.filter((event) => / \d/.test(event));
  const after = 1 + LARGE_RECORDS;
  assert.deepEqual(told, ['a 0', 'large 1', `b ${after}`, `other ${after + 1}`, `c ${after + 1 + LARGE_RECORDS}`]);
  for (const name of ['large', 'b', 'other', 'c']) {
    const holds = world.events.filter((event) => event === `${name} holds`).length;
    assert.ok(holds > 0, `${name} holds others`);
    assert.equal(world.events.filter((event) => event === `${name} lets`).length, holds, name);
    const last = world.events.lastIndexOf(`${name} lets`);
    assert.ok(!world.events.slice(last).includes(`${name} holds`), name);
  }
  const single = (await world.records()).filter(({ value }) => value.length === 1).map(({ value }) => value);
  assert.deepEqual(single, ['a', 'b', 'c'], 'their bytes were copied before their memory was used again');
});

test('what follows on a connection that goes on does not pass those who wait already', async () => {
  const world = await LeaderWorld.start();
  world.append('large', large('zstd'));
  world.append('a', small('a'), () => world.append('c', small('c')));
  world.append('b', small('b'));
  world.finish();
  await world.logs.drain();
  assert.deepEqual(
    world.events.filter((event) => / \d/.test(event)),
    ['large 0', `a ${LARGE_RECORDS}`, `b ${LARGE_RECORDS + 1}`, `c ${LARGE_RECORDS + 2}`],
  );
});

test('a large batch that turns out to be wrong is refused, and those behind it go on', async () => {
  for (const target of ['producer', 'lz4']) {
    const world = await LeaderWorld.start({ compressionType: target });
    world.append('wrong', withOneRecordMissing(large('gzip')));
    world.append('next', small('next'));
    assert.ok(world.finish() >= 5);
    await world.logs.drain();
    assert.deepEqual(
      world.events.filter((event) => !/holds|lets/.test(event)),
      ['wrong INVALID_RECORD', 'next 0'],
    );
  }
});

test('a large batch without keys is refused by a compacted topic, record by record', async () => {
  const world = await LeaderWorld.start({ compact: true });
  world.append('large', large('snappy'));
  const turns = world.finish();
  assert.ok(turns >= 10, `${turns} turns: it is walked twice`);
  assert.deepEqual(world.events, ['large holds', 'large INVALID_RECORD', 'large lets']);
  assert.equal(world.logs.log.nextOffset, 0);
});

test('who leads no longer, or in another epoch, appends nothing that was begun before', async () => {
  for (const change of [
    (partition: Partition) => partition.stop(),
    (partition: Partition, logs: LogWorld) => partition.become({ ...leading, leader: 2, leaderEpoch: 6 }, logs.log),
    (partition: Partition, logs: LogWorld) => partition.become({ ...leading, leaderEpoch: 6 }, logs.log),
  ]) {
    const world = await LeaderWorld.start();
    world.append('large', large('lz4'));
    world.turn();
    change(world.partition, world.logs);
    world.finish();
    assert.deepEqual(world.events, ['large holds', 'large NOT_LEADER_OR_FOLLOWER', 'large lets']);
    assert.equal(world.logs.log.nextOffset, 0);
  }
});

test('a log is exchanged when what was begun before is in it, and what comes later is in the other', async () => {
  const world = await LeaderWorld.start();
  world.append('large', large('gzip'));
  let exchanged: () => void = () => undefined;
  const exchange = world.partition.exchangeLog(async (log) => {
    world.events.push(`exchange at ${log.nextOffset}`);
    await new Promise<void>((resolve) => {
      exchanged = resolve;
    });
    return log;
  });
  world.append('next', small('next'));
  world.finish();
  await world.logs.drain();
  await new Promise<void>((resolve) => void resolve());
  assert.deepEqual(
    world.events.filter((event) => !/holds|lets/.test(event)),
    ['large 0', `exchange at ${LARGE_RECORDS}`],
  );
  exchanged();
  await exchange;
  await world.logs.drain();
  assert.ok(world.events.includes(`next ${LARGE_RECORDS}`));
});

test('whatever comes in whatever turns, the log has it in the order in which it came', async () => {
  const act = fc.oneof(
    { weight: 4, arbitrary: fc.constant('small') },
    { weight: 2, arbitrary: fc.constantFrom(...codecs) },
    { weight: 1, arbitrary: fc.constant('exchange') },
    { weight: 3, arbitrary: fc.constant('turn') },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 14 }), async (acts) => {
      const world = await LeaderWorld.start();
      const want: number[] = [];
      const exchanges: Promise<void>[] = [];
      let nextOffset = 0;
      for (const [index, kind] of acts.entries()) {
        if (kind === 'turn') world.turn();
        else if (kind === 'exchange') exchanges.push(world.partition.exchangeLog(async (log) => log));
        else {
          world.append(`n${index}`, kind === 'small' ? small('x') : large(kind as CodecName));
          want.push(nextOffset);
          nextOffset += kind === 'small' ? 1 : LARGE_RECORDS;
        }
        await Promise.resolve();
      }
      const all = Promise.all(exchanges);
      for (let isOver = false; !isOver; ) {
        isOver = await Promise.race([all.then(() => true), Promise.resolve().then(() => false)]);
        world.finish();
      }
      world.finish();
      await world.logs.drain();
      const told = world.events.filter((event) => / \d+$/.test(event)).map((event) => Number(event.split(' ')[1]));
      assert.deepEqual(told, want);
      assert.equal(world.logs.log.logEndOffset, nextOffset);
      const holds = world.events.filter((event) => event.endsWith('holds')).length;
      assert.equal(world.events.filter((event) => event.endsWith('lets')).length, holds);
    }),
    { numRuns: 30 },
  );
});

/** The header promises one more than there are. */
function withOneRecordMissing(bytes: Uint8Array): Uint8Array {
  const batch = Buffer.from(bytes);
  batch.writeInt32BE(LARGE_RECORDS, 23);
  batch.writeInt32BE(LARGE_RECORDS + 1, 57);
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}
