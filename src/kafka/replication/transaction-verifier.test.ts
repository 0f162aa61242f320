import assert from 'node:assert/strict';
import test from 'node:test';
import { silent } from '../../runtime/log.ts';
import { NetworkError } from '../../runtime/network.ts';
import { build } from '../../wire/schema.ts';
import type { BrokerChannel, ChannelTarget } from '../channel/broker-channel.ts';
import { ErrorCode } from '../protocol/errors.ts';
import {
  type AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from '../protocol/messages/24-add-partitions-to-txn.ts';
import { CoordinatorVerifier, type TransactionOperation } from './transaction-verifier.ts';

interface Sent {
  readonly request: AddPartitionsToTxnRequest;
  readonly version: number;
  readonly target: ChannelTarget;
  answer(response: AddPartitionsToTxnResponse): Promise<void>;
  fail(): Promise<void>;
}

/** Whoever waits for a promise that has settled has been told. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
}

/** A verifier whose coordinators answer when a test wants them to. */
class World {
  readonly sent: Sent[] = [];
  readonly answers: string[] = [];
  readonly closed: number[] = [];
  coordinator: ChannelTarget | undefined = { id: 1, host: 'h', port: 1 };
  readonly verifier = new CoordinatorVerifier({
    coordinatorOf: () => this.coordinator,
    openChannel: (target) => this.#open(target),
    log: silent,
  });

  #open(target: ChannelTarget): BrokerChannel {
    return {
      send: (_request, _response, version, value) =>
        new Promise((resolve, reject) => {
          this.sent.push({
            request: value as unknown as AddPartitionsToTxnRequest,
            version,
            target,
            answer(response) {
              resolve(response as never);
              return settled();
            },
            fail() {
              reject(new NetworkError('ECONNRESET', 'lost'));
              return settled();
            },
          });
        }),
      close: () => this.closed.push(target.port),
    };
  }

  ask(name: string, given: { id?: string; epoch?: number; operation?: TransactionOperation } = {}): void {
    const { id = 'x', epoch = 0, operation = 'verify' } = given;
    this.verifier.ask({
      writer: { transactionalId: id, producerId: 9, producerEpoch: epoch },
      operation,
      partitions: [
        { topic: 't', partition: 0 },
        { topic: 't', partition: 1 },
      ],
      done: (errors) =>
        this.answers.push(`${name}: ${[...errors].map(([where, code]) => `${where} ${code}`).join(', ')}`),
    });
  }
}

function answerOf(id: string, codes: readonly number[]): AddPartitionsToTxnResponse {
  const resultsByPartition = codes.map((partitionErrorCode, partitionIndex) => ({
    partitionIndex,
    partitionErrorCode,
  }));
  const results = [{ transactionalId: id, topicResults: [{ name: 't', resultsByPartition }] }];
  return build(AddPartitionsToTxnResponse, { resultsByTransaction: results });
}

test('a coordinator is asked about all partitions at once, and only those in its transaction may be written to', async () => {
  const world = new World();
  world.ask('a');
  const [{ request, version }] = world.sent as [Sent];
  assert.equal(version, 5);
  assert.deepEqual(request.transactions, [
    {
      transactionalId: 'x',
      producerId: 9,
      producerEpoch: 0,
      verifyOnly: true,
      topics: [{ name: 't', partitions: [0, 1] }],
    },
  ]);
  await world.sent[0]!.answer(answerOf('x', [ErrorCode.NONE, ErrorCode.CONCURRENT_TRANSACTIONS]));
  assert.deepEqual(world.answers, [`a: t-1 ${ErrorCode.CONCURRENT_TRANSACTIONS}`]);
});

/** What the coordinator says of a partition, and what the producer is told. */
const translations: readonly (readonly [number, TransactionOperation, number])[] = [
  [ErrorCode.PRODUCER_FENCED, 'verify', ErrorCode.INVALID_PRODUCER_EPOCH],
  [ErrorCode.TRANSACTION_ABORTABLE, 'verify', ErrorCode.INVALID_TXN_STATE],
  [ErrorCode.TRANSACTION_ABORTABLE, 'verify-abortable', ErrorCode.TRANSACTION_ABORTABLE],
  [ErrorCode.TRANSACTION_ABORTABLE, 'add', ErrorCode.TRANSACTION_ABORTABLE],
  [ErrorCode.INVALID_PRODUCER_ID_MAPPING, 'verify', ErrorCode.INVALID_PRODUCER_ID_MAPPING],
];
for (const [said, operation, told] of translations) {
  test(`${said} of a coordinator is ${told} for who wants to ${operation}`, async () => {
    const world = new World();
    world.ask('a', { operation });
    assert.equal(world.sent[0]?.request.transactions[0]?.verifyOnly, operation !== 'add');
    await world.sent[0]!.answer(answerOf('x', [said, ErrorCode.NONE]));
    assert.deepEqual(world.answers, [`a: t-0 ${told}`]);
  });
}

test('a coordinator that is not known, not reached, silent, or that refuses to answer lets nobody write', async () => {
  const world = new World();
  world.coordinator = undefined;
  world.ask('unknown');
  world.coordinator = { id: 1, host: 'h', port: 1 };
  world.ask('unreached');
  await world.sent[0]!.fail();
  world.ask('silent');
  await world.sent[1]!.answer(build(AddPartitionsToTxnResponse, {}));
  world.ask('forbidden');
  await world.sent[2]!.answer(build(AddPartitionsToTxnResponse, { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED }));
  world.ask('ill');
  await world.sent[3]!.answer(build(AddPartitionsToTxnResponse, { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR }));
  assert.deepEqual(world.answers, [
    'unknown: t-0 15, t-1 15',
    'unreached: t-0 13, t-1 13',
    'silent: t-0 13, t-1 13',
    'forbidden: t-0 48, t-1 48',
    'ill: t-0 -1, t-1 -1',
  ]);
});

test('one request is in flight to a coordinator; what comes meanwhile goes together with the next', async () => {
  const world = new World();
  world.ask('a');
  world.ask('b', { id: 'y' });
  world.ask('c', { id: 'z' });
  assert.equal(world.sent.length, 1);
  await world.sent[0]!.answer(answerOf('x', [0, 0]));
  assert.deepEqual(
    world.sent[1]?.request.transactions.map(({ transactionalId }) => transactionalId),
    ['y', 'z'],
  );
  await world.sent[1]!.answer(answerOf('z', [0, 0]));
  assert.deepEqual(world.answers, ['a: ', 'c: ', 'b: t-0 13, t-1 13']);
});

test('of one transactional id the newest question waits: an older one was tried again, or its producer is fenced', async () => {
  const world = new World();
  world.ask('in flight');
  world.ask('first', { epoch: 1 });
  world.ask('again', { epoch: 1 });
  world.ask('newer', { epoch: 2 });
  world.ask('fenced', { epoch: 1 });
  assert.deepEqual(world.answers, [
    `first: t-0 ${ErrorCode.NETWORK_EXCEPTION}, t-1 ${ErrorCode.NETWORK_EXCEPTION}`,
    `again: t-0 ${ErrorCode.INVALID_PRODUCER_EPOCH}, t-1 ${ErrorCode.INVALID_PRODUCER_EPOCH}`,
    `fenced: t-0 ${ErrorCode.INVALID_PRODUCER_EPOCH}, t-1 ${ErrorCode.INVALID_PRODUCER_EPOCH}`,
  ]);
});

test('a coordinator that has moved is asked where it is now, and what waited goes there', async () => {
  const world = new World();
  world.ask('old');
  world.ask('waiting', { id: 'y' });
  world.coordinator = { id: 1, host: 'h', port: 2 };
  world.ask('new', { id: 'z' });
  assert.deepEqual(world.closed, [1]);
  assert.equal(world.sent[1]?.target.port, 2);
  assert.deepEqual(
    world.sent[1]?.request.transactions.map(({ transactionalId }) => transactionalId),
    ['y', 'z'],
  );
  await world.sent[0]!.fail();
  assert.deepEqual(world.answers, ['old: t-0 13, t-1 13']);
  world.verifier.close();
  assert.deepEqual(world.closed, [1, 2]);
});
