/**
 * An address as Java prints it (`InetAddress.getHostAddress`): IPv6 in eight groups without leading zeros, IPv4 as itself although it
 * came in through an IPv6 socket.
 */
export function javaAddress(address: string): string {
  if (!address.includes(':')) return address;
  const [withoutZone = ''] = address.split('%');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(withoutZone);
  if (mapped !== null) return mapped[1] ?? '';
  const [head = '', tail] = withoutZone.toLowerCase().split('::');
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...new Array<string>(Math.max(0, zeros)).fill('0'), ...after];
  return groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':');
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':');
}
