import { requestKind } from '../kind.ts';
import { type DrawnRecords, drawRecords, recordsFrom } from './records.ts';

interface Args {
  readonly version: number;
  readonly acks: number;
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly { readonly index: number; readonly records: DrawnRecords }[];
  }[];
}

export const produce = requestKind<Args>({
  name: 'produce',
  weight: 14,
  apiKey: 0,
  draw: (draw) => {
    const version = draw.version(0);
    const names = [...new Set(draw.some(2, () => draw.topic()))];
    return {
      version,
      acks: draw.pick([-1, -1, 1, 1, 1, 0, 2]),
      topics: names.map((name) => ({
        name,
        partitions: [...new Set(draw.some(2, () => draw.partition()))].map((index) => ({
          index,
          records: drawRecords(draw, version),
        })),
      })),
    };
  },
  request: ({ version, acks, topics }, side) => ({
    apiKey: 0,
    version,
    isAnswered: acks !== 0,
    fields: {
      acks,
      timeoutMs: 5000,
      topicData: topics.map(({ name, partitions }) => ({
        ...side.topic(name, version >= 13),
        partitionData: partitions.map(({ index, records }) => ({
          index,
          records: recordsFrom(records, side),
        })),
      })),
    },
  }),
});

interface ProducerArgs {
  readonly version: number;
  readonly label: string;
  /** Whether it says who it was (KIP-360). */
  readonly again: boolean;
}

export const initProducerId = requestKind<ProducerArgs>({
  name: 'init-producer-id',
  weight: 1,
  apiKey: 22,
  draw: (draw) => {
    const version = draw.version(22);
    return { version, label: draw.pick(['p0', 'p1']), again: version >= 3 && draw.chance(0.3) };
  },
  request: ({ version, label, again }, side) => {
    const known = again ? side.producers.get(label) : undefined;
    return {
      apiKey: 22,
      version,
      fields: {
        transactionalId: null,
        transactionTimeoutMs: 60_000,
        producerId: known?.id ?? -1,
        producerEpoch: known?.epoch ?? -1,
      },
    };
  },
  learn: ({ label }, { errorCode, producerId, producerEpoch }, side) => {
    if (errorCode === 0) side.producers.set(label, { id: producerId as number, epoch: producerEpoch as number });
  },
});
