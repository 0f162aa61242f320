/**
 * Transactions committed a second: sixteen transactional producers, each AddPartitionsToTxn, a batch of ten records, EndTxn, and
 * again, as Apache's clients up to 4.0 do. Then ours is killed, started again, and Apache's consumer has to find the records of
 * every transaction whose commit was acknowledged, read_committed.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { ProduceRequest, ProduceResponse } from '../../src/kafka/protocol/messages/00-produce.ts';
import {
  FindCoordinatorRequest,
  FindCoordinatorResponse,
} from '../../src/kafka/protocol/messages/10-find-coordinator.ts';
import {
  InitProducerIdRequest,
  InitProducerIdResponse,
} from '../../src/kafka/protocol/messages/22-init-producer-id.ts';
import {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from '../../src/kafka/protocol/messages/24-add-partitions-to-txn.ts';
import { EndTxnRequest, EndTxnResponse } from '../../src/kafka/protocol/messages/26-end-txn.ts';
import { buildBatch } from '../../src/kafka/records/builder.ts';
import { kafkaToolLine } from '../../test/interop/peers/kafka-tools.ts';
import { PeerError, until } from '../../test/interop/peers/process.ts';
import { tempDir } from '../../test/interop/peers/temp-dir.ts';
import { createTopic } from './kafka-admin.ts';
import { KafkaLane } from './kafka-lane.ts';
import type { Duration } from './load.ts';
import { alternate, medianOf } from './rounds.ts';
import { type Servers, startApache, startOurs } from './servers.ts';
import { amount, type Line, median } from './table.ts';

const PRODUCERS = 16;
const PARTITIONS = 4;
const RECORDS = 10;
const TOPIC = 'transactions';
const CONCURRENT_TRANSACTIONS = 51;
/** Apache's producer asks again after so long when the transaction before is not quite complete (`TransactionManager`). */
const RETRY_MS = 20;
/** A coordinator that is not there yet, or still loads. */
const NOT_YET: readonly number[] = [14, 15, 16];

interface Measured {
  readonly perSecond: number;
  readonly committed: number;
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export async function transactions(rounds: number, duration: Duration, profile?: string): Promise<Line[]> {
  const oursDir = tempDir();
  const ours = await startOurs({
    dir: oursDir,
    ...(profile === undefined ? {} : { profile: `${profile}/transactions` }),
  });
  const apache = await startApache({ dir: tempDir() });
  const producers = new Map([
    [ours, await begin(ours)],
    [apache, await begin(apache)],
  ]);
  let committed = 0;
  const measure = async (servers: Servers, of = duration.seconds): Promise<Measured> => {
    await servers.loopDelay();
    const result = await commitFor(servers, producers.get(servers) ?? [], of);
    await servers.loopDelay();
    if (servers === ours) committed += result.committed;
    return result;
  };
  // A JVM gets faster for some seconds.
  for (let round = 0; round < 3; round += 1) for (const servers of [ours, apache]) await measure(servers);
  const results = await alternate(
    rounds,
    () => measure(ours),
    () => measure(apache),
  );
  for (const lanes of producers.values()) for (const { lane } of lanes) lane.close();
  await apache.kill();
  await ours.kill();
  const again = await startOurs({ dir: oursDir, knownTopic: TOPIC });
  const found = await committedRecords(again.kafkaPort, committed * RECORDS);
  await again.kill();
  const isLost = found < committed * RECORDS;
  const per = (side: readonly Measured[], figure: (one: Measured) => number): number => medianOf(side, figure);
  const rate = (side: readonly Measured[]): string =>
    amount(
      per(side, ({ perSecond }) => perSecond),
      'txn/s',
    );
  const times = (side: readonly Measured[]): string =>
    `${per(side, ({ p50Ms }) => p50Ms).toFixed(2)}/${per(side, ({ p99Ms }) => p99Ms).toFixed(1)}`;
  const cpu = (side: readonly Measured[]): string => per(side, ({ cpuUs }) => cpuUs).toFixed(0);
  const ratio = median(
    results.ours.map(({ perSecond }, round) => perSecond / (results.apache[round]?.perSecond ?? Number.NaN)),
  );
  return [
    {
      row: `transactions, ${PRODUCERS} producers, ${RECORDS} records each`,
      ours: rate(results.ours),
      apache: rate(results.apache),
      ratio,
      goal: '2x',
      met: ratio >= 2 && !isLost,
      p50p99: times(results.ours),
      apacheP50p99: times(results.apache),
      cpu: `${cpu(results.ours)} / ${cpu(results.apache)}`,
      loopMs: '',
      ceiling: '',
      verified: isLost ? `LOST ${committed * RECORDS - found}` : `all ${committed.toLocaleString('en')}`,
    },
  ];
}

interface Producer {
  readonly lane: KafkaLane;
  readonly transactionalId: string;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly partition: number;
  sequence: number;
}

async function begin({ kafkaPort: port }: Servers): Promise<Producer[]> {
  await createTopic(port, TOPIC, PARTITIONS);
  const producers: Producer[] = [];
  for (let index = 0; index < PRODUCERS; index += 1) {
    const lane = new KafkaLane(port);
    const transactionalId = `bench-${index}`;
    const { producerId, producerEpoch } = await until('transaction coordinator', async () => {
      await lane.ask([FindCoordinatorRequest, FindCoordinatorResponse], 2, { key: transactionalId, keyType: 1 });
      const answer = await lane.ask([InitProducerIdRequest, InitProducerIdResponse], 2, {
        transactionalId,
        transactionTimeoutMs: 60_000,
      });
      if (NOT_YET.includes(answer.errorCode)) return undefined;
      check('InitProducerId', answer.errorCode);
      return answer;
    });
    producers.push({ lane, transactionalId, producerId, producerEpoch, partition: index % PARTITIONS, sequence: 0 });
  }
  return producers;
}

async function commitFor(servers: Servers, producers: readonly Producer[], seconds: number): Promise<Measured> {
  const cpuBefore = servers.cpuMs();
  const begun = performance.now();
  const untilMs = begun + seconds * 1000;
  const latencies: number[] = [];
  await Promise.all(
    producers.map(async (producer) => {
      for (let startedMs = performance.now(); startedMs < untilMs; startedMs = performance.now()) {
        await commitOne(producer);
        latencies.push(performance.now() - startedMs);
      }
    }),
  );
  const elapsedMs = performance.now() - begun;
  const committed = latencies.length;
  latencies.sort((a, b) => a - b);
  const quantile = (share: number): number => latencies[Math.floor((committed - 1) * share)] ?? Number.NaN;
  return {
    perSecond: (committed * 1000) / elapsedMs,
    committed,
    cpuUs: ((servers.cpuMs() - cpuBefore) * 1000) / committed,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
  };
}

const value = Buffer.alloc(100, 'v');

async function commitOne(producer: Producer): Promise<void> {
  const { lane, transactionalId, producerId, producerEpoch, partition } = producer;
  for (;;) {
    const { resultsByTopicV3AndBelow } = await lane.ask([AddPartitionsToTxnRequest, AddPartitionsToTxnResponse], 3, {
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: [{ name: TOPIC, partitions: [partition] }],
    });
    const code = resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode ?? -1;
    if (code !== CONCURRENT_TRANSACTIONS) {
      check('AddPartitionsToTxn', code);
      break;
    }
    await pause(RETRY_MS);
  }
  const timestamp = Date.now();
  const records = Array.from({ length: RECORDS }, () => ({ timestamp, value }));
  const batch = buildBatch({
    records,
    producerId,
    producerEpoch,
    baseSequence: producer.sequence,
    isTransactional: true,
  });
  const { responses } = await lane.ask([ProduceRequest, ProduceResponse], 9, {
    transactionalId,
    acks: -1,
    timeoutMs: 30_000,
    topicData: [
      { name: TOPIC, topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitionData: [{ index: partition, records: batch }] },
    ],
  });
  check('Produce', responses[0]?.partitionResponses[0]?.errorCode ?? -1);
  producer.sequence += RECORDS;
  const { errorCode } = await lane.ask([EndTxnRequest, EndTxnResponse], 3, {
    transactionalId,
    producerId,
    producerEpoch,
    committed: true,
  });
  check('EndTxn', errorCode);
}

function check(what: string, errorCode: number): void {
  if (errorCode !== 0) throw new PeerError(`${what}: error ${errorCode}`);
}

/** Read by Apache's console consumer, which ends when it has as many as are expected, or nothing has come for a while. */
async function committedRecords(port: number, expected: number): Promise<number> {
  const line = await kafkaToolLine('kafka-console-consumer', '3.9.1', [
    ...['--bootstrap-server', `127.0.0.1:${port}`, '--topic', TOPIC, '--from-beginning'],
    ...['--isolation-level', 'read_committed', '--max-messages', String(expected), '--timeout-ms', '20000'],
  ]);
  const child = spawn(line.command, line.args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let count = 0;
  for await (const _ of createInterface({ input: child.stdout })) count += 1;
  return count;
}
