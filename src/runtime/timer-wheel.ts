import type { Clock, Timer } from './clock.ts';

/** Slots of a level, as bits: two words of 32. */
const slotBits = 6;
const slotCount = 1 << slotBits;
/** Six levels of 64 slots reach 2^36 ms, two years; what is later waits in the last slot and is placed again. */
const levelCount = 6;
const reachMs = 2 ** (slotBits * levelCount) - 1;

/**
 * A hierarchical timing wheel (Varghese and Lauck; kafka.utils.timer.TimingWheel) with ticks of a millisecond, for the many
 * deadlines of which most are cancelled: adding and cancelling take constant time, and the clock carries a single timer, armed for
 * the next slot that holds anything. Nothing fires early; deadlines within one tick fire in no particular order.
 *
 * A level's slot holds the deadlines of 64^level ticks. When time reaches a slot of a higher level, its entries move down.
 */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #levels: Level[] = [];
  /** Every deadline at or before this tick has fired. */
  #tick: number;
  #size = 0;
  #armed: Timer | undefined;
  #armedTick = Number.POSITIVE_INFINITY;
  #firing = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#tick = Math.floor(clock.monotonicMs());
    for (let level = 0; level < levelCount; level += 1) this.#levels.push(new Level(level));
  }

  /** Deadlines that have neither fired nor been cancelled. */
  get size(): number {
    return this.#size;
  }

  /** Calls once, after at least so many milliseconds. */
  add(delayMs: number, callback: () => void): Timer {
    const nowMs = this.#clock.monotonicMs();
    // With nothing to fire, time may jump: an idle wheel does not walk through it later.
    if (this.#size === 0 && !this.#firing) this.#tick = Math.floor(nowMs);
    const entry = new Entry(this, Math.max(Math.ceil(nowMs + delayMs), this.#tick + 1), callback);
    this.#size += 1;
    const beginsAt = this.#place(entry);
    if (!this.#firing && beginsAt < this.#armedTick) this.#armAt(beginsAt);
    return entry;
  }

  /** Forgets every deadline. */
  close(): void {
    for (const level of this.#levels) level.clear();
    this.#size = 0;
    this.#armAt(Number.POSITIVE_INFINITY);
  }

  /** Only for the entry itself. The clock's timer stays armed: most deadlines are cancelled, and it may fire in vain once. */
  forget(entry: Entry): void {
    if (entry.unlink()) this.#size -= 1;
  }

  /** On the lowest level on which the deadline is less than one turn away; answers the first tick of its slot. */
  #place(entry: Entry): number {
    const tick = Math.min(entry.tick, this.#tick + reachMs);
    let level = 0;
    while (level < levelCount - 1 && turnsAway(tick, this.#tick, level) >= slotCount) level += 1;
    return this.#levels[level]!.add(entry, tick);
  }

  #armAt(tick: number): void {
    this.#armed?.cancel();
    this.#armed = undefined;
    this.#armedTick = tick;
    if (tick === Number.POSITIVE_INFINITY) return;
    this.#armed = this.#clock.after(tick - this.#clock.monotonicMs(), () => this.#advance());
  }

  /** When the next slot that holds anything begins, on whichever level. */
  #nextTick(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const level of this.#levels) {
      const tick = level.nextTick(this.#tick);
      if (tick < next) next = tick;
    }
    return next;
  }

  #advance(): void {
    const nowTick = Math.floor(this.#clock.monotonicMs());
    this.#firing = true;
    try {
      for (let next = this.#nextTick(); next <= nowTick && this.#size > 0; next = this.#nextTick()) {
        this.#tick = next;
        // From the highest level down, so that what moves into a lower slot of the same tick is found there.
        for (let level = levelCount - 1; level > 0; level -= 1) this.#moveDown(level);
        this.#fire();
      }
      this.#tick = Math.max(this.#tick, nowTick);
    } finally {
      this.#firing = false;
      this.#armAt(this.#size === 0 ? Number.POSITIVE_INFINITY : this.#nextTick());
    }
  }

  #moveDown(level: number): void {
    const slot = this.#levels[level]!.beginningAt(this.#tick);
    for (let entry = slot?.first; entry !== undefined; entry = slot?.first) {
      entry.unlink();
      this.#place(entry);
    }
  }

  /** A callback may add and cancel; one that throws leaves the rest of its slot for the next tick. */
  #fire(): void {
    const slot = this.#levels[0]!.slotOf(this.#tick);
    try {
      for (let entry = slot.first; entry !== undefined; entry = slot.first) {
        entry.unlink();
        this.#size -= 1;
        entry.callback();
      }
    } finally {
      for (let entry = slot.first; entry !== undefined; entry = slot.first) {
        entry.unlink();
        this.#levels[0]!.add(entry, this.#tick + 1);
      }
    }
  }
}

function turnsAway(tick: number, fromTick: number, level: number): number {
  const span = slotCount ** level;
  return Math.floor(tick / span) - Math.floor(fromTick / span);
}

class Entry implements Timer {
  readonly tick: number;
  readonly callback: () => void;
  readonly #wheel: TimerWheel;
  slot: Slot | undefined;
  previous: Entry | undefined;
  next: Entry | undefined;

  constructor(wheel: TimerWheel, tick: number, callback: () => void) {
    this.#wheel = wheel;
    this.tick = tick;
    this.callback = callback;
  }

  cancel(): void {
    this.#wheel.forget(this);
  }

  /** False when it was in no slot: fired or cancelled. */
  unlink(): boolean {
    const slot = this.slot;
    if (slot === undefined) return false;
    slot.remove(this);
    return true;
  }
}

/** A doubly linked list of entries. */
class Slot {
  readonly #level: Level;
  readonly #index: number;
  first: Entry | undefined;
  #last: Entry | undefined;

  constructor(level: Level, index: number) {
    this.#level = level;
    this.#index = index;
  }

  add(entry: Entry): void {
    entry.slot = this;
    entry.previous = this.#last;
    entry.next = undefined;
    if (this.#last === undefined) this.first = entry;
    else this.#last.next = entry;
    this.#last = entry;
    this.#level.mark(this.#index);
  }

  remove(entry: Entry): void {
    if (entry.previous === undefined) this.first = entry.next;
    else entry.previous.next = entry.next;
    if (entry.next === undefined) this.#last = entry.previous;
    else entry.next.previous = entry.previous;
    entry.slot = undefined;
    entry.previous = undefined;
    entry.next = undefined;
    if (this.first === undefined) this.#level.unmark(this.#index);
  }

  clear(): void {
    for (let entry = this.first; entry !== undefined; entry = this.first) this.remove(entry);
  }
}

class Level {
  /** Ticks that one slot spans. */
  readonly #span: number;
  readonly #slots: Slot[] = [];
  /** Which slots hold anything: slots 0 to 31, and 32 to 63. */
  #occupiedLow = 0;
  #occupiedHigh = 0;

  constructor(level: number) {
    this.#span = slotCount ** level;
    for (let index = 0; index < slotCount; index += 1) this.#slots.push(new Slot(this, index));
  }

  slotOf(tick: number): Slot {
    return this.#slots[Math.floor(tick / this.#span) % slotCount]!;
  }

  /** The slot whose first tick this is. */
  beginningAt(tick: number): Slot | undefined {
    return tick % this.#span === 0 ? this.slotOf(tick) : undefined;
  }

  /** Answers the first tick of the slot. */
  add(entry: Entry, tick: number): number {
    this.slotOf(tick).add(entry);
    return Math.floor(tick / this.#span) * this.#span;
  }

  clear(): void {
    for (const slot of this.#slots) slot.clear();
  }

  mark(index: number): void {
    if (index < 32) this.#occupiedLow |= 1 << index;
    else this.#occupiedHigh |= 1 << (index - 32);
  }

  unmark(index: number): void {
    if (index < 32) this.#occupiedLow &= ~(1 << index);
    else this.#occupiedHigh &= ~(1 << (index - 32));
  }

  /** When the next occupied slot begins, which is after the given tick. */
  nextTick(fromTick: number): number {
    if (this.#occupiedLow === 0 && this.#occupiedHigh === 0) return Number.POSITIVE_INFINITY;
    const turn = Math.floor(fromTick / this.#span);
    for (let ahead = 1; ahead <= slotCount; ahead += 1) {
      if (this.#isOccupied((turn + ahead) % slotCount)) return (turn + ahead) * this.#span;
    }
    return Number.POSITIVE_INFINITY;
  }

  #isOccupied(index: number): boolean {
    return index < 32 ? ((this.#occupiedLow >>> index) & 1) === 1 : ((this.#occupiedHigh >>> (index - 32)) & 1) === 1;
  }
}
