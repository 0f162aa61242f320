interface IpExpression {
  readonly address: Uint8Array;
  /** Leading bits that count. */
  readonly bits: number;
}

/** `address` or `address/bits`, IPv4 or IPv6; undefined if it is neither. */
export function parseIpExpression(expression: string): IpExpression | undefined {
  const slash = expression.indexOf('/');
  const address = parseIp(slash < 0 ? expression : expression.slice(0, slash));
  if (address === undefined) return undefined;
  if (slash < 0) return { address, bits: address.length * 8 };
  const text = expression.slice(slash + 1);
  const bits = Number(text);
  return /^\d{1,3}$/.test(text) && bits <= address.length * 8 ? { address, bits } : undefined;
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

/** 4 or 16 bytes; an IPv4 address in IPv6 form (`::ffff:10.0.0.1`) is the IPv4 address. */
function parseIp(text: string): Uint8Array | undefined {
  return text.includes(':') ? unmapped(parseIpV6(text)) : parseIpV4(text);
}

function parseIpV4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [index, part] of parts.entries()) {
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return undefined;
    bytes[index] = Number(part);
  }
  return bytes;
}

function parseIpV6(text: string): Uint8Array | undefined {
  const zone = text.indexOf('%');
  const [head, tail, ...rest] = (zone < 0 ? text : text.slice(0, zone)).split('::');
  if (rest.length > 0) return undefined;
  const first = parseGroups(head ?? '');
  const last = parseGroups(tail ?? '');
  if (first === undefined || last === undefined) return undefined;
  const missing = 16 - first.length - last.length;
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined;
  return Uint8Array.from([...first, ...new Array<number>(missing).fill(0), ...last]);
}

function parseGroups(text: string): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    if (index === groups.length - 1 && group.includes('.')) {
      const tail = parseIpV4(group);
      if (tail === undefined) return undefined;
      bytes.push(...tail);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

function unmapped(address: Uint8Array | undefined): Uint8Array | undefined {
  if (address === undefined) return undefined;
  const isMapped = address.subarray(0, 10).every((byte) => byte === 0) && address[10] === 0xff && address[11] === 0xff;
  return isMapped ? address.subarray(12) : address;
}
