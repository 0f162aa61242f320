import type { Writer } from '../../wire/writer.ts';
import { DataArena, offsetOf } from './data-arena.ts';
import { isExcludedFromDigest } from './digest.ts';
import { type NodeStore, PATH_REF, PATH_SIZE } from './node-store.ts';

/** From here on the call into the engine is cheaper. */
const SHORT_BYTES = 64;
const Z = 0x7a;

/**
 * The paths of all nodes, as UTF-8 in an arena: a string for each of a million nodes would be copied twice by the garbage
 * collector while it is young, and be traced ever after, which pauses the loop for tens of milliseconds.
 */
export class PathStore {
  readonly #nodes: NodeStore;
  readonly #arena = new DataArena();

  constructor(nodes: NodeStore) {
    this.#nodes = nodes;
  }

  get bytesHeld(): number {
    return this.#arena.bytesHeld;
  }

  /** The root's path is empty and takes no memory. */
  put(node: number, path: string): void {
    const size = Buffer.byteLength(path);
    this.#nodes.set(node, PATH_SIZE, size);
    if (size === 0) return;
    const reference = this.#arena.reserve(size);
    this.#nodes.set(node, PATH_REF, reference);
    const bytes = this.#arena.bytes(reference);
    const offset = offsetOf(reference);
    if (size !== path.length || size > SHORT_BYTES) Buffer.prototype.utf8Write.call(bytes, path, offset, size);
    else for (let index = 0; index < size; index += 1) bytes[offset + index] = path.charCodeAt(index);
  }

  free(node: number): void {
    if (this.#nodes.get(node, PATH_SIZE) > 0) this.#arena.free(this.#nodes.get(node, PATH_REF));
  }

  path(node: number): string {
    return this.#text(node, 0);
  }

  /** What follows the parent's path and a slash. */
  name(node: number, parent: number): string {
    return this.#text(node, this.#nodes.get(parent, PATH_SIZE) + 1);
  }

  /** Whether this is the node's path. Only ASCII takes as many bytes as it has characters. */
  isNamed(node: number, path: string): boolean {
    const size = this.#nodes.get(node, PATH_SIZE);
    if (size !== path.length) return size > path.length && this.path(node) === path;
    const reference = this.#nodes.get(node, PATH_REF);
    const bytes = this.#arena.bytes(reference);
    const offset = offsetOf(reference);
    // Siblings differ at their ends.
    for (let index = size - 1; index >= 0; index -= 1) {
      if (bytes[offset + index] !== path.charCodeAt(index)) return false;
    }
    return true;
  }

  /** `isExcludedFromDigest`, for which nearly always one byte is enough. */
  isExcludedFromDigest(node: number): boolean {
    if (this.#nodes.get(node, PATH_SIZE) === 0) return false;
    const reference = this.#nodes.get(node, PATH_REF);
    return this.#arena.bytes(reference)[offsetOf(reference) + 1] === Z && isExcludedFromDigest(this.path(node));
  }

  /** As a jute string. */
  writePath(to: Writer, node: number): void {
    this.#write(to, node, 0);
  }

  /** As a jute string. */
  writeName(to: Writer, node: number, parent: number): void {
    this.#write(to, node, this.#nodes.get(parent, PATH_SIZE) + 1);
  }

  #text(node: number, from: number): string {
    const size = this.#nodes.get(node, PATH_SIZE);
    if (size === 0) return '';
    const reference = this.#nodes.get(node, PATH_REF);
    const offset = offsetOf(reference);
    return Buffer.prototype.utf8Slice.call(this.#arena.bytes(reference), offset + from, offset + size);
  }

  #write(to: Writer, node: number, from: number): void {
    const size = this.#nodes.get(node, PATH_SIZE) - from;
    to.int32(size);
    if (size === 0) return;
    const reference = this.#nodes.get(node, PATH_REF);
    writeBytes(to, this.#arena.bytes(reference), offsetOf(reference) + from, size);
  }
}

/** A few bytes go word by word: a view of them would cost more. */
function writeBytes(to: Writer, bytes: Uint8Array, from: number, size: number): void {
  if (size > SHORT_BYTES) {
    to.bytes(bytes.subarray(from, from + size));
    return;
  }
  let at = from;
  for (const last = from + size - 4; at <= last; at += 4) {
    const upper = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
    to.int32((upper << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number));
  }
  for (; at < from + size; at += 1) to.int8(bytes[at] as number);
}
