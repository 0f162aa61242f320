import { Perms } from '../client/acl.ts';
import type { WatchEvent } from '../client/watch-registry.ts';
import type { ACL, Stat } from '../jute/data.ts';
import { printHex } from '../jute/ids.ts';
import { javaDate } from './java-date.ts';

/** The lines that `-s` adds (StatPrinter). */
export function statLines(stat: Stat): string[] {
  return [
    `cZxid = ${printHex(stat.czxid)}`,
    `ctime = ${javaDate(stat.ctime)}`,
    `mZxid = ${printHex(stat.mzxid)}`,
    `mtime = ${javaDate(stat.mtime)}`,
    `pZxid = ${printHex(stat.pzxid)}`,
    `cversion = ${stat.cversion}`,
    `dataVersion = ${stat.version}`,
    `aclVersion = ${stat.aversion}`,
    `ephemeralOwner = ${printHex(stat.ephemeralOwner)}`,
    `dataLength = ${stat.dataLength}`,
    `numChildren = ${stat.numChildren}`,
  ];
}

/** As java.util.List prints: `[a, b]`. */
export function listLine(items: readonly string[]): string {
  return `[${items.join(', ')}]`;
}

/** Java's order of strings: by UTF-16 unit. */
export function sorted(names: readonly string[]): string[] {
  return [...names].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

export function aclLines(acl: readonly ACL[]): string[] {
  return acl.flatMap(({ perms, id }) => [`'${escaped(id.scheme)},'${escaped(id.id)}`, `: ${permsText(perms)}`]);
}

const letters = [
  ['c', Perms.CREATE],
  ['d', Perms.DELETE],
  ['r', Perms.READ],
  ['w', Perms.WRITE],
  ['a', Perms.ADMIN],
] as const;

function permsText(perms: number): string {
  return letters.map(([letter, bit]) => ((perms & bit) === 0 ? '' : letter)).join('');
}

/** The text form of jute strings escapes what would end them. */
function escaped(text: string): string {
  return text.replace(/[\0\n\r%,}]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

/** `scheme:id:perms,…`; what is wrong with an entry goes to `complain`, as in Apache's AclParser. */
export function parseAcl(text: string, complain: (line: string) => void): ACL[] {
  const acl: ACL[] = [];
  const entries = text.split(',');
  // As String.split: what is empty at the end does not count, unless there is nothing else at all.
  while (text !== '' && entries.at(-1) === '') entries.pop();
  for (const entry of entries) {
    const first = entry.indexOf(':');
    const last = entry.lastIndexOf(':');
    if (first < 0 || first === last) {
      complain(`${entry} does not have the form scheme:id:perm`);
      continue;
    }
    const id = { scheme: entry.slice(0, first), id: entry.slice(first + 1, last) };
    acl.push({ perms: parsePerms(entry.slice(last + 1), complain), id });
  }
  return acl;
}

function parsePerms(text: string, complain: (line: string) => void): number {
  let perms = 0;
  for (const char of text) {
    const known = letters.find(([letter]) => letter === char);
    if (known === undefined) complain(`Unknown perm type: ${char}`);
    else perms |= known[1];
  }
  return perms;
}

export function watchEventLine({ type, path, zxid }: WatchEvent): string {
  return `WatchedEvent state:SyncConnected type:${type} path:${path} zxid: ${zxid}`;
}

export function stateEventLine(state: string): string {
  return `WatchedEvent state:${state} type:None path:null zxid: -1`;
}

/** Sixteen bytes a row between rules: what `get -x` prints. */
export function hexDump(data: Uint8Array): string {
  if (data.length === 0) return '';
  const rule = `+--------+${'-'.repeat(49)}+${'-'.repeat(16)}+`;
  const head = [
    `         +${'-'.repeat(49)}+`,
    `         |${[...'0123456789abcdef'].map((digit) => `  ${digit}`).join('')} |`,
    rule,
  ];
  const rows: string[] = [];
  for (let start = 0; start < data.length; start += 16) rows.push(hexRow(start, data.subarray(start, start + 16)));
  return [...head, ...rows, rule].join('\n');
}

function hexRow(start: number, bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => ` ${byte.toString(16).padStart(2, '0')}`).join('');
  const text = Array.from(bytes, (byte) => (byte > 0x1f && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
  return `|${start.toString(16).padStart(8, '0')}|${hex.padEnd(48)} |${text.padEnd(16)}|`;
}
