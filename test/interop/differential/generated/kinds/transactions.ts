/** Transactions of two ids: each step waits for what the one before it left to the coordinator. */
import { slicesOf } from '../../../../../src/base/slices.ts';
import { buildBatch } from '../../../../../src/kafka/records/builder.ts';
import { until } from '../../../peers/process.ts';
import { type Answer, ask } from '../../raw-client.ts';
import { type Draw, requestKind } from '../kind.ts';
import type { Side } from '../side.ts';
import { drawPlaces, nameOf, type Place } from './partitions.ts';

const LONG_MS = 600_000;
const TIMESTAMP = 1_700_000_000_000;
/** The newest protocol without the epochs of KIP-890. */
const DESCRIBE_TRANSACTIONS = 65;

const label = (draw: Draw): string => draw.pick(['x0', 'x0', 'x1']);

/** An id that nobody has is one too. */
const drawId = (draw: Draw): string => (draw.chance(0.03) ? 'x9' : label(draw));

/** Whether it speaks as the newest producer of the id, or as one before or after it. */
type Who = 'own' | 'older' | 'newer' | 'other';
const drawWho = (draw: Draw): Who => (draw.chance(0.9) ? 'own' : draw.pick(['older', 'newer', 'other'] as const));

function identityOf(id: string, who: Who, side: Side): { producerId: number; producerEpoch: number } {
  const known = side.producers.get(id) ?? { id: 999_999, epoch: 0 };
  if (who === 'other') return { producerId: 999_998, producerEpoch: 0 };
  const producerEpoch = known.epoch + { own: 0, older: -1, newer: 1 }[who];
  return { producerId: known.id, producerEpoch: Math.max(producerEpoch, 0) };
}

/** Markers are written after the answer to whoever asked for them. */
async function settle(id: string, side: Side): Promise<void> {
  await until(`an end of what the coordinator does for ${id}`, async () => {
    const answer = (await ask(side.port, DESCRIBE_TRANSACTIONS, 0, { transactionalIds: [side.named(id)] })) as Answer;
    const [state] = answer.transactionStates as { transactionState: string }[];
    return state?.transactionState.startsWith('Prepare') ? undefined : state;
  });
}

interface InitArgs {
  readonly version: number;
  readonly id: string;
  readonly again: boolean;
  readonly who: Who;
}

const init = requestKind<InitArgs>({
  name: 'init-transactions',
  weight: 2,
  apiKey: 22,
  draw: (draw) => {
    const version = draw.version(22);
    return { version, id: label(draw), again: version >= 3 && draw.chance(0.4), who: drawWho(draw) };
  },
  request: ({ version, id, again, who }, side) => ({
    apiKey: 22,
    version,
    fields: {
      transactionalId: side.named(id),
      transactionTimeoutMs: LONG_MS,
      ...(again ? identityOf(id, who, side) : { producerId: -1, producerEpoch: -1 }),
    },
  }),
  learn: async ({ id }, { errorCode, producerId, producerEpoch }, side) => {
    if (errorCode === 0) side.producers.set(id, { id: producerId as number, epoch: producerEpoch as number });
    await settle(id, side);
  },
});

interface AddArgs {
  readonly version: number;
  readonly id: string;
  readonly who: Who;
  readonly verifyOnly: boolean;
  readonly places: readonly Place[];
}

const addPartitions = requestKind<AddArgs>({
  name: 'add-partitions-to-txn',
  weight: 3,
  apiKey: 24,
  draw: (draw) => ({
    version: draw.version(24),
    id: drawId(draw),
    who: drawWho(draw),
    verifyOnly: draw.chance(0.4),
    places: draw.chance(0.6)
      ? [{ name: draw.transactionTopic(), partitions: [draw.below(2)] }]
      : drawPlaces(draw, () => draw.transactionTopic()),
  }),
  request: ({ version, id, who, verifyOnly, places }, side) => {
    const topics = places.map(({ name, partitions }) => ({ name: nameOf(name, side), partitions }));
    const { producerId, producerEpoch } = identityOf(id, who, side);
    const fields =
      version < 4
        ? {
            v3AndBelowTransactionalId: side.named(id),
            v3AndBelowProducerId: producerId,
            v3AndBelowProducerEpoch: producerEpoch,
            v3AndBelowTopics: topics,
          }
        : { transactions: [{ transactionalId: side.named(id), producerId, producerEpoch, verifyOnly, topics }] };
    return { apiKey: 24, version, fields };
  },
});

interface ProduceArgs {
  readonly version: number;
  readonly id: string;
  readonly who: Who;
  /** In the request; the batch always has its producer. */
  readonly named: boolean;
  readonly place: { readonly name: string; readonly partition: number };
  readonly isTransactional: boolean;
  readonly sequence: 'next' | 'again' | 'gap';
  readonly count: number;
}

/** Per producer and partition, the sequence that comes next. */
const sequences = new WeakMap<Side, Map<string, number>>();

function sequenceOf({ id, place, sequence }: ProduceArgs, side: Side): number {
  const next = sequences.get(side)?.get(keyOf(id, place, side)) ?? 0;
  return sequence === 'next' ? next : sequence === 'gap' ? next + 3 : Math.max(next - 1, 0);
}

function keyOf(id: string, { name, partition }: ProduceArgs['place'], side: Side): string {
  const { producerId, producerEpoch } = identityOf(id, 'own', side);
  return `${producerId} ${producerEpoch} ${name} ${partition}`;
}

const produce = requestKind<ProduceArgs>({
  name: 'produce-in-transaction',
  weight: 5,
  apiKey: 0,
  draw: (draw) => ({
    version: draw.version(0, 3),
    id: drawId(draw),
    who: drawWho(draw),
    named: draw.chance(0.95),
    place: { name: draw.transactionTopic(), partition: draw.partition() },
    isTransactional: draw.chance(0.93),
    sequence: draw.pick(['next', 'next', 'next', 'next', 'next', 'again', 'gap'] as const),
    count: 1 + draw.below(3),
  }),
  request: (args, side) => {
    const { version, id, who, named, place, isTransactional, count } = args;
    const records = Array.from({ length: count }, (_, index) => ({
      timestamp: TIMESTAMP + index,
      key: Buffer.from(`k${index}`),
      value: Buffer.from(`${id} ${who}`),
    }));
    const { producerId, producerEpoch } = identityOf(id, who, side);
    const batch = buildBatch({
      producerId,
      producerEpoch,
      baseSequence: sequenceOf(args, side),
      isTransactional,
      records,
    });
    return {
      apiKey: 0,
      version,
      fields: {
        transactionalId: named ? side.named(id) : null,
        acks: -1,
        timeoutMs: 10_000,
        topicData: [
          {
            ...side.topic(place.name, version >= 13),
            partitionData: [{ index: place.partition, records: slicesOf(Buffer.from(Buffer.concat(batch.chunks))) }],
          },
        ],
      },
    };
  },
  learn: (args, answer, side) => {
    const [topic] = answer.responses as { partitionResponses: { errorCode: number }[] }[];
    if (topic?.partitionResponses[0]?.errorCode !== 0 || args.who !== 'own' || args.sequence === 'again') return;
    const known = sequences.get(side) ?? new Map<string, number>();
    sequences.set(side, known);
    known.set(keyOf(args.id, args.place, side), sequenceOf(args, side) + args.count);
  },
});

interface OffsetsArgs {
  readonly version: number;
  readonly id: string;
  readonly who: Who;
  readonly group: string;
}

const addOffsets = requestKind<OffsetsArgs>({
  name: 'add-offsets-to-txn',
  weight: 1,
  apiKey: 25,
  draw: (draw) => ({
    version: draw.version(25),
    id: drawId(draw),
    who: drawWho(draw),
    group: draw.pick(['tg0', 'tg1', '']),
  }),
  request: ({ version, id, who, group }, side) => ({
    apiKey: 25,
    version,
    fields: { transactionalId: side.named(id), ...identityOf(id, who, side), groupId: nameOf(group, side) },
  }),
});

interface CommitArgs extends OffsetsArgs {
  readonly topic: string;
  readonly partitions: readonly number[];
  readonly committedOffset: number;
}

const commitOffsets = requestKind<CommitArgs>({
  name: 'commit-offsets-in-transaction',
  weight: 1.5,
  apiKey: 28,
  draw: (draw) => ({
    version: draw.version(28),
    id: drawId(draw),
    who: drawWho(draw),
    group: draw.pick(['tg0', 'tg0', 'tg1']),
    topic: draw.topic(),
    partitions: draw.some(2, () => draw.partition()),
    committedOffset: draw.below(20),
  }),
  request: ({ version, id, who, group, topic, partitions, committedOffset }, side) => ({
    apiKey: 28,
    version,
    fields: {
      transactionalId: side.named(id),
      groupId: side.named(group),
      ...identityOf(id, who, side),
      topics: [
        {
          ...side.topic(topic, version >= 6),
          partitions: partitions.map((partitionIndex) => ({
            partitionIndex,
            committedOffset,
            committedLeaderEpoch: -1,
            committedMetadata: null,
          })),
        },
      ],
    },
  }),
});

interface ReadArgs {
  readonly version: number;
  readonly group: string;
  readonly topic: string | null;
  readonly requireStable: boolean;
}

const readOffsets = requestKind<ReadArgs>({
  name: 'offsets-of-transactions',
  weight: 1.5,
  apiKey: 9,
  draw: (draw) => {
    const version = draw.version(9, 2);
    return {
      version,
      group: draw.pick(['tg0', 'tg1']),
      topic: draw.chance(0.4) ? null : draw.topic(),
      requireStable: version >= 7 && draw.chance(0.5),
    };
  },
  request: ({ version, group, topic, requireStable }, side) => {
    const topics = topic === null ? null : [{ ...side.topic(topic, version >= 10), partitionIndexes: [0, 1, 2] }];
    const fields =
      version < 8
        ? { groupId: side.named(group), topics }
        : { groups: [{ groupId: side.named(group), memberId: null, memberEpoch: -1, topics }] };
    return { apiKey: 9, version, fields: { ...fields, requireStable } };
  },
});

interface EndArgs {
  readonly version: number;
  readonly id: string;
  readonly who: Who;
  readonly committed: boolean;
}

const end = requestKind<EndArgs>({
  name: 'end-txn',
  weight: 2,
  apiKey: 26,
  draw: (draw) => ({ version: draw.version(26), id: drawId(draw), who: drawWho(draw), committed: draw.chance(0.5) }),
  request: ({ version, id, who, committed }, side) => ({
    apiKey: 26,
    version,
    fields: { transactionalId: side.named(id), ...identityOf(id, who, side), committed },
  }),
  learn: ({ id }, _, side) => settle(id, side),
});

interface MarkerArgs {
  readonly version: number;
  readonly id: string;
  readonly who: Who;
  readonly transactionResult: boolean;
  readonly coordinatorEpoch: number;
  readonly places: readonly Place[];
}

/**
 * As a coordinator does, or an operator's tool that ends a hanging transaction. No partition comes twice: Apache then waits for
 * ever for the second outcome.
 */
const writeMarkers = requestKind<MarkerArgs>({
  name: 'write-txn-markers',
  weight: 0.7,
  apiKey: 27,
  draw: (draw) => ({
    version: draw.version(27),
    id: label(draw),
    who: draw.pick(['own', 'own', 'own', 'older', 'other'] as const),
    transactionResult: draw.chance(0.3),
    // One that is newer than the real coordinator would fence it, for good.
    coordinatorEpoch: draw.pick([0, 0, -1]),
    places: [...new Set(draw.some(3, () => draw.transactionTopic()))].map((name) => ({
      name,
      partitions: [...new Set(draw.some(3, () => draw.partition()))],
    })),
  }),
  request: ({ version, id, who, places, ...marker }, side) => ({
    apiKey: 27,
    version,
    fields: {
      markers: [
        {
          ...marker,
          ...identityOf(id, who, side),
          topics: places.map(({ name, partitions }) => ({ name: nameOf(name, side), partitionIndexes: partitions })),
        },
      ],
    },
  }),
});

interface DescribeArgs {
  readonly version: number;
  readonly ids: readonly string[];
}

const describe = requestKind<DescribeArgs>({
  name: 'describe-transactions',
  weight: 1.5,
  apiKey: DESCRIBE_TRANSACTIONS,
  draw: (draw) => ({ version: draw.version(DESCRIBE_TRANSACTIONS), ids: draw.some(3, () => drawId(draw)) }),
  request: ({ version, ids }, side) => ({
    apiKey: DESCRIBE_TRANSACTIONS,
    version,
    fields: { transactionalIds: ids.map((id) => side.named(id)) },
  }),
});

interface ListArgs {
  readonly version: number;
  readonly stateFilters: readonly string[];
  readonly of: string | null;
  readonly durationFilter: number;
}

const list = requestKind<ListArgs>({
  name: 'list-transactions',
  weight: 1,
  apiKey: 66,
  draw: (draw) => ({
    version: draw.version(66),
    stateFilters: draw.pick([[], [], ['Ongoing'], ['CompleteCommit', 'Empty'], ['ongoing'], ['Dead', 'x', '']]),
    of: draw.chance(0.3) ? drawId(draw) : null,
    durationFilter: draw.pick([-1, -1, 0, -5, 100_000_000]),
  }),
  request: ({ version, stateFilters, of, durationFilter }, side) => ({
    apiKey: 66,
    version,
    fields: {
      stateFilters,
      producerIdFilters: of === null ? [] : [identityOf(of, 'own', side).producerId],
      ...(version >= 1 ? { durationFilter } : {}),
    },
  }),
});

export const transactionKinds = [
  init,
  addPartitions,
  produce,
  addOffsets,
  commitOffsets,
  readOffsets,
  end,
  writeMarkers,
  describe,
  list,
];
