interface IpExpression {
  readonly address: Uint8Array;
  /** Leading bits that count. */
  readonly bits: number;
}

/** `address` or `address/bits`, IPv4 or IPv6, as Apache 3.9.4 and later read it; undefined if it is neither. */
export function parseIpExpression(expression: string): IpExpression | undefined {
  const slash = expression.indexOf('/');
  const address = parseIp(slash < 0 ? expression : expression.slice(0, slash));
  if (address === undefined) return undefined;
  if (slash < 0) return { address, bits: address.length * 8 };
  const bits = integerOf(expression.slice(slash + 1), 10);
  return bits >= 0 && bits <= address.length * 8 ? { address, bits } : undefined;
}

/** Whether a connection's address lies in the range of an ACL entry. */
export function matchesIp(id: string, expression: string): boolean {
  const range = parseIpExpression(expression);
  const address = parseIp(id);
  if (range === undefined || address === undefined || address.length !== range.address.length) return false;
  for (let bit = 0; bit < range.bits; bit += 8) {
    const mask = range.bits - bit >= 8 ? 0xff : (0xff00 >> (range.bits - bit)) & 0xff;
    const index = bit >> 3;
    if (((address[index] as number) & mask) !== ((range.address[index] as number) & mask)) return false;
  }
  return true;
}

/** An address as Java's `getHostAddress` prints it: all eight groups of an IPv6 address, `0:0:0:0:0:0:0:1`. */
export function hostAddress(host: string): string {
  const percent = host.indexOf('%');
  const [address, zone] = percent < 0 ? [host, ''] : [host.slice(0, percent), host.slice(percent)];
  const bytes = address.includes(':') ? parseIpV6(address) : undefined;
  if (bytes === undefined) return host;
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[2 * index] as number) << 8) | (bytes[2 * index + 1] as number)).toString(16),
  );
  return groups.join(':') + zone;
}

/** 4 or 16 bytes. */
function parseIp(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseIpV6(text) : parseIpV4(text);
}

function parseIpV4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const values = parts.map((part) => integerOf(part, 10));
  return values.every((value) => value >= 0 && value <= 255) ? Uint8Array.from(values) : undefined;
}

/** Without zones, and without IPv4 in the last groups. */
function parseIpV6(text: string): Uint8Array | undefined {
  const [head = '', tail, ...rest] = text.split('::');
  if (rest.length > 0) return undefined;
  const first = parseGroups(head);
  const last = parseGroups(tail ?? '');
  if (first === undefined || last === undefined) return undefined;
  const missing = 16 - first.length - last.length;
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined;
  return Uint8Array.from([...first, ...new Array<number>(missing).fill(0), ...last]);
}

function parseGroups(text: string): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  for (const group of text.split(':')) {
    const value = group.length <= 4 ? integerOf(group, 16) : NaN;
    if (Number.isNaN(value)) return undefined;
    bytes.push((value >> 8) & 0xff, value & 0xff);
  }
  return bytes;
}

/** Java's `Integer.parseInt`, which takes a sign; NaN for what it refuses. */
function integerOf(text: string, radix: 10 | 16): number {
  const form = radix === 10 ? /^[+-]?\d+$/ : /^[+-]?[0-9a-fA-F]+$/;
  const value = form.test(text) ? Number.parseInt(text, radix) : NaN;
  return value >= -0x8000_0000 && value <= 0x7fff_ffff ? value : NaN;
}
