import { assert, present } from '../../base/assert.ts';
import type { Segment } from './segment.ts';

/** The segments of a log by base offset, ascending; never empty once the log is loaded. */
export class SegmentList {
  readonly #segments: Segment[];

  constructor(segments: readonly Segment[]) {
    this.#segments = [...segments].sort((a, b) => a.baseOffset - b.baseOffset);
  }

  get all(): readonly Segment[] {
    return this.#segments;
  }

  get first(): Segment {
    return present(this.#segments[0], 'a log has a segment');
  }

  get active(): Segment {
    return present(this.#segments.at(-1), 'a log has a segment');
  }

  /** Bytes of all segments. */
  get size(): number {
    let size = 0;
    for (const segment of this.#segments) size += segment.size;
    return size;
  }

  add(segment: Segment): void {
    const last = this.#segments.at(-1);
    assert(last === undefined || last.baseOffset < segment.baseOffset, 'segments ascend', segment.baseOffset);
    this.#segments.push(segment);
  }

  remove(gone: readonly Segment[]): void {
    for (const segment of gone) this.#segments.splice(this.#segments.indexOf(segment), 1);
  }

  /** Puts a segment in the place of those that it was made from, the first of which has its base. */
  replace(gone: readonly Segment[], segment: Segment): void {
    const index = this.#segments.indexOf(present(gone[0], 'something is replaced'));
    assert(
      index >= 0 && gone.every((each, at) => this.#segments[index + at] === each),
      'what is replaced stands together',
      segment.baseOffset,
    );
    this.#segments.splice(index, gone.length, segment);
  }

  /** The segment in which an offset lies, if it is in the log: the last one that begins at or below it. */
  floor(offset: number): Segment | undefined {
    const index = this.#floorIndex(offset);
    return index < 0 ? undefined : this.#segments[index];
  }

  after(segment: Segment): Segment | undefined {
    return this.#segments[this.#floorIndex(segment.baseOffset) + 1];
  }

  /** The segments that hold [from, to). */
  between(from: number, to: number): Segment[] {
    const start = Math.max(0, this.#floorIndex(from));
    return this.#segments.slice(start).filter((segment) => segment.baseOffset < to);
  }

  #floorIndex(offset: number): number {
    let low = 0;
    let high = this.#segments.length - 1;
    // Nearly every question is about the newest segment.
    if (high >= 0 && this.#segments[high]!.baseOffset <= offset) return high;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (this.#segments[middle]!.baseOffset <= offset) low = middle + 1;
      else high = middle - 1;
    }
    return high;
  }
}
