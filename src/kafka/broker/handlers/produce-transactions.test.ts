/** Produce within transactions: what is asked of the coordinator, what is appended, and what clients are told. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { slicesOf } from '../../../base/slices.ts';
import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { ProduceRequest, type ProduceResponse } from '../../protocol/messages/00-produce.ts';
import type { LeaderAppend } from '../../replication/partition.ts';
import type { EntranceRequest, Entry } from '../../replication/transaction-gate.ts';
import { everythingAllowed } from '../../security/authorizer.ts';
import type { RequestContext } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { batchOf } from '../testkit/requests.ts';
import { produceHandler } from './00-produce.ts';

const guard = { producerId: 9 };

interface Told {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

/** A broker that leads partitions 0 to 8 of `t`; what the gate lets in is appended. */
class World {
  readonly appended: { readonly index: number; readonly append: LeaderAppend }[] = [];
  readonly events: string[] = [];
  entrance: EntranceRequest | undefined;
  response: ProduceResponse | undefined;
  closed: string | undefined;

  produce(given: {
    version?: number;
    transactionalId?: string | null;
    acks?: number;
    batches: readonly Buffer[];
  }): this {
    const { version = 11, transactionalId = 'x', acks = -1, batches } = given;
    const partitionData = batches.map((bytes, index) => ({ index, records: slicesOf(bytes) }));
    const request = build(ProduceRequest, {
      transactionalId,
      acks,
      topicData: [{ name: 't', topicId: '', partitionData }],
    });
    const context = {
      apiVersion: version,
      clientId: 'c',
      holdOthers: () => this.events.push('hold'),
      letOthers: () => this.events.push('go on'),
    } as unknown as RequestContext;
    produceHandler(this.#broker()).handle(request, context, {
      answer: (response) => {
        this.response = response as ProduceResponse;
      },
      none: () => this.events.push('no answer'),
      close: (reason) => {
        this.closed = reason;
      },
    });
    return this;
  }

  #broker(): BrokerContext {
    const append = (index: number, one: LeaderAppend): void => {
      this.events.push(`append ${index}`);
      this.appended.push({ index, append: one });
      one.done({
        errorCode: ErrorCode.NONE,
        errorMessage: null,
        recordErrors: [],
        firstOffset: 0,
        logAppendTimeMs: -1,
        logStartOffset: 0,
      });
    };
    const leads = (topic: string, index: number): boolean => topic === 't' && index < 9;
    return {
      runtime: { clock: { wallMs: () => 0 } },
      authorizer: everythingAllowed,
      metadata: {
        partition: (topic: string, index: number) => (leads(topic, index) ? {} : undefined),
        topicName: () => 't',
      },
      replicas: {
        partition: (topic: string, index: number) =>
          leads(topic, index) ? { append: (one: LeaderAppend) => append(index, one) } : undefined,
      },
      transactionGate: {
        enter: (request: EntranceRequest) => {
          this.entrance = request;
        },
      },
    } as unknown as BrokerContext;
  }

  letIn(...errorCodes: number[]): this {
    const partitions = this.entrance?.partitions ?? [];
    const entries = partitions.map(
      (_, index): Entry => ({ errorCode: errorCodes[index] ?? 0, verification: { guard } }),
    );
    this.entrance?.done(entries);
    return this;
  }

  get told(): Told[] {
    const partitions = this.response?.responses.flatMap(({ partitionResponses }) => partitionResponses) ?? [];
    return partitions.map(({ errorCode, errorMessage }) => ({ errorCode, errorMessage }));
  }
}

const within = (producerId = 9, producerEpoch = 2, baseSequence = 4): Buffer =>
  batchOf(['v'], { producerId, producerEpoch, baseSequence, isTransactional: true });
const plain = (): Buffer => batchOf(['v']);

test('a transaction’s records wait for the gate, with all that follows on the connection, and then show their guard', () => {
  const world = new World().produce({ batches: [within(), plain()] });
  assert.deepEqual(world.events, ['hold']);
  assert.deepEqual(world.entrance?.writer, { transactionalId: 'x', producerId: 9, producerEpoch: 2 });
  assert.deepEqual(world.entrance?.partitions, [{ topic: 't', partition: 0, baseSequence: 4 }]);
  assert.equal(world.response, undefined);
  world.letIn();
  assert.deepEqual(world.events, ['hold', 'append 0', 'append 1', 'go on']);
  assert.equal(world.appended[0]?.append.rules?.verification?.guard, guard);
  assert.equal(world.appended[1]?.append.rules?.verification, undefined, 'plain records need no guard');
  assert.deepEqual(
    world.told.map(({ errorCode }) => errorCode),
    [0, 0],
  );
});

for (const [version, want] of [
  [3, 'verify'],
  [10, 'verify'],
  [11, 'verify-abortable'],
  [12, 'add'],
  [13, 'add'],
] as const) {
  test(`Produce v${version} within a transaction asks to ${want}`, () => {
    assert.equal(new World().produce({ version, batches: [within()] }).entrance?.operation, want);
  });
}

const unable = (name: string): string =>
  `Unable to verify the partition has been added to the transaction. Underlying error: ${name}`;
const RETRY = ErrorCode.NOT_ENOUGH_REPLICAS;
const refusals: readonly (readonly [number, number, number, string | null])[] = [
  [ErrorCode.INVALID_TXN_STATE, 9, ErrorCode.INVALID_TXN_STATE, 'Partition was not added to the transaction'],
  [ErrorCode.COORDINATOR_NOT_AVAILABLE, 9, RETRY, unable('COORDINATOR_NOT_AVAILABLE')],
  [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, 9, RETRY, unable('COORDINATOR_LOAD_IN_PROGRESS')],
  [ErrorCode.NOT_COORDINATOR, 9, RETRY, unable('NOT_COORDINATOR')],
  [ErrorCode.NETWORK_EXCEPTION, 12, RETRY, unable('NETWORK_EXCEPTION')],
  [ErrorCode.CONCURRENT_TRANSACTIONS, 11, RETRY, unable('CONCURRENT_TRANSACTIONS')],
  [ErrorCode.CONCURRENT_TRANSACTIONS, 12, ErrorCode.CONCURRENT_TRANSACTIONS, null],
  [ErrorCode.TRANSACTION_ABORTABLE, 11, ErrorCode.TRANSACTION_ABORTABLE, null],
  [ErrorCode.INVALID_PRODUCER_ID_MAPPING, 9, ErrorCode.INVALID_PRODUCER_ID_MAPPING, null],
  [ErrorCode.NOT_LEADER_OR_FOLLOWER, 9, ErrorCode.NOT_LEADER_OR_FOLLOWER, null],
];
for (const [errorCode, version, code, message] of refusals) {
  test(`error ${errorCode} of the gate is ${code} in Produce v${version}, and nothing of that partition is appended`, () => {
    const world = new World().produce({ version, batches: [within(), within()] }).letIn(errorCode, ErrorCode.NONE);
    assert.deepEqual(world.told, [
      { errorCode: code, errorMessage: message },
      { errorCode: ErrorCode.NONE, errorMessage: null },
    ]);
    assert.deepEqual(world.events, ['hold', 'append 1', 'go on']);
  });
}

test('records of a transaction in a request that names none are refused as a whole', () => {
  const world = new World().produce({ transactionalId: null, batches: [plain(), within()] });
  const refusal = { errorCode: ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, errorMessage: null };
  assert.deepEqual(world.told, [refusal, refusal]);
  assert.equal(new World().produce({ transactionalId: null, acks: 0, batches: [within()] }).response, undefined);
  assert.ok(new World().produce({ transactionalId: null, acks: 0, batches: [within()] }).closed);
});

test('records of two producers in one transaction are refused as a whole', () => {
  for (const other of [within(10), within(9, 3)]) {
    const world = new World().produce({ batches: [within(), other] });
    const errorMessage = 'Transactional records contained more than one producer ID';
    const refusal = { errorCode: ErrorCode.INVALID_PRODUCER_ID_MAPPING, errorMessage };
    assert.deepEqual(world.told, [refusal, refusal]);
    assert.deepEqual(world.events, []);
  }
});

test('a transactional id without a record of its transaction asks nobody', () => {
  const world = new World().produce({ batches: [plain()] });
  assert.equal(world.entrance, undefined);
  assert.deepEqual(world.events, ['append 0']);
});

test('a header that cannot be read refuses the whole request before the first transactional batch, and its partition behind it', () => {
  const damaged = plain();
  damaged[16] = 9; // the magic
  const codes = (world: World): number[] => world.told.map(({ errorCode }) => errorCode);
  assert.deepEqual(codes(new World().produce({ batches: [damaged, within()] })), [2, 2]);
  for (const version of [6, 11]) {
    const world = new World().produce({ version, batches: [within(), damaged] }).letIn();
    assert.deepEqual(codes(world), [ErrorCode.NONE, ErrorCode.CORRUPT_MESSAGE]);
    assert.deepEqual(world.events, ['hold', 'append 0', 'go on']);
  }
});

test('a codec that nobody knows refuses the whole of Produce 3 to 6, also within a transaction', () => {
  const unknown = plain();
  unknown[22] = 7; // the attributes: codec 7
  const refusal = { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage: null };
  assert.deepEqual(new World().produce({ version: 6, batches: [within(), unknown] }).told, [refusal, refusal]);
  assert.equal(new World().produce({ version: 7, batches: [within(), unknown] }).response, undefined);
});

test('acks are looked at once the transaction is known to hold the partitions', () => {
  const world = new World().produce({ acks: 2, batches: [within(), within()] });
  assert.equal(world.response, undefined);
  world.letIn(ErrorCode.INVALID_TXN_STATE, ErrorCode.NONE);
  assert.deepEqual(
    world.told.map(({ errorCode }) => errorCode),
    [ErrorCode.INVALID_TXN_STATE, ErrorCode.INVALID_REQUIRED_ACKS],
  );
});
