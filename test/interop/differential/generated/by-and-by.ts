/** What a Fetch would have been answered by and by: whether only sizes made two answers differ. */
import { isDeepStrictEqual } from 'node:util';
import type { Slices } from '../../../../src/base/slices.ts';
import { batchesOf } from '../../../../src/kafka/records/batch.ts';
import { PARTITION_FIELDS } from '../fetch-fields.ts';
import type { Answer } from '../raw-client.ts';
import { neutral } from './answers.ts';
import type { Side } from './side.ts';

export const FETCH = 1;
const BYTES_MAX = 100_000_000;

interface Place {
  readonly name: string;
  readonly partition: number;
  fetchOffset: number;
  /** Of the last record that one of both answered. */
  readonly lastOffset: number;
}

interface FetchedTopic {
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: readonly { readonly partitionIndex: number; readonly records: Slices | null }[];
}

/** All that one of both answered of each partition, asked of both until they have told it: is it the same to the last record? */
export async function isSameByAndBy(
  sides: readonly [Side, Side],
  version: number,
  answers: readonly [Answer, Answer],
  isolationLevel: number,
): Promise<boolean> {
  const [places, ours] = answers.map((answer, index) => placesOf(answer, sides[index]!)) as [Place[], Place[]];
  for (const { lastOffset, ...place } of places) {
    const other = ours.find(({ name, partition }) => name === place.name && partition === place.partition);
    const whole = { ...place, lastOffset: Math.max(lastOffset, other?.lastOffset ?? 0) };
    const [one, another] = await Promise.all(sides.map((side) => readAll(side, whole, version, isolationLevel)));
    if (!isDeepStrictEqual(one, another)) return false;
  }
  return places.length > 0;
}

function placesOf(answer: Answer, side: Side): Place[] {
  const names = new Map([...side.topicIds].map(([name, id]) => [id, name]));
  return (answer.responses as FetchedTopic[]).flatMap(({ topic, topicId, partitions }) =>
    partitions.flatMap(({ partitionIndex, records }) => {
      const batches = records === null ? [] : [...batchesOf(records)];
      const [first, last] = [batches[0], batches.at(-1)];
      if (first === undefined || last === undefined) return [];
      const name = topic === '' ? (names.get(topicId) ?? '') : topic.slice(side.prefix.length);
      return [
        { name, partition: partitionIndex, fetchOffset: first.header.baseOffset, lastOffset: last.header.lastOffset },
      ];
    }),
  );
}

/** Converted records are larger than what the log has and end where that ends: one answer need not have all. */
async function readAll(side: Side, place: Place, version: number, isolationLevel: number): Promise<unknown[]> {
  const { lastOffset, ...at } = place;
  const all: unknown[] = [];
  while (at.fetchOffset <= lastOffset) {
    const fields = fieldsOf(at, side, version, isolationLevel);
    const answer = await side.send({ apiKey: FETCH, version, fields });
    if (typeof answer === 'string' || answer === null) return [...all, answer];
    const records = (answer.responses as FetchedTopic[])[0]?.partitions[0]?.records ?? null;
    const batches = records === null ? [] : [...batchesOf(records)];
    if (batches.length === 0) return [...all, neutral(answer, side)];
    const wanted = batches.filter(({ header }) => header.lastOffset <= lastOffset).length;
    all.push(...recordsOf(neutral(answer, side)).slice(0, wanted));
    at.fetchOffset = batches.at(-1)!.header.lastOffset + 1;
  }
  return all;
}

function recordsOf(told: unknown): unknown[] {
  const { responses } = told as { responses: { partitions: { records: unknown[] }[] }[] };
  return responses[0]?.partitions[0]?.records ?? [];
}

function fieldsOf(
  { name, ...place }: Omit<Place, 'lastOffset'>,
  side: Side,
  version: number,
  isolationLevel: number,
): object {
  return {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: BYTES_MAX,
    isolationLevel,
    replicaId: -1,
    sessionEpoch: -1,
    topics: [
      {
        ...side.topic(name, version >= 13),
        partitions: [{ ...PARTITION_FIELDS, ...place, partitionMaxBytes: BYTES_MAX }],
      },
    ],
  };
}
