/** Slots of a segment, a power of two; of each two words: hash, and number plus one (0 where the slot is free). */
const SEGMENT_SLOTS = 1024;
/** Slots in use before a segment is divided: probes stay short. */
const USED_MAX = 700;

/** Knows the paths of the numbers. */
export interface Paths {
  isNamed(id: number, path: string): boolean;
}

interface Segment {
  slots: Int32Array;
  count: number;
  /** How many leading bits of their hashes all its entries share. */
  readonly depth: number;
}

/**
 * Finds numbers by path. A table of one piece has to move all its entries when it grows: a Map of a million holds its loop for a
 * quarter of a second. Here a directory, indexed by the first bits of the hash, leads to segments of bounded size, and a full one
 * is divided in two (extendible hashing): no step moves more than one segment. Nothing here is an object for each entry, so the
 * garbage collector has nothing to trace.
 */
export class PathTable {
  readonly #paths: Paths;
  /** 2^depth entries; several lead to one segment where it has fewer bits. */
  #directory: Segment[] = [emptySegment(1, SEGMENT_SLOTS), emptySegment(1, SEGMENT_SLOTS)];
  #depth = 1;
  #size = 0;
  #moved = 0;
  /** Who creates a node has just looked whether it is there. */
  #hashedPath = '';
  #hash = hashOf('');

  constructor(paths: Paths) {
    this.#paths = paths;
  }

  get size(): number {
    return this.#size;
  }

  /** Entries of segments and of the directory that were moved so far, to make room. */
  get moved(): number {
    return this.#moved;
  }

  /** -1 where there is none. */
  find(path: string): number {
    const hash = hashOf(path);
    this.#hashedPath = path;
    this.#hash = hash;
    const { slots } = this.#segmentOf(hash);
    const end = slots.length - 1;
    for (let at = (hash << 1) & end; ; at = (at + 2) & end) {
      const id = (slots[at + 1] as number) - 1;
      if (id < 0) return -1;
      if (slots[at] === hash && this.#paths.isNamed(id, path)) return id;
    }
  }

  /** The path is not there yet. */
  add(path: string, id: number): void {
    const hash = path === this.#hashedPath ? this.#hash : hashOf(path);
    const segment = this.#segmentOf(hash);
    if (segment.count < usedMax(segment)) enter(segment, hash, id);
    else {
      this.#makeRoom(segment, hash);
      enter(this.#segmentOf(hash), hash, id);
    }
    this.#size += 1;
  }

  /** The path is there, under this number. */
  delete(path: string, id: number): void {
    const hash = hashOf(path);
    const segment = this.#segmentOf(hash);
    const { slots } = segment;
    const end = slots.length - 1;
    let at = (hash << 1) & end;
    while (slots[at + 1] !== id + 1) at = (at + 2) & end;
    closeGap(slots, at);
    segment.count -= 1;
    this.#size -= 1;
  }

  #segmentOf(hash: number): Segment {
    return this.#directory[hash >>> (32 - this.#depth)] as Segment;
  }

  #makeRoom(segment: Segment, hash: number): void {
    if (segment.depth === this.#depth) {
      // Where hashes crowd, a segment grows by itself: the directory stays in proportion to the whole.
      if (this.#directory.length * (USED_MAX / 8) > this.#size) {
        this.#enlarge(segment);
        return;
      }
      this.#doubleDirectory();
    }
    this.#divide(segment, hash);
  }

  #doubleDirectory(): void {
    const doubled: Segment[] = [];
    for (const segment of this.#directory) doubled.push(segment, segment);
    this.#moved += doubled.length;
    this.#directory = doubled;
    this.#depth += 1;
  }

  #divide(segment: Segment, hash: number): void {
    const depth = segment.depth + 1;
    const slotCount = segment.slots.length / 2;
    const halves = [emptySegment(depth, slotCount), emptySegment(depth, slotCount)];
    this.#move(segment.slots, (each) => halves[(each >>> (32 - depth)) & 1] as Segment);
    const width = 1 << (this.#depth - segment.depth);
    const first = (hash >>> (32 - this.#depth)) & ~(width - 1);
    for (let index = 0; index < width; index += 1) {
      this.#directory[first + index] = halves[index < width / 2 ? 0 : 1] as Segment;
    }
  }

  #enlarge(segment: Segment): void {
    const { slots } = segment;
    segment.slots = new Int32Array(slots.length * 2);
    segment.count = 0;
    this.#move(slots, () => segment);
  }

  #move(slots: Int32Array, target: (hash: number) => Segment): void {
    for (let at = 0; at < slots.length; at += 2) {
      const id = (slots[at + 1] as number) - 1;
      if (id < 0) continue;
      const hash = slots[at] as number;
      enter(target(hash), hash, id);
      this.#moved += 1;
    }
  }
}

function emptySegment(depth: number, slotCount: number): Segment {
  return { slots: new Int32Array(2 * slotCount), count: 0, depth };
}

function usedMax({ slots }: Segment): number {
  return (slots.length / 2 / SEGMENT_SLOTS) * USED_MAX;
}

function enter(segment: Segment, hash: number, id: number): void {
  const { slots } = segment;
  const end = slots.length - 1;
  let at = (hash << 1) & end;
  while (slots[at + 1] !== 0) at = (at + 2) & end;
  slots[at] = hash;
  slots[at + 1] = id + 1;
  segment.count += 1;
}

/** Entries behind a gap that a search would begin at it or before it move up, so that no search ends too early. */
function closeGap(slots: Int32Array, from: number): void {
  const end = slots.length - 1;
  let gap = from;
  for (let at = (from + 2) & end; slots[at + 1] !== 0; at = (at + 2) & end) {
    const home = ((slots[at] as number) << 1) & end;
    if (((at - home) & end) < ((at - gap) & end)) continue;
    slots[gap] = slots[at] as number;
    slots[gap + 1] = slots[at + 1] as number;
    gap = at;
  }
  slots[gap + 1] = 0;
}

/** 32 bits, signed; two characters a step. The last lines spread what the characters at the end changed over all bits. */
function hashOf(path: string): number {
  let hash = path.length;
  let at = 0;
  for (const last = path.length - 2; at <= last; at += 2) {
    const pair = path.charCodeAt(at) | (path.charCodeAt(at + 1) << 16);
    hash = Math.imul(hash ^ pair, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  if (at < path.length) hash = Math.imul(hash ^ path.charCodeAt(at), 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
