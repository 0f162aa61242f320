import assert from 'node:assert/strict';
import type { AcquiredRecords } from '../acquire.ts';
import { AcknowledgeType } from '../slot.ts';
import { DELIVERIES_MAX, LOCK_MS } from './delivery-world.ts';

interface Known {
  state: 'free' | 'held' | 'done';
  count: number;
  owner: string;
  untilMs: number;
  /** What a crash leaves. */
  stored: { state: 'free' | 'done'; count: number };
}

/** What is known of each record, one by one, from what members were told: the rules of share groups and nothing else. */
export class NaiveModel {
  readonly records: Known[];
  /** Offsets that a member acknowledged for good. */
  readonly accepted = new Set<number>();

  constructor(count: number) {
    this.records = Array.from({ length: count }, () => ({
      state: 'free',
      count: 0,
      owner: '',
      untilMs: 0,
      stored: { state: 'free', count: 0 },
    }));
  }

  /** One member at a time, never what is done, never too often. */
  acquired(member: string, ranges: readonly AcquiredRecords[], nowMs: number): void {
    let previous = -1;
    for (const { firstOffset, lastOffset, deliveryCount } of ranges) {
      assert.ok(firstOffset > previous && lastOffset >= firstOffset, 'ranges are in order');
      previous = lastOffset;
      for (let offset = firstOffset; offset <= lastOffset; offset += 1) {
        const record = this.records[offset];
        assert.ok(record, `${offset} is in the log`);
        assert.equal(record.state, 'free', `${offset} is free`);
        assert.ok(!this.accepted.has(offset), `${offset} is never delivered again`);
        record.count += 1;
        assert.ok(record.count <= DELIVERIES_MAX, `${offset} is delivered ${record.count} times`);
        assert.equal(deliveryCount, record.count, `delivery count of ${offset}`);
        Object.assign(record, { state: 'held', owner: member, untilMs: nowMs + LOCK_MS });
      }
    }
  }

  mayAcknowledge(member: string, firstOffset: number, lastOffset: number): boolean {
    for (let offset = firstOffset; offset <= lastOffset; offset += 1) {
      const record = this.records[offset];
      if (record?.state !== 'held' || record.owner !== member) return false;
    }
    return true;
  }

  acknowledged(firstOffset: number, lastOffset: number, types: readonly number[], nowMs: number): void {
    for (let offset = firstOffset; offset <= lastOffset; offset += 1) {
      const record = this.records[offset]!;
      const type = types.length > 1 ? types[offset - firstOffset] : types[0];
      if (type === AcknowledgeType.renew) record.untilMs = nowMs + LOCK_MS;
      else if (type === AcknowledgeType.release) this.#release(record);
      else {
        record.state = 'done';
        record.stored = { state: 'done', count: record.count };
        this.accepted.add(offset);
      }
    }
  }

  /** It was refused at the first record that the member does not hold; what was to be renewed before that is. */
  refused(member: string, firstOffset: number, lastOffset: number, types: readonly number[], nowMs: number): void {
    for (let offset = firstOffset; offset <= lastOffset && this.mayAcknowledge(member, offset, offset); offset += 1) {
      const type = types.length > 1 ? types[offset - firstOffset] : types[0];
      if (type === AcknowledgeType.renew) this.acknowledged(offset, offset, [type], nowMs);
    }
  }

  #release(record: Known): void {
    record.state = record.count >= DELIVERIES_MAX ? 'done' : 'free';
    record.stored = { state: record.state, count: record.count };
  }

  memberLeft(member: string): void {
    for (const record of this.records) if (record.state === 'held' && record.owner === member) this.#release(record);
  }

  timePassed(nowMs: number): void {
    for (const record of this.records) if (record.state === 'held' && record.untilMs <= nowMs) this.#release(record);
  }

  crashed(): void {
    for (const record of this.records) {
      record.state = record.stored.state;
      record.count = record.stored.count;
    }
  }
}
