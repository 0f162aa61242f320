import type { SimRandom } from './sim-random.ts';

export const pageBytes = 4096;
/** A disk writes a sector wholly or not at all; a page of eight it may tear. */
const sectorBytes = 512;

/** A page as the platters hold it; undefined is a hole, which reads as zeros. */
type Page = Uint8Array | undefined;

/** One sync in flight: what the disk holds until it is done, for each page that it writes. */
export interface SyncTicket {
  readonly pages: Map<number, Page>;
  readonly size: number;
  /** How many times the file had been shortened. */
  readonly shrinkCount: number;
}

/** How much room there is; pages are taken when first written, so a file extended by truncate costs nothing. */
export interface Space {
  take(): boolean;
  give(pages: number): void;
}

/**
 * The content of a file: what the page cache has, and what the platters may have instead after a power failure. Synced pages are
 * safe. Of a page written since, the old version, the new one, or a tear between them may be found: writeback has no order.
 */
export class SimInode {
  readonly kind = 'file';
  modifiedMs: number;
  #size = 0;
  #syncedSize = 0;
  readonly #space: Space;
  readonly #pages: Page[] = [];
  /** Written since the last sync began: the version before. */
  #dirty = new Map<number, Page>();
  readonly #syncing: SyncTicket[] = [];
  /** Linux marks pages clean after a failed fsync, so that a later one succeeds without having written them. */
  readonly #lost = new Map<number, Page>();
  /** Sizes that unsynced truncations shortened the file to. */
  #shrinks: { readonly number: number; readonly size: number }[] = [];
  #shrinkCount = 0;

  constructor(space: Space, modifiedMs: number) {
    this.#space = space;
    this.modifiedMs = modifiedMs;
  }

  get size(): number {
    return this.#size;
  }

  /** Answers how many bytes were written: fewer when the disk is full. */
  write(position: number, bytes: Uint8Array): number {
    let done = 0;
    while (done < bytes.length) {
      const number = Math.floor((position + done) / pageBytes);
      const from = (position + done) % pageBytes;
      const page = this.#writable(number);
      if (page === undefined) break;
      const count = Math.min(pageBytes - from, bytes.length - done);
      page.set(bytes.subarray(done, done + count), from);
      done += count;
    }
    if (done > 0) this.#size = Math.max(this.#size, position + done);
    return done;
  }

  read(position: number, length: number): Uint8Array {
    const end = Math.max(position, Math.min(this.#size, position + length));
    const bytes = Buffer.alloc(end - position);
    for (let at = position; at < end; ) {
      const from = at % pageBytes;
      const count = Math.min(pageBytes - from, end - at);
      const page = this.#pages[Math.floor(at / pageBytes)];
      if (page !== undefined) bytes.set(page.subarray(from, from + count), at - position);
      at += count;
    }
    return bytes;
  }

  truncate(size: number): void {
    if (size < this.#size) {
      this.#shrinkCount += 1;
      this.#shrinks.push({ number: this.#shrinkCount, size });
    }
    const kept = Math.ceil(size / pageBytes);
    for (let number = kept; number < this.#pages.length; number += 1) {
      if (this.#pages[number] === undefined) continue;
      this.#remember(number);
      this.#space.give(1);
    }
    if (kept < this.#pages.length) this.#pages.length = kept;
    const last = size % pageBytes === 0 ? undefined : this.#pages[kept - 1];
    if (last !== undefined && size < this.#size) {
      this.#remember(kept - 1);
      last.fill(0, size % pageBytes);
    }
    this.#size = size;
  }

  /** The name is gone and so is the room. */
  free(): void {
    this.#space.give(this.usedPages);
  }

  beginSync(): SyncTicket {
    const ticket = { pages: this.#dirty, size: this.#size, shrinkCount: this.#shrinkCount };
    this.#dirty = new Map();
    this.#syncing.push(ticket);
    return ticket;
  }

  finishSync(ticket: SyncTicket, succeeded: boolean): void {
    const index = this.#syncing.indexOf(ticket);
    if (index < 0) return; // the power failed meanwhile
    this.#syncing.splice(index, 1);
    if (succeeded) {
      // A sync also waits for what others are writing back.
      for (const earlier of this.#syncing.slice(0, index)) earlier.pages.clear();
      this.#syncedSize = ticket.size;
      this.#shrinks = this.#shrinks.filter((shrink) => shrink.number > ticket.shrinkCount);
      return;
    }
    const later = [...this.#syncing.slice(index).map((each) => each.pages), this.#dirty];
    for (const [number, before] of ticket.pages) {
      // Who wrote the page again inherits the version that the platters still hold.
      const heir = later.find((pages) => pages.has(number)) ?? this.#lost;
      heir.set(number, before);
    }
  }

  /**
   * Power fails: each unsynced page and the size become one of what they were since the last sync. An unsynced truncation is in
   * the journal or not, as a whole; if not, then nothing after it is either.
   */
  losePower(random: SimRandom): void {
    const versions = this.#versions();
    const usedBefore = this.usedPages;
    const forgotten = this.#shrinks.length > 0 && random.chance(1 / 2);
    if (!forgotten) for (const { size } of this.#shrinks) this.#clip(versions, size);
    for (const [number, candidates] of versions) {
      this.#pages[number] = forgotten ? candidates[0] : chosen(candidates, random);
    }
    const size = forgotten ? this.#syncedSize : this.#sizeAfterLoss(random);
    this.#space.give(usedBefore - this.usedPages);
    this.#size = Math.max(size, this.#pages.length * pageBytes);
    this.truncate(size);
    this.#settle(size);
  }

  /** A truncation that survives has also cut what was older. */
  #clip(versions: Map<number, Page[]>, size: number): void {
    this.#syncedSize = Math.min(this.#syncedSize, size);
    const last = Math.floor(size / pageBytes);
    for (const [number, candidates] of versions) {
      if (number < last) continue;
      for (let index = 0; index < candidates.length - 1; index += 1) {
        if (number > last) candidates[index] = undefined;
        else candidates[index]?.fill(0, size % pageBytes);
      }
    }
  }

  /** What is there now is what the platters hold. */
  #settle(size: number): void {
    this.#dirty.clear();
    this.#lost.clear();
    this.#syncing.length = 0;
    this.#shrinks = [];
    this.#size = size;
    this.#syncedSize = size;
  }

  get usedPages(): number {
    let count = 0;
    for (const page of this.#pages) if (page !== undefined) count += 1;
    return count;
  }

  /** A bit flips, in the cache and on the platters. */
  flipBit(position: number): void {
    const number = Math.floor(position / pageBytes);
    const versions = new Set([
      this.#pages[number],
      this.#dirty.get(number),
      this.#lost.get(number),
      ...this.#syncing.map((ticket) => ticket.pages.get(number)),
    ]);
    for (const page of versions) if (page !== undefined) page[position % pageBytes]! ^= 1;
  }

  #versions(): Map<number, Page[]> {
    const versions = new Map<number, Page[]>();
    for (const pages of [this.#lost, ...this.#syncing.map((ticket) => ticket.pages), this.#dirty]) {
      for (const [number, before] of pages) {
        const known = versions.get(number);
        if (known === undefined) versions.set(number, [before]);
        else known.push(before);
      }
    }
    for (const [number, known] of versions) known.push(this.#pages[number]);
    return versions;
  }

  #sizeAfterLoss(random: SimRandom): number {
    const grown = this.#size - this.#syncedSize;
    const choice = random.below(3);
    if (grown === 0 || choice === 0) return this.#syncedSize;
    return choice === 1 || grown < 0 ? this.#size : this.#syncedSize + random.below(grown);
  }

  /** The page to write into, its version before kept; undefined when there is no room for it. */
  #writable(number: number): Uint8Array | undefined {
    const page = this.#pages[number];
    if (page === undefined && !this.#space.take()) return undefined;
    this.#remember(number);
    if (page !== undefined) return page;
    const fresh = new Uint8Array(pageBytes);
    while (this.#pages.length < number) this.#pages.push(undefined);
    this.#pages[number] = fresh;
    return fresh;
  }

  #remember(number: number): void {
    if (this.#dirty.has(number)) return;
    if (this.#lost.has(number)) {
      this.#dirty.set(number, this.#lost.get(number));
      this.#lost.delete(number);
    } else {
      this.#dirty.set(number, this.#pages[number]?.slice());
    }
  }
}

/** One of the versions, or the beginning of one and the end of its predecessor. */
function chosen(versions: readonly Page[], random: SimRandom): Page {
  const index = random.below(versions.length);
  if (index === 0 || random.chance(1 / 2)) return versions[index];
  const torn = new Uint8Array(pageBytes);
  const cut = sectorBytes * random.below(pageBytes / sectorBytes);
  const [older, newer] = [versions[index - 1], versions[index]];
  if (newer !== undefined) torn.set(newer.subarray(0, cut), 0);
  if (older !== undefined) torn.set(older.subarray(cut), cut);
  return torn;
}
