import type { GroupMetadataValue } from '../../protocol/records/group-metadata.ts';
import { NO_PRODUCER_ID } from '../../records/batch.ts';
import { ConsumerGroup } from './consumer/consumer-group.ts';
import type { CommittedOffset, GroupRecord, OffsetRecord } from './group-records.ts';
import { ShareGroup } from './share/share-group.ts';
import { isShareRecord } from './share/share-records.ts';
import { StreamsGroup } from './streams/streams-group.ts';
import { isStreamsRecord } from './streams/streams-records.ts';

interface StoredOffset {
  readonly value: CommittedOffset;
  /** Where it stands among all replayed records. */
  readonly sequence: number;
}

/** The committed offsets of one group, by topic and partition. */
class OffsetTable {
  readonly topics = new Map<string, Map<number, StoredOffset>>();

  get(topic: string, partition: number): StoredOffset | undefined {
    return this.topics.get(topic)?.get(partition);
  }

  put(topic: string, partition: number, stored: StoredOffset): void {
    let partitions = this.topics.get(topic);
    if (partitions === undefined) {
      partitions = new Map();
      this.topics.set(topic, partitions);
    }
    partitions.set(partition, stored);
  }

  delete(topic: string, partition: number): void {
    const partitions = this.topics.get(topic);
    if (partitions?.delete(partition) === true && partitions.size === 0) this.topics.delete(topic);
  }

  *entries(): IterableIterator<{ topic: string; partition: number; stored: StoredOffset }> {
    for (const [topic, partitions] of this.topics) {
      for (const [partition, stored] of partitions) yield { topic, partition, stored };
    }
  }
}

/**
 * What one partition of `__consumer_offsets` says, and nothing else: every change is the replay of a record, live as well as
 * after a restart.
 */
export class DurableState {
  /** Groups whose metadata the log holds. */
  readonly metadata = new Map<string, GroupMetadataValue>();
  /** Groups of the consumer protocol. */
  readonly consumerGroups = new Map<string, ConsumerGroup>();
  readonly shareGroups = new Map<string, ShareGroup>();
  readonly streamsGroups = new Map<string, StreamsGroup>();
  readonly #offsets = new Map<string, OffsetTable>();
  /** Offsets committed within transactions that have not ended: by producer id and group. */
  readonly #pending = new Map<number, Map<string, OffsetTable>>();
  #sequence = 0;

  /** @param producerId of a transactional batch: its offsets count when the transaction is committed */
  replay(record: GroupRecord, producerId: number = NO_PRODUCER_ID): void {
    this.#sequence += 1;
    if (record.kind === 'metadata') {
      if (record.value === null) this.metadata.delete(record.group);
      else this.metadata.set(record.group, record.value);
    } else if (isShareRecord(record)) {
      replayInto(this.shareGroups, record, (id) => new ShareGroup(id));
    } else if (isStreamsRecord(record)) {
      replayInto(this.streamsGroups, record, (id) => new StreamsGroup(id));
    } else if (record.kind !== 'offset') {
      replayInto(this.consumerGroups, record, (id) => new ConsumerGroup(id));
    } else if (record.value === null) {
      this.#forget(record);
    } else {
      const stored = { value: record.value, sequence: this.#sequence };
      const tables = producerId === NO_PRODUCER_ID ? this.#offsets : this.#pendingOf(producerId);
      tableOf(tables, record.group).put(record.topic, record.partition, stored);
    }
  }

  /** The end of a transaction on this partition. Where a later commit went past it meanwhile, that one stays. */
  endTransaction(producerId: number, committed: boolean): void {
    const pending = this.#pending.get(producerId);
    this.#pending.delete(producerId);
    if (pending === undefined || !committed) return;
    for (const [group, table] of pending) {
      const offsets = tableOf(this.#offsets, group);
      for (const { topic, partition, stored } of table.entries()) {
        const known = offsets.get(topic, partition);
        if (known === undefined || known.sequence < stored.sequence) offsets.put(topic, partition, stored);
      }
    }
  }

  offset(group: string, topic: string, partition: number): CommittedOffset | undefined {
    return this.#offsets.get(group)?.get(topic, partition)?.value;
  }

  /** The committed offsets of a group. */
  *offsets(group: string): IterableIterator<{ topic: string; partition: number; value: CommittedOffset }> {
    const table = this.#offsets.get(group);
    if (table === undefined) return;
    for (const { topic, partition, stored } of table.entries()) yield { topic, partition, value: stored.value };
  }

  /** Committed offsets of all groups. */
  get offsetCount(): number {
    let count = 0;
    for (const { topics } of this.#offsets.values()) for (const { size } of topics.values()) count += size;
    return count;
  }

  /** Partitions of a topic that a group has committed offsets of. */
  partitionsOf(group: string, topic: string): number[] {
    return [...(this.#offsets.get(group)?.topics.get(topic)?.keys() ?? [])];
  }

  hasOffsets(group: string): boolean {
    return this.#offsets.has(group);
  }

  /** An open transaction of any producer has committed an offset of the group. */
  hasPending(group: string): boolean {
    for (const groups of this.#pending.values()) if (groups.has(group)) return true;
    return false;
  }

  /** What open transactions have committed of a group. */
  *pendingOffsets(group: string): IterableIterator<{ topic: string; partition: number }> {
    for (const groups of this.#pending.values()) {
      for (const { topic, partition } of groups.get(group)?.entries() ?? []) yield { topic, partition };
    }
  }

  isPending(group: string, topic: string, partition: number): boolean {
    for (const groups of this.#pending.values()) {
      if (groups.get(group)?.get(topic, partition) !== undefined) return true;
    }
    return false;
  }

  /** Every group that the log knows of, once; those of the consumer protocol only if they have offsets. */
  *groups(): IterableIterator<string> {
    yield* this.metadata.keys();
    const seen = new Set<string>(this.metadata.keys());
    for (const tables of [this.#offsets, ...this.#pending.values()]) {
      for (const group of tables.keys()) {
        if (!seen.has(group)) yield group;
        seen.add(group);
      }
    }
  }

  #forget({ group, topic, partition }: OffsetRecord): void {
    forgetIn(this.#offsets, group, topic, partition);
    for (const groups of this.#pending.values()) forgetIn(groups, group, topic, partition);
  }

  #pendingOf(producerId: number): Map<string, OffsetTable> {
    let groups = this.#pending.get(producerId);
    if (groups === undefined) {
      groups = new Map();
      this.#pending.set(producerId, groups);
    }
    return groups;
  }
}

/** A group begins with its first record and ends with the last tombstone. */
function replayInto<R extends { readonly group: string; readonly value: unknown }>(
  groups: Map<string, { replay(record: R): boolean }>,
  record: R,
  begin: (id: string) => { replay(record: R): boolean },
): void {
  let group = groups.get(record.group);
  if (group === undefined) {
    if (record.value === null) return;
    group = begin(record.group);
    groups.set(record.group, group);
  }
  if (group.replay(record)) groups.delete(record.group);
}

function tableOf(tables: Map<string, OffsetTable>, group: string): OffsetTable {
  let table = tables.get(group);
  if (table === undefined) {
    table = new OffsetTable();
    tables.set(group, table);
  }
  return table;
}

function forgetIn(tables: Map<string, OffsetTable>, group: string, topic: string, partition: number): void {
  const table = tables.get(group);
  if (table === undefined) return;
  table.delete(topic, partition);
  if (table.topics.size === 0) tables.delete(group);
}
