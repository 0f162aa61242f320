import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../protocol/errors.ts';
import {
  AlterReplicaLogDirsRequest,
  AlterReplicaLogDirsResponse,
} from '../protocol/messages/34-alter-replica-log-dirs.ts';
import { DescribeLogDirsRequest, DescribeLogDirsResponse } from '../protocol/messages/35-describe-log-dirs.ts';
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../protocol/messages/44-incremental-alter-configs.ts';
import { ResourceType } from './config/config-change.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';
import { encodeRequest } from './testkit/raw-client.ts';

const TOPIC = 't';
const RATE = 'replica.alter.log.dirs.io.max.bytes.per.second';

interface Place {
  readonly dir: string;
  readonly isFuture: boolean;
  readonly lag: number;
}

/** A broker with two log dirs and a topic of one partition in the first. */
class MovingWorld {
  readonly cluster: ClusterWorld;
  sent = 0;

  constructor(seed = 17, kafka: Record<string, string | number> = {}) {
    this.cluster = new ClusterWorld({ seed, kafka: { 'log.dirs': '/one,/two', ...kafka } });
  }

  async start(records: number, sizeInBytes = 100): Promise<this> {
    await this.cluster.start();
    await this.cluster.createTopic(TOPIC, [[0]]);
    for (let count = 0; count < records; count += 1) await this.produce(sizeInBytes);
    assert.deepEqual(await this.places(), [{ dir: '/one', isFuture: false, lag: 0 }]);
    return this;
  }

  async produce(sizeInBytes = 100): Promise<void> {
    assert.equal(await this.cluster.produce(0, TOPIC, `${this.sent} `.padEnd(sizeInBytes, '.')), this.sent);
    this.sent += 1;
  }

  /** Without an answer: the broker may die of it. */
  beginToMove(path: string): void {
    const dirs = [{ path, topics: [{ name: TOPIC, partitions: [0] }] }];
    const client = this.cluster.connectTo(0);
    client.write(encodeRequest(AlterReplicaLogDirsRequest, 2, { dirs }));
  }

  async move(path: string, topic = TOPIC): Promise<number | undefined> {
    const dirs = [{ path, topics: [{ name: topic, partitions: [0] }] }];
    const answer = await this.cluster.ask(0, (client) =>
      client.ask(AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse, 2, { dirs }),
    );
    return answer.results[0]?.partitions[0]?.errorCode;
  }

  async describe(topics: DescribeLogDirsRequest['topics'] = null): Promise<DescribeLogDirsResponse['results']> {
    const answer = await this.cluster.ask(0, (client) =>
      client.ask(DescribeLogDirsRequest, DescribeLogDirsResponse, 4, { topics }),
    );
    return answer.results;
  }

  async places(): Promise<Place[]> {
    return (await this.describe()).flatMap(({ logDir, topics }) =>
      topics.flatMap(({ partitions }) =>
        partitions.map(({ isFutureKey, offsetLag }) => ({ dir: logDir, isFuture: isFutureKey, lag: offsetLag })),
      ),
    );
  }

  async throttle(bytesPerSecond: number): Promise<void> {
    const configs = [{ name: RATE, configOperation: 0, value: String(bytesPerSecond) }];
    const answer = await this.cluster.ask(0, (client) =>
      client.ask(IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, 1, {
        resources: [{ resourceType: ResourceType.broker, resourceName: '0', configs }],
        validateOnly: false,
      }),
    );
    assert.equal(answer.responses[0]?.errorCode, ErrorCode.NONE, answer.responses[0]?.errorMessage ?? '');
    await this.cluster.sim.runFor(500);
  }

  async arrived(dir: string, limitMs = 60_000): Promise<void> {
    const isThere = async (): Promise<boolean> => {
      const places = await this.places();
      return places.length === 1 && places[0]?.dir === dir && !places[0].isFuture;
    };
    await this.cluster.until(`the partition is in ${dir}`, isThere, limitMs);
  }

  async restart(): Promise<void> {
    await this.cluster.broker(0).start();
    await this.cluster.until('it leads', async () => (await this.cluster.leaderOf(0, TOPIC)) === 0);
  }

  /** Every record that was acknowledged is there, once. */
  async check(): Promise<void> {
    assert.equal(await this.cluster.count(0, TOPIC), this.sent);
  }

  names(dir: string): string[] {
    const { disk } = this.cluster.broker(0).machine.runtime;
    return disk
      .list(dir)
      .flatMap(({ name }) => (name.startsWith(`${TOPIC}-`) ? [name.replace(/[0-9a-f]{32}/, 'uuid')] : []));
  }
}

test('a replica moves to another log dir while it is written to, and nothing is lost or told twice', async () => {
  const world = await new MovingWorld().start(20, 300_000);
  await world.throttle(2_000_000);
  assert.equal(await world.move('/two'), ErrorCode.NONE);
  assert.deepEqual(world.names('/two'), ['t-0.uuid-future']);
  let wasOnItsWay = false;
  for (let round = 0; round < 400 && (await world.places()).length > 1; round += 1) {
    wasOnItsWay ||= (await world.places()).some(({ isFuture, lag }) => isFuture && lag > 0);
    await world.produce();
    await world.cluster.sim.runFor(10);
  }
  assert.ok(wasOnItsWay, 'it was seen on its way');
  await world.arrived('/two');
  await world.check();
  await world.produce();
  assert.deepEqual(world.names('/two'), ['t-0']);
  assert.deepEqual(world.names('/one'), ['t-0.uuid-delete']);
  await world.cluster.sim.runFor(61_000);
  assert.deepEqual(world.names('/one'), []);
  world.cluster.broker(0).crash('process');
  await world.restart();
  await world.check();
});

test('what cannot move is refused as Apache refuses it', async () => {
  const world = await new MovingWorld().start(1);
  assert.equal(await world.move('/three'), ErrorCode.LOG_DIR_NOT_FOUND);
  assert.equal(await world.move('/two', 'unknown'), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  assert.equal(await world.move('/two', 'x'.repeat(249)), ErrorCode.INVALID_TOPIC_EXCEPTION);
  assert.equal(await world.move('/one'), ErrorCode.NONE, 'where it is already');
  world.cluster.broker(0).machine.disk.failNext({ operation: 'append', path: '/one/t-0', code: 'EIO' });
  await assert.rejects(world.cluster.produce(0, TOPIC, 'lost'));
  assert.equal(await world.move('/one'), ErrorCode.KAFKA_STORAGE_ERROR, 'an offline directory');
  assert.equal(await world.move('/two'), ErrorCode.KAFKA_STORAGE_ERROR, 'an offline partition');
  const [one, two] = await world.describe();
  assert.deepEqual([one?.errorCode, one?.totalBytes, one?.topics], [ErrorCode.KAFKA_STORAGE_ERROR, -1, []]);
  assert.equal(two?.errorCode, ErrorCode.NONE);
  assert.ok((two?.usableBytes ?? 0) > 0 && (two?.totalBytes ?? 0) >= (two?.usableBytes ?? 0));
});

test('a partition that is not there yet comes to be where it was wanted', async () => {
  const world = await new MovingWorld().start(1);
  await world.move('/two', 'later');
  await world.cluster.createTopic('filler', [[0]]);
  assert.equal(await world.move('/one', 'later'), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  await world.cluster.createTopic('more', [[0]]);
  await world.cluster.createTopic('later', [[0]]);
  const found = await world.describe([{ topic: 'later', partitions: [0] }]);
  assert.deepEqual(
    found.map(({ logDir, topics }) => [logDir, topics.length]),
    [
      ['/one', 1],
      ['/two', 0],
    ],
  );
});

test('a move keeps its rate, follows a change of it, and ends where it is taken back', async () => {
  const world = await new MovingWorld().start(20, 300_000);
  await world.throttle(100_000);
  await world.move('/two');
  await world.cluster.sim.runFor(20_000);
  const after20Seconds = (await world.places()).find(({ isFuture }) => isFuture)?.lag ?? 0;
  assert.ok(after20Seconds >= 6, `6 MB at 100 kB a second take a minute, not ${20 - after20Seconds} records in 20 s`);
  assert.equal(await world.move('/one'), ErrorCode.NONE);
  assert.deepEqual(await world.places(), [{ dir: '/one', isFuture: false, lag: 0 }]);
  await world.move('/two');
  await world.throttle(1_000_000_000);
  await world.arrived('/two', 5_000);
  await world.check();
});

test('a move that a crash interrupts goes on after it, whatever the disk was doing', async () => {
  for (const kind of ['process', 'power'] as const) {
    let isThroughout = false;
    for (let at = 1; !isThroughout; at += 1) {
      const world = await new MovingWorld(at, { 'log.flush.interval.messages': 1 }).start(4, 300_000);
      const { machine } = world.cluster.broker(0);
      machine.disk.setTrap({ at, changesOnly: true, act: () => world.cluster.broker(0).crash(kind) });
      world.beginToMove('/two');
      await world.cluster.sim.runFor(3_000);
      isThroughout = machine.disk.faults.isTrapSet && (await world.places()).every(({ dir }) => dir === '/two');
      if (machine.disk.faults.isTrapSet) machine.disk.faults.clear();
      else await world.restart();
      await world.check();
      await world.produce();
      // A crash before the directory was there ends it for good.
      if ((await world.places()).length === 1) await world.move('/two');
      await world.arrived('/two');
      await world.check();
      world.cluster.broker(0).crash('process');
      await world.restart();
      await world.check();
    }
  }
});

test('a target that fails or is full costs the move and nothing else', async () => {
  for (const operation of ['append', 'sync', 'rename', 'syncDirectory', 'open'] as const) {
    const world = await new MovingWorld().start(5, 300_000);
    const { disk } = world.cluster.broker(0).machine;
    disk.failNext({ operation, path: operation === 'syncDirectory' ? '/two' : '/two/', code: 'ENOSPC' });
    await world.move('/two');
    await world.cluster.sim.runFor(2_000);
    const [one, two] = await world.describe();
    assert.deepEqual([one?.errorCode, two?.errorCode], [ErrorCode.NONE, ErrorCode.KAFKA_STORAGE_ERROR], operation);
    await world.produce();
    await world.check();
    disk.repair();
    world.cluster.broker(0).crash('process');
    await world.restart();
    await world.check();
    await world.produce();
  }
});

test('a source that fails once all is copied takes nothing with it', async () => {
  const world = await new MovingWorld().start(3);
  world.cluster.broker(0).machine.disk.failNext({ operation: 'rename', path: '/one/', code: 'EIO' });
  await world.move('/two');
  await world.cluster.sim.runFor(2_000);
  const [one, two] = await world.describe();
  assert.deepEqual([one?.errorCode, two?.topics.length], [ErrorCode.KAFKA_STORAGE_ERROR, 1]);
  await world.produce();
  await world.check();
});

test('a topic that is deleted on its way leaves nothing behind', async () => {
  const world = await new MovingWorld().start(5, 300_000);
  await world.throttle(1000);
  await world.move('/two');
  await world.cluster.sim.runFor(1_000);
  await world.cluster.run(world.cluster.zk.create(`/admin/delete_topics/${TOPIC}`, null));
  await world.cluster.until('it is gone', async () => (await world.places()).length === 0);
  await world.cluster.sim.runFor(61_000);
  assert.deepEqual([...world.names('/one'), ...world.names('/two')], []);
});
