import { xxh3 } from '../../../../base/xxh3.ts';
import type { TopicImage, TopicView } from './topic-image.ts';

/*
 * What a group's epoch record keeps of its topics (KIP-1101): a hash that changes when one of them does.
 *
 *   of a topic: 0:int8 | id: two int64, high half first | name | partitions:int32 | for each: index:int32, racks in order
 *   a rack:     length:int32 | text            a text: UTF-16 units | their count:int32            of a group: topic hashes in
 *                                                                                                  the order of names
 *   All numbers little-endian.
 */

const FORMAT = 0;

/** Remembers topics until any topic changes. */
export class MetadataHasher {
  readonly #image: TopicImage;
  readonly #topics = new Map<string, bigint>();
  #changes = -1;

  constructor(image: TopicImage) {
    this.#image = image;
  }

  /** As a signed number, as records hold it; 0 where none of the topics exists. */
  hash(names: Iterable<string>): bigint {
    if (this.#changes !== this.#image.changes) this.#topics.clear();
    this.#changes = this.#image.changes;
    const hashes: bigint[] = [];
    for (const name of [...names].sort()) {
      const hash = this.#topicHash(name);
      if (hash !== undefined) hashes.push(hash);
    }
    if (hashes.length === 0) return 0n;
    const bytes = Buffer.alloc(hashes.length * 8);
    for (const [index, hash] of hashes.entries()) bytes.writeBigUInt64LE(hash, index * 8);
    return BigInt.asIntN(64, xxh3(bytes));
  }

  #topicHash(name: string): bigint | undefined {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const topic = this.#image.topic(name);
    if (topic === undefined) return undefined;
    const hash = xxh3(topicBytes(topic));
    this.#topics.set(name, hash);
    return hash;
  }
}

function topicBytes(topic: TopicView): Uint8Array {
  const id = Buffer.from(topic.id, 'base64url');
  const parts: Buffer[] = [
    Buffer.of(FORMAT),
    id.subarray(0, 8).reverse(),
    id.subarray(8, 16).reverse(),
    textBytes(topic.name),
    int32(topic.partitionCount),
  ];
  for (let partition = 0; partition < topic.partitionCount; partition += 1) {
    parts.push(int32(partition));
    for (const rack of [...topic.partitionRacks(partition)].sort()) parts.push(int32(rack.length), textBytes(rack));
  }
  return Buffer.concat(parts);
}

function textBytes(text: string): Buffer {
  return Buffer.concat([Buffer.from(text, 'utf16le'), int32(text.length)]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}
