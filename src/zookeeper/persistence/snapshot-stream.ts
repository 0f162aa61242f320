import { flatten } from '../../base/slices.ts';
import { MalformedError } from '../../wire/errors.ts';
import { Reader } from '../../wire/reader.ts';
import { Writer } from '../../wire/writer.ts';
import type { Zxid } from '../jute/ids.ts';
import { writeUstring } from '../jute/ustring.ts';
import type { DataTreeOptions } from '../tree/data-tree.ts';
import { type LoadedSnapshot, readBody, type SnapshotInput } from './snapshot-body.ts';

/** Follows the nodes of a SNAP sync, as a string (LearnerHandler). */
const SIGNATURE = 'BenWasHere';

/** What the leader sends after the last bytes of a `SnapshotWriter` of form `stream`. */
export function streamSignature(): Uint8Array {
  const to = new Writer(32);
  writeUstring(to, SIGNATURE);
  return to.finishFlat();
}

const signature = streamSignature();

/**
 * Loads what a leader sends for a SNAP sync: the body of a snapshot file, without header and seals, then a signature. The bytes are
 * taken as they come; what is not whole yet waits. What a chunk completes is loaded before `push` returns.
 */
export class SnapshotStreamReader {
  readonly #input = new ChunkInput();
  readonly #steps: Generator<undefined, LoadedSnapshot>;
  #loaded: LoadedSnapshot | undefined;

  /** @param zxid of the SNAP packet: what the snapshot stands for */
  constructor(zxid: Zxid, options: DataTreeOptions = {}) {
    this.#steps = readStream(this.#input, zxid, options);
  }

  /** Once `push` has answered bytes. */
  get loaded(): LoadedSnapshot | undefined {
    return this.#loaded;
  }

  /**
   * Undefined while more is needed, else what follows the signature; nothing is pushed any more then.
   * @throws MalformedError
   */
  push(chunk: Uint8Array): Uint8Array | undefined {
    this.#input.add(chunk);
    while (!this.#input.isShort) {
      const step = this.#steps.next();
      if (step.done !== true) continue;
      this.#loaded = step.value;
      return this.#input.takeRest();
    }
    return undefined;
  }
}

function* readStream(input: ChunkInput, zxid: Zxid, options: DataTreeOptions): Generator<undefined, LoadedSnapshot> {
  const loaded = yield* readBody(input, zxid, options);
  while (!input.has(signature.length)) yield;
  if (!Buffer.from(input.reader.bytes(signature.length)).equals(signature)) {
    throw new MalformedError(`a snapshot does not end in ${SIGNATURE}`);
  }
  return loaded;
}

/** Chunks are joined only when what is waited for has come: each byte is copied twice at most, however large a field is. */
class ChunkInput implements SnapshotInput {
  readonly rest = Number.POSITIVE_INFINITY;
  reader = new Reader(new Uint8Array(0));
  #windowStart = 0;
  #window: Uint8Array = new Uint8Array(0);
  /** Behind the window. */
  #chunks: Uint8Array[] = [];
  #chunksSize = 0;
  /** How many bytes are waited for, if any. */
  #wanted = 0;

  get position(): number {
    return this.#windowStart + this.reader.position;
  }

  get isShort(): boolean {
    return this.reader.remaining + this.#chunksSize < this.#wanted;
  }

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#chunksSize += chunk.length;
  }

  has(size: number): boolean {
    if (this.reader.remaining >= size) return true;
    this.#wanted = size;
    if (this.isShort) return false;
    this.#wanted = 0;
    this.#join();
    return true;
  }

  takeRest(): Uint8Array {
    this.#join();
    return this.#window;
  }

  #join(): void {
    this.#windowStart = this.position;
    const left = this.#window.subarray(this.reader.position);
    const chunks = left.length === 0 ? this.#chunks : [left, ...this.#chunks];
    this.#window = flatten({ chunks, size: left.length + this.#chunksSize });
    this.#chunks = [];
    this.#chunksSize = 0;
    this.reader = new Reader(this.#window);
  }
}
