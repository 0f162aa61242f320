import { Deque } from '../../base/deque.ts';
import type { Completion, DiskError } from '../../runtime/disk.ts';
import type { Segment } from './segment.ts';

/** Bytes that one vectored write takes together. */
const GROUP_BYTES_MAX = 4_194_304;

export interface QueuedWrite {
  readonly kind: 'write';
  readonly segment: Segment;
  readonly bytes: readonly Uint8Array[];
  readonly sizeInBytes: number;
}

/** Something that must happen between writes: a roll, a truncation. The queue stands still until it is done. */
export interface QueuedAction {
  readonly kind: 'action';
  run(next: () => void): void;
}

/**
 * One write of a log in flight; what arrives meanwhile is the next group, written with one vectored append. Everything happens
 * in the order it was queued.
 */
export class AppendQueue<W extends QueuedWrite> {
  readonly #queue = new Deque<W | QueuedAction>();
  readonly #refusal: () => DiskError | undefined;
  readonly #settled: (group: readonly W[], error: DiskError | undefined, next: () => void) => void;
  #busy = false;
  #draining = false;

  /**
   * @param refusal why nothing is written any more, if so
   * @param settled hears of each group when its write is done or failed, and says when the next may go
   */
  constructor(
    refusal: () => DiskError | undefined,
    settled: (group: readonly W[], error: DiskError | undefined, next: () => void) => void,
  ) {
    this.#refusal = refusal;
    this.#settled = settled;
  }

  get isIdle(): boolean {
    return !this.#busy && this.#queue.size === 0;
  }

  push(item: W | QueuedAction): void {
    this.#queue.push(item);
    this.#drain();
  }

  /** Runs when everything queued so far is done; at once when idle. */
  run(action: (next: () => void) => void): void {
    this.push({ kind: 'action', run: action });
  }

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
    const group = [first];
    let { bytes, sizeInBytes } = first;
    for (let item = this.#queue.peek(); item !== undefined; item = this.#queue.peek()) {
      if (item.kind === 'action' || item.segment !== first.segment) break;
      if (sizeInBytes + item.sizeInBytes > GROUP_BYTES_MAX) break;
      this.#queue.shift();
      group.push(item);
      bytes = group.length === 2 ? [...bytes, ...item.bytes] : pushAll(bytes as Uint8Array[], item.bytes);
      sizeInBytes += item.sizeInBytes;
    }
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      this.#settled(group, refusal, this.#next);
      return;
    }
    const done: Completion = (error) => this.#settled(group, error, this.#next);
    first.segment.write(bytes, done);
  }

  readonly #next = (): void => {
    this.#busy = false;
    this.#drain();
  };
}

function pushAll(into: Uint8Array[], more: readonly Uint8Array[]): Uint8Array[] {
  for (const bytes of more) into.push(bytes);
  return into;
}
