import type { ACL } from '../../jute/data.ts';

/** The text form of jute strings escapes what would end them (ToStringOutputArchive). */
export function juteString(text: string): string {
  const escaped = text.replace(
    /[\0\n\r%,}]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
  return `'${escaped}`;
}

/** Of an entry without what encloses it. */
export function juteAcl({ perms, id }: ACL): string {
  return `${perms},s{${juteString(id.scheme)},${juteString(id.id)}}`;
}

/** As a field of a record. */
export function juteVector(elements: readonly string[] | null): string {
  return `v{${(elements ?? []).join(',')}}`;
}

/** As java.util.List prints records, each of which ends its line; `null` for none. */
export function juteList(records: readonly string[] | null): string {
  return records === null ? 'null' : `[${records.map((record) => `${record}\n`).join(', ')}]`;
}
