/** Transactions in partitions and groups. They come before whatever brings a coordinator of transactions into being. */
import { flatten, slicesOf } from '../../../src/base/slices.ts';
import { buildBatch } from '../../../src/kafka/records/builder.ts';
import { ZERO_UUID } from '../../../src/wire/schema.ts';
import type { Case, World } from './cases.ts';

function transactional() {
  const record = { timestamp: 1_700_000_000_000, key: null, value: Buffer.from('v') };
  const producer = { producerId: 4000, producerEpoch: 0, baseSequence: 0, isTransactional: true };
  return slicesOf(Buffer.from(flatten(buildBatch({ ...producer, records: [record] }))));
}

const produce = (version: number, world: World, transactionalId: string | null): object => ({
  acks: -1,
  timeoutMs: 10_000,
  ...(version >= 3 ? { transactionalId } : {}),
  topicData: [
    {
      name: version >= 13 ? '' : 'produced',
      topicId: version >= 13 ? world.producedId : ZERO_UUID,
      partitionData: [{ index: 0, records: transactional() }],
    },
  ],
});

const markers = (topics: readonly { name: string; partitionIndexes: number[] }[], producerId = 4001): object => ({
  markers: [
    { producerId, producerEpoch: 0, transactionResult: true, coordinatorEpoch: 1, transactionVersion: 0, topics },
  ],
});

const commit = (version: number, world: World, groupId: string, partitions: readonly number[]): object => ({
  transactionalId: 'nobody',
  groupId,
  producerId: 4002,
  producerEpoch: 0,
  topics: [
    {
      name: version >= 6 ? '' : 'diff',
      topicId: version >= 6 ? world.topicId : ZERO_UUID,
      partitions: partitions.map((partitionIndex) => ({
        partitionIndex,
        committedOffset: 1,
        committedLeaderEpoch: -1,
        committedMetadata: null,
      })),
    },
    {
      name: version >= 6 ? '' : 'missing',
      topicId: ZERO_UUID,
      partitions: [{ partitionIndex: 0, committedOffset: 1, committedLeaderEpoch: -1, committedMetadata: '' }],
    },
  ],
});

export const txnlogCases: readonly Case[] = [
  {
    apiKey: 0,
    name: 'within a transaction that nobody knows',
    request: (version, world) => produce(version, world, 'nobody'),
  },
  {
    apiKey: 0,
    name: 'of a transaction that the request does not name',
    request: (version, world) => produce(version, world, null),
  },
  { apiKey: 27, name: 'none', request: () => ({ markers: [] }) },
  {
    apiKey: 27,
    name: 'into partitions that are there, and some that are not',
    request: () =>
      markers([
        { name: 'produced', partitionIndexes: [0, 9] },
        { name: 'missing', partitionIndexes: [0] },
        { name: '__consumer_offsets', partitionIndexes: [0, 1, 99] },
      ]),
  },
  { apiKey: 27, name: 'into nothing', request: () => markers([{ name: 'produced', partitionIndexes: [] }]) },
  {
    apiKey: 28,
    name: 'within a transaction that nobody knows',
    request: (version, world) => commit(version, world, 'group', [0, 9]),
  },
  { apiKey: 28, name: 'without a group', request: (version, world) => commit(version, world, '', [0]) },
  {
    apiKey: 28,
    name: 'of partitions that are not there',
    request: (version, world) => commit(version, world, 'group', [7]),
  },
  {
    apiKey: 61,
    name: 'of partitions that are there, and some that are not',
    request: () => ({
      topics: [
        { name: 'diff', partitionIndexes: [0, 9] },
        { name: 'missing', partitionIndexes: [0] },
        { name: 'bad name', partitionIndexes: [0] },
        { name: 'produced', partitionIndexes: [0] },
      ],
    }),
  },
];
