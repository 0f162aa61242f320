import { MalformedError } from '../../wire/errors.ts';
import { Reader } from '../../wire/reader.ts';
import { type QuorumPacket, readPacket } from './quorum-packet.ts';

/** A beginning shorter than this is copied: the rest may be long in coming, and a view would keep all around it alive. */
const COPIED_BELOW_BYTES = 16_384;

/** Cuts a byte stream into quorum packets. A packet that lies in one chunk is read where it lies. */
export class PacketSplitter {
  readonly #end: PacketEnd;
  /** What was delivered of the unfinished packet. */
  #pending: Uint8Array[] = [];

  /** @param sizeMax of a packet's data, of each of its texts, and of all its ids together, in bytes */
  constructor(sizeMax: number) {
    this.#end = new PacketEnd(sizeMax);
  }

  /** Nothing was delivered of a packet that is not complete. */
  get isBetweenPackets(): boolean {
    return this.#pending.length === 0;
  }

  /**
   * Takes a chunk, hands out every packet that it completes. `onPacket` may answer false to stop; then the bytes behind the packet
   * come back, if there are any.
   * @throws MalformedError on bytes that no packet has
   */
  push(chunk: Uint8Array, onPacket: (packet: QuorumPacket) => boolean): Uint8Array | undefined {
    let at = 0;
    let from: Reader | undefined;
    while (at < chunk.length) {
      const end = this.#end.find(chunk, at);
      if (end < 0) {
        this.#pending.push(remainder(chunk, at));
        return undefined;
      }
      let packet: QuorumPacket;
      if (this.#pending.length > 0) {
        packet = this.#complete(chunk.subarray(at, end));
        // A reader of the chunk would begin before its first whole packet.
        if (end < chunk.length) from = new Reader(chunk.subarray(end));
      } else {
        from ??= new Reader(chunk);
        packet = readPacket(from);
      }
      at = end;
      if (!onPacket(packet)) return at < chunk.length ? chunk.subarray(at) : undefined;
    }
    return undefined;
  }

  #complete(last: Uint8Array): QuorumPacket {
    const pieces = this.#pending;
    this.#pending = [];
    return readPacket(new Reader(Buffer.concat([...pieces, last])));
  }
}

function remainder(chunk: Uint8Array, from: number): Uint8Array {
  return chunk.length - from < COPIED_BELOW_BYTES ? Buffer.from(chunk.subarray(from)) : chunk.subarray(from);
}

/** Of type and zxid, before the size of data. */
const HEAD_BYTES = 12;

/**
 * Finds where a packet ends, at whatever bytes it is cut: the only lengths are those of its fields, so it goes from one to the
 * next. It never looks at a byte twice.
 *
 *   head ─▶ data ─▶ ids ─▶ text ─▶ text … ─▶ end
 */
class PacketEnd {
  readonly #sizeMax: number;
  /** The length that comes after the bytes to be skipped. */
  #next: 'data' | 'ids' | 'text' | 'none' = 'data';
  #skipped = HEAD_BYTES;
  #textsLeft = 0;
  #idsSize = 0;
  /** Of a length that is cut. */
  #lengthBytes = 0;
  #lengthValue = 0;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  /** The position behind the packet that begins, or goes on, at `from`; -1 when it does not end in this chunk. */
  find(chunk: Uint8Array, from: number): number {
    let at = from;
    for (;;) {
      const skipped = Math.min(this.#skipped, chunk.length - at);
      at += skipped;
      this.#skipped -= skipped;
      if (this.#skipped > 0) return -1;
      if (this.#next === 'none') {
        this.#next = 'data';
        this.#skipped = HEAD_BYTES;
        return at;
      }
      while (this.#lengthBytes < 4) {
        if (at === chunk.length) return -1;
        this.#lengthValue = (this.#lengthValue << 8) | chunk[at]!;
        this.#lengthBytes += 1;
        at += 1;
      }
      const length = this.#lengthValue;
      this.#lengthBytes = 0;
      this.#lengthValue = 0;
      this.#enter(length);
    }
  }

  #enter(length: number): void {
    switch (this.#next) {
      case 'data':
        this.#next = 'ids';
        if (length !== -1) this.#skip(length);
        break;
      case 'ids':
        if (length < -1) throw new MalformedError(`a packet with ${length} ids`);
        this.#textsLeft = 2 * Math.max(length, 0);
        this.#idsSize = 0;
        this.#next = this.#textsLeft === 0 ? 'none' : 'text';
        break;
      default:
        this.#textsLeft -= 1;
        this.#idsSize += 4 + length;
        if (this.#idsSize > this.#sizeMax) throw new MalformedError(`a packet with ids of ${this.#idsSize} bytes`);
        this.#next = this.#textsLeft === 0 ? 'none' : 'text';
        this.#skip(length);
    }
  }

  /** BinaryInputArchive.checkLength. */
  #skip(length: number): void {
    if (length < 0 || length > this.#sizeMax)
      throw new MalformedError(`a packet with a field of ${length} bytes (at most ${this.#sizeMax})`);
    this.#skipped = length;
  }
}
