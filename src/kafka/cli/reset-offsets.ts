import { readFileSync } from 'node:fs';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Admin } from '../client/admin.ts';
import { partitionKey, type TopicPartition } from '../client/cluster-metadata.ts';
import type { CommittedOffset, OffsetFound } from '../client/offsets.ts';
import { EARLIEST, LATEST } from '../client/offsets.ts';
import { durationMs, isoTimeMs } from './iso-time.ts';
import type { ParsedOptions } from './option-parser.ts';
import { ToolExit } from './tool.ts';

export interface ResetContext {
  readonly admin: Admin;
  readonly options: ParsedOptions;
  readonly runtime: Runtime;
  readonly groupId: string;
}

const LOGGER = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand';

/** Where a group is to go on, partition by partition. */
export async function newOffsets(context: ResetContext): Promise<CommittedOffset[]> {
  const { options } = context;
  if (options.has('from-file')) return fromFile(context);
  const partitions = await partitionsInScope(context);
  if (options.has('to-earliest')) return at(context, partitions, () => EARLIEST);
  if (options.has('to-latest')) return at(context, partitions, () => LATEST);
  if (options.has('to-offset')) {
    const offset = options.number('to-offset')!;
    return clamped(
      context,
      partitions.map((partition) => ({ ...partition, offset })),
    );
  }
  if (options.has('to-datetime')) return at(context, partitions, () => isoTimeMs(options.value('to-datetime')!));
  if (options.has('by-duration')) {
    const agoMs = durationMs(options.value('by-duration')!);
    return at(context, partitions, () => context.runtime.clock.wallMs() - agoMs);
  }
  if (options.has('shift-by')) return shifted(context, partitions, options.number('shift-by')!);
  return current(context, partitions);
}

/** `--topic t`, `--topic t:0,1`, `--all-topics`. */
export async function partitionsInScope({ admin, options, groupId }: ResetContext): Promise<TopicPartition[]> {
  if (options.has('all-topics')) {
    return (await admin.groups.committed(groupId)).map(({ topic, partition }) => ({ topic, partition }));
  }
  return partitionsOf(admin, options.values('topic'));
}

export async function partitionsOf(admin: Admin, texts: readonly string[]): Promise<TopicPartition[]> {
  const found: TopicPartition[] = [];
  for (const text of texts) {
    const colon = text.indexOf(':');
    const topic = colon < 0 ? text : text.slice(0, colon);
    if (colon >= 0) {
      found.push(
        ...text
          .slice(colon + 1)
          .split(',')
          .map((partition) => ({ topic, partition: Number(partition) })),
      );
    } else {
      const [described] = await admin.describeTopics([topic]);
      found.push(...described!.partitions.map(({ partition }) => ({ topic, partition })));
    }
  }
  return found;
}

/** The offset at a time; the end where nothing is that young. */
async function at(
  { admin }: ResetContext,
  partitions: readonly TopicPartition[],
  timestampOf: () => number,
): Promise<CommittedOffset[]> {
  const timestamp = timestampOf();
  const found = checked(await admin.listOffsets(partitions.map((partition) => ({ ...partition, timestamp }))));
  const young = found.filter(({ offset }) => offset < 0);
  const ends = checked(
    await admin.listOffsets(young.map(({ topic, partition }) => ({ topic, partition, timestamp: LATEST }))),
  );
  const endOf = new Map(ends.map(({ topic, partition, offset }) => [partitionKey(topic, partition), offset]));
  return found.map(({ topic, partition, offset }) => ({
    ...{ topic, partition },
    offset: offset < 0 ? (endOf.get(partitionKey(topic, partition)) ?? 0) : offset,
  }));
}

function checked(found: readonly OffsetFound[]): readonly OffsetFound[] {
  for (const { error } of found) if (error !== undefined) throw error;
  return found;
}

async function shifted(
  context: ResetContext,
  partitions: readonly TopicPartition[],
  distance: number,
): Promise<CommittedOffset[]> {
  const committed = await committedOffsets(context);
  return clamped(
    context,
    partitions.map(({ topic, partition }) => {
      const from = committed.get(partitionKey(topic, partition));
      if (from === undefined) {
        throw new ToolExit(
          `Cannot shift offset for partition ${topic}-${partition} since there is no current committed offset\n`,
        );
      }
      return { topic, partition, offset: from + distance };
    }),
  );
}

async function committedOffsets({ admin, groupId }: ResetContext): Promise<Map<string, number>> {
  const committed = await admin.groups.committed(groupId);
  return new Map(committed.map(({ topic, partition, offset }) => [partitionKey(topic, partition), offset]));
}

/** What is committed stays; the others go to the end. */
async function current(context: ResetContext, partitions: readonly TopicPartition[]): Promise<CommittedOffset[]> {
  const committed = await committedOffsets(context);
  const ends = await at(
    context,
    partitions.filter(({ topic, partition }) => !committed.has(partitionKey(topic, partition))),
    () => LATEST,
  );
  const known = partitions.flatMap(({ topic, partition }) => {
    const offset = committed.get(partitionKey(topic, partition));
    return offset === undefined ? [] : [{ topic, partition, offset }];
  });
  return [...known, ...ends];
}

/** Into what the log holds, with a warning. */
async function clamped(context: ResetContext, wanted: readonly CommittedOffset[]): Promise<CommittedOffset[]> {
  const partitions = wanted.map(({ topic, partition }) => ({ topic, partition }));
  const byKey = (offsets: readonly CommittedOffset[]) =>
    new Map(offsets.map(({ topic, partition, offset }) => [partitionKey(topic, partition), offset]));
  const [begins, ends] = await Promise.all([
    at(context, partitions, () => EARLIEST).then(byKey),
    at(context, partitions, () => LATEST).then(byKey),
  ]);
  const log = context.runtime.log.named(LOGGER);
  return wanted.map(({ topic, partition, offset }) => {
    const where = partitionKey(topic, partition);
    const [begin, end] = [begins.get(where)!, ends.get(where)!];
    if (offset > end) {
      log.warn(
        `New offset (${offset}) is higher than latest offset for topic partition ${where}. Value will be set to ${end}`,
      );
      return { topic, partition, offset: end };
    }
    if (offset < begin) {
      log.warn(
        `New offset (${offset}) is lower than earliest offset for topic partition ${where}. Value will be set to ${begin}`,
      );
      return { topic, partition, offset: begin };
    }
    return { topic, partition, offset };
  });
}

/** `topic,partition,offset` or `group,topic,partition,offset` a line, as `--export` prints. */
function fromFile(context: ResetContext): Promise<CommittedOffset[]> {
  const path = context.options.value('from-file')!;
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const wanted = lines.flatMap((line) => {
    const cells = line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
    const group = cells.length === 4 ? cells.shift() : context.groupId;
    const [topic = '', partition, offset] = cells;
    return group === context.groupId ? [{ topic, partition: Number(partition), offset: Number(offset) }] : [];
  });
  return clamped(context, wanted);
}
