import { KeyStoreError } from './key-store-error.ts';

/**
 *   tag (1 byte) | length (1 byte below 128, else 0x80 + count and so many bytes) | content
 */
export interface DerValue {
  readonly tag: number;
  readonly content: Uint8Array;
  /** With tag and length. */
  readonly whole: Uint8Array;
}

export const Tag = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  sequence: 0x30,
  set: 0x31,
  /** Of a choice or an optional field; the number is added. */
  context: 0xa0,
} as const;

/** The first value, and what stands behind it. @throws KeyStoreError */
export function readDer(bytes: Uint8Array): { value: DerValue; rest: Uint8Array } {
  const [tag, first] = bytes;
  if (tag === undefined || first === undefined) throw new KeyStoreError('a DER value ends early');
  let [header, length] = [2, first];
  if (first >= 0x80) {
    const count = first - 0x80;
    if (count < 1 || count > 4) throw new KeyStoreError('a DER length that is not definite, or too large');
    header += count;
    length = 0;
    for (const byte of bytes.subarray(2, header)) length = length * 256 + byte;
  }
  const end = header + length;
  if (end > bytes.length) throw new KeyStoreError('a DER value ends early');
  const whole = bytes.subarray(0, end);
  return { value: { tag, content: bytes.subarray(header, end), whole }, rest: bytes.subarray(end) };
}

/** The values that stand in another one. @throws KeyStoreError */
export function children({ content }: DerValue): DerValue[] {
  const values: DerValue[] = [];
  for (let left = content; left.length > 0; ) {
    const { value, rest } = readDer(left);
    values.push(value);
    left = rest;
  }
  return values;
}

/** A child that must be there, of this kind. @throws KeyStoreError */
export function child(of: DerValue, index: number, tag: number): DerValue {
  return expect(children(of)[index], tag);
}

export function expect(value: DerValue | undefined, tag: number): DerValue {
  if (value?.tag !== tag) throw new KeyStoreError(`expected DER tag ${tag}, found ${value?.tag ?? 'nothing'}`);
  return value;
}

/** `1.2.840.113549`. */
export function oidOf({ content }: DerValue): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (arcs.length === 0) {
      const root = Math.min(2, Math.floor(arc / 40));
      arcs.push(root, arc - root * 40);
    } else {
      arcs.push(arc);
    }
    arc = 0;
  }
  return arcs.join('.');
}

export function integerOf({ content }: DerValue): number {
  let value = 0;
  for (const byte of content) value = value * 256 + byte;
  return value;
}
