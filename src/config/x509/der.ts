/** Bytes that are no DER. */
export class DerError extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'DerError';
  }
}

/** `tag | length | content` */
export interface DerValue {
  readonly tag: number;
  readonly content: Uint8Array;
  /** All three, as they stand. */
  readonly encoding: Uint8Array;
}

export const DerTag = {
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  t61String: 0x14,
  ia5String: 0x16,
  generalString: 0x1b,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The values that stand one behind the other. @throws DerError */
export function readDer(bytes: Uint8Array): DerValue[] {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length; ) {
    const value = readValue(bytes, at);
    values.push(value);
    at += value.encoding.length;
  }
  return values;
}

function readValue(bytes: Uint8Array, start: number): DerValue {
  const tag = bytes[start] as number;
  if ((tag & 0x1f) === 0x1f) throw new DerError('a tag of several bytes');
  const first = bytes[start + 1];
  if (first === undefined || first === 0x80) throw new DerError('no definite length');
  let at = start + 2;
  let length = first;
  if (first > 0x80) {
    const count = first & 0x7f;
    if (count > 4 || at + count > bytes.length) throw new DerError('a length that cannot be');
    length = 0;
    for (; at < start + 2 + count; at += 1) length = length * 256 + (bytes[at] as number);
  }
  if (at + length > bytes.length) throw new DerError('a value longer than what holds it');
  return { tag, content: bytes.subarray(at, at + length), encoding: bytes.subarray(start, at + length) };
}

/** The members of a sequence or a set. @throws DerError */
export function membersOf(value: DerValue | undefined, tag: number): DerValue[] {
  if (value?.tag !== tag) throw new DerError(`expected tag ${tag}, found ${value?.tag ?? 'nothing'}`);
  return readDer(value.content);
}

/** `2.5.4.3` @throws DerError */
export function objectIdentifierOf(value: DerValue | undefined): string {
  if (value?.tag !== DerTag.objectIdentifier || value.content.length === 0) throw new DerError('no object identifier');
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const byte of value.content) {
    arc = arc * 128n + BigInt(byte & 0x7f);
    if (byte >= 0x80) continue;
    if (arcs.length > 0) arcs.push(arc);
    else if (arc < 80n) arcs.push(arc / 40n, arc % 40n);
    else arcs.push(2n, arc - 80n);
    arc = 0n;
  }
  if ((value.content.at(-1) as number) >= 0x80) throw new DerError('an object identifier that does not end');
  return arcs.join('.');
}
