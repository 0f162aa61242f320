/**
 * Which versions real clients speak to our broker: what they say passes through a recording proxy, and each walk is held to
 * its list in versions/spoken.ts. Apache's last ZooKeeper broker, 3.9.1, ends before the versions of 4.x, so these tests are
 * their only evidence.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { ApiKey, apiInfos } from '../../src/kafka/protocol/api-keys.ts';
import { ErrorCode } from '../../src/kafka/protocol/errors.ts';
import { roundtrips } from './clients/roundtrips.ts';
import { startOdradek } from './odradek.ts';
import { type Capture, type CaptureOptions, startCapture } from './peers/capture.ts';
import { freePort } from './peers/free-port.ts';
import type { KafkaToolName } from './peers/kafka-tools.ts';
import { type Outcome, PeerError } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { ToolHost } from './peers/tool-host.ts';
import { javaProgram } from './peers/tools.ts';
import { exchangesOf } from './versions/exchanges.ts';
import { endingAt } from './versions/older-broker.ts';
import {
  apacheByTopicId,
  apacheDay,
  apacheWithOlderBroker,
  olderBroker,
  otherMakers,
  type Spoken,
} from './versions/spoken.ts';

/** What every client meets in good health: it asks again. */
const passing: ReadonlySet<number> = new Set([
  ErrorCode.UNSUPPORTED_VERSION, // ApiVersions alone, newer than ours
  ErrorCode.LEADER_NOT_AVAILABLE, // a topic that its own question created
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.COORDINATOR_NOT_AVAILABLE, // __consumer_offsets is being created
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.MEMBER_ID_REQUIRED, // the first half of every join
  ErrorCode.REBALANCE_IN_PROGRESS,
]);

/** Tools ask what a group is in the consumer protocol first, and in the classic one when it is none of that. */
const isFirstGuess = (apiKey: number, error: number): boolean =>
  apiKey === ApiKey.ConsumerGroupDescribe && error === ErrorCode.GROUP_ID_NOT_FOUND;

const nameOf = (apiKey: number, version: number): string => `${apiInfos.get(apiKey)?.name} v${version}`;

function assertSpoken(capture: Capture, { by, versions }: Spoken): void {
  const exchanges = exchangesOf(capture.frames);
  const answered = new Set(
    exchanges.filter(({ errors }) => errors.length === 0).map(({ apiKey, version }) => nameOf(apiKey, version)),
  );
  const listed = Object.entries(versions).map(([apiKey, version]) => nameOf(Number(apiKey), version));
  assert.deepEqual(
    listed.filter((name) => !answered.has(name)),
    [],
    `${by} got an answer without error to everything listed; it got one to ${[...answered].join(', ')}`,
  );
  const failed = exchanges.flatMap(({ apiKey, version, errors }) =>
    errors
      .filter((error) => !passing.has(error) && !isFirstGuess(apiKey, error))
      .map((error) => `${nameOf(apiKey, version)}: error ${error}`),
  );
  assert.deepEqual(failed, [], by);
}

interface Place {
  readonly capture: Capture;
  readonly bootstrap: string;
}

/** Our broker, which tells its clients that it lives where the proxy does. */
async function startRecorded(t: TestContext, options: CaptureOptions = {}): Promise<Place> {
  const capture = await startCapture(options);
  t.after(() => capture.close());
  const kafkaPort = await freePort(); // what a broker says of its port is the advertised one
  const advertised = { 'advertised.listeners': `PLAINTEXT://127.0.0.1:${capture.port}` };
  const ours = await startOdradek({ dir: tempDir(), kafkaPort, kafka: advertised });
  t.after(() => ours.kill());
  capture.forwardTo(kafkaPort);
  return { capture, bootstrap: `127.0.0.1:${capture.port}` };
}

type Tool = (name: KafkaToolName, args: readonly string[], stdin?: string) => Promise<string>;

let host: ToolHost;
before(async () => {
  host = await ToolHost.start('4.4.0');
});
after(() => host?.close());

function toolsAt(bootstrap: string): Tool {
  return async (name, args, stdin = '') =>
    clean(await host.run(name, ['--bootstrap-server', bootstrap, ...args], { stdin }));
}

function clean({ code, stdout, stderr }: Outcome): string {
  if (code !== 0) throw new PeerError(`ended with ${code}:\n${stdout}\n${stderr}`);
  return stdout;
}

test('Apache’s clients of 4.4.0 spend a day with our broker in the newest versions', async (t) => {
  const { capture, bootstrap } = await startRecorded(t);
  const tool = toolsAt(bootstrap);
  assert.match(await tool('kafka-topics', ['--create', '--topic', 'day', '--partitions', '1']), /Created topic day\./);
  await tool('kafka-console-producer', ['--topic', 'day'], 'one\ntwo\nthree\n');
  const consumed = await tool('kafka-console-consumer', [
    ...['--topic', 'day', '--from-beginning', '--group', 'readers'],
    ...['--max-messages', '3', '--timeout-ms', '100000'],
  ]);
  assert.equal(consumed, 'one\ntwo\nthree\n');

  for (const [time, offset] of [
    ['latest', 'day:0:3\n'],
    ['earliest', 'day:0:0\n'],
    ['earliest-local', 'day:0:0\n'],
    ['latest-tiered', ''], // nothing lies in other storage
    ['1', 'day:0:0\n'],
  ] as const) {
    assert.equal(await tool('kafka-get-offsets', ['--topic', 'day', '--time', time]), offset, time);
  }
  const newest = await tool('kafka-get-offsets', ['--topic', 'day', '--time', 'max-timestamp']);
  assert.match(newest, /^day:0:[012]\n$/, 'records of one moment: the first of them');

  assert.match(await tool('kafka-consumer-groups', ['--list', '--state']), /readers +Empty/);
  const ofGroup = ['--group', 'readers'];
  assert.match(await tool('kafka-consumer-groups', ['--describe', ...ofGroup]), /readers +day +0 +3 +3 +0/);
  assert.match(await tool('kafka-consumer-groups', ['--describe', '--state', ...ofGroup]), /readers .*Empty +0/);
  const reset = ['--reset-offsets', '--to-earliest', '--topic', 'day', '--execute'];
  assert.match(await tool('kafka-consumer-groups', [...reset, ...ofGroup]), /readers +day +0 +0/);

  await tool('kafka-topics', ['--alter', '--topic', 'day', '--partitions', '2']);
  await tool('kafka-configs', ['--alter', '--topic', 'day', '--add-config', 'retention.ms=1234567']);
  const configs = await tool('kafka-configs', ['--describe', '--topic', 'day']);
  assert.match(configs, /retention\.ms=1234567 .*DYNAMIC_TOPIC_CONFIG/);
  assert.match(await tool('kafka-configs', ['--describe', '--broker', '0', '--all']), /log\.dirs=/);
  const described = await tool('kafka-topics', ['--describe', '--topic', 'day']);
  assert.match(described, /PartitionCount: 2\tReplicationFactor: 1\tConfigs: .*retention\.ms=1234567/);
  assert.equal(await tool('kafka-client-metrics', ['--list']), '\n');

  await tool('kafka-console-consumer', [
    ...['--topic', 'day', '--from-beginning', '--group', 'passers-by'],
    ...['--max-messages', '3', '--timeout-ms', '100000'],
  ]);
  const forget = ['--delete-offsets', '--group', 'passers-by', '--topic', 'day'];
  assert.match(await tool('kafka-consumer-groups', forget), /day +0 +Successful/);
  assert.match(await tool('kafka-consumer-groups', ['--delete', ...ofGroup]), /was successful/);
  await tool('kafka-topics', ['--delete', '--topic', 'day']);
  assert.equal((await tool('kafka-topics', ['--list'])).trim(), '__consumer_offsets');
  assertSpoken(capture, apacheDay);
});

const commitsWithoutGroup = join(import.meta.dirname, 'clients', 'CommitsWithoutGroup.java');

test('the consumer of KIP-848 reads an assigned partition and commits by topic id', async (t) => {
  const { capture, bootstrap } = await startRecorded(t);
  const tool = toolsAt(bootstrap);
  await tool('kafka-topics', ['--create', '--topic', 'day']);
  await tool('kafka-console-producer', ['--topic', 'day'], 'one\ntwo\n');
  const came = await javaProgram('kafka-4.4.0', commitsWithoutGroup, [bootstrap, 'day', 'alone', '0']);
  assert.equal(clean(came), '2 2\n');
  assert.match(await tool('kafka-consumer-groups', ['--describe', '--group', 'alone']), /alone +day +0 +2 +2 +0/);
  assertSpoken(capture, apacheByTopicId);
});

test('Apache’s clients of 4.4.0, told of an older broker, speak the versions in between', async (t) => {
  const { capture, bootstrap } = await startRecorded(t, { rewrite: endingAt(olderBroker) });
  const tool = toolsAt(bootstrap);
  await tool('kafka-topics', ['--create', '--topic', 'day']);
  await tool('kafka-console-producer', ['--topic', 'day'], 'one\ntwo\n');
  assert.equal(await tool('kafka-get-offsets', ['--topic', 'day', '--time', 'latest']), 'day:0:2\n');
  const consumed = await tool('kafka-console-consumer', [
    ...['--topic', 'day', '--from-beginning', '--max-messages', '2', '--timeout-ms', '100000'],
  ]);
  assert.equal(consumed, 'one\ntwo\n');
  assertSpoken(capture, apacheWithOlderBroker);
});

test('clients of other makers speak the versions listed for them', async (t) => {
  for (const list of otherMakers) {
    await t.test(list.by, async (t) => {
      const { capture, bootstrap } = await startRecorded(t);
      const roundtrip = roundtrips.find(({ name }) => name === list.by);
      assert.ok(roundtrip, 'there is such a client');
      assert.deepEqual(
        clean(await roundtrip.run(bootstrap))
          .trim()
          .split(','),
        roundtrip.want,
      );
      assertSpoken(capture, list);
    });
  }
});
