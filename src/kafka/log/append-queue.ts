import { Deque } from '../../base/deque.ts';
import { type Span, ViewList } from '../../base/spans.ts';
import type { Completion, DiskError } from '../../runtime/disk.ts';
import type { TurnEnd } from '../../runtime/turn-end.ts';
import type { Segment } from './segment.ts';

/** Bytes that one vectored write takes together. */
const GROUP_BYTES_MAX = 4_194_304;
/** So much is written at once, beside what else this turn of the loop brings. */
const EARLY_BYTES = 65_536;

export interface QueuedWrite {
  readonly kind: 'write';
  readonly segment: Segment;
  readonly spans: readonly Span[];
  readonly sizeInBytes: number;
}

/** Something that must happen between writes: a roll, a truncation. The queue stands still until it is done. */
export interface QueuedAction {
  readonly kind: 'action';
  run(next: () => void): void;
}

/**
 * One write of a log in flight. What arrives meanwhile is the next group, written with one vectored append; so is what one turn
 * of the loop brings to an idle log. Everything happens in the order it was queued.
 */
export class AppendQueue<W extends QueuedWrite> {
  readonly #queue = new Deque<W | QueuedAction>();
  readonly #turnEnd: TurnEnd;
  readonly #refusal: () => DiskError | undefined;
  readonly #settled: (group: readonly W[], error: DiskError | undefined, next: () => void) => void;
  #queuedBytes = 0;
  #waitsForTurnEnd = false;
  #busy = false;
  #draining = false;

  /**
   * @param refusal why nothing is written any more, if so
   * @param settled hears of each group when its write is done or failed, and says when the next may go
   */
  constructor(
    turnEnd: TurnEnd,
    refusal: () => DiskError | undefined,
    settled: (group: readonly W[], error: DiskError | undefined, next: () => void) => void,
  ) {
    this.#turnEnd = turnEnd;
    this.#refusal = refusal;
    this.#settled = settled;
  }

  get isIdle(): boolean {
    return !this.#busy && this.#queue.size === 0;
  }

  push(item: W): void {
    this.#queue.push(item);
    this.#queuedBytes += item.sizeInBytes;
    if (this.#busy || this.#draining) return;
    if (this.#queuedBytes >= EARLY_BYTES) {
      this.#drain();
    } else if (!this.#waitsForTurnEnd) {
      this.#waitsForTurnEnd = true;
      this.#turnEnd.afterInput(this.#turnEnded);
    }
  }

  /** Runs when everything queued so far is done; at once when idle. */
  run(action: (next: () => void) => void): void {
    this.#queue.push({ kind: 'action', run: action });
    this.#drain();
  }

  readonly #turnEnded = (): void => {
    this.#waitsForTurnEnd = false;
    this.#drain();
  };

  /** A loop, not a recursion: writes often finish before they return. */
  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    try {
      while (!this.#busy && this.#queue.size > 0) {
        this.#busy = true;
        this.#start(this.#queue.shift()!);
      }
    } finally {
      this.#draining = false;
    }
  }

  #start(item: W | QueuedAction): void {
    if (item.kind === 'action') item.run(this.#next);
    else this.#write(item);
  }

  #write(first: W): void {
    const group = this.#takeGroup(first);
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      this.#settled(group, refusal, this.#next);
      return;
    }
    const views = new ViewList();
    for (const { spans } of group) for (const span of spans) views.add(span);
    const done: Completion = (error) => this.#settled(group, error, this.#next);
    first.segment.write(views.finish(), done);
  }

  /** With the first all that follows into the same file. */
  #takeGroup(first: W): readonly W[] {
    const group = [first];
    let { sizeInBytes } = first;
    for (let item = this.#queue.peek(); item !== undefined; item = this.#queue.peek()) {
      if (item.kind === 'action' || item.segment !== first.segment) break;
      if (sizeInBytes + item.sizeInBytes > GROUP_BYTES_MAX) break;
      this.#queue.shift();
      group.push(item);
      sizeInBytes += item.sizeInBytes;
    }
    this.#queuedBytes -= sizeInBytes;
    return group;
  }

  readonly #next = (): void => {
    this.#busy = false;
    this.#drain();
  };
}
