/** Distinguished names as Java's `X500Principal.getName()` prints them: RFC 2253 with Java's own escapes. */
import { DerTag, type DerValue, membersOf, objectIdentifierOf } from './der.ts';

/** The attributes that RFC 2253 names; every other is printed by its number. */
const keywords: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '0.9.2342.19200300.100.1.25': 'DC',
  '0.9.2342.19200300.100.1.1': 'UID',
};

/** The last RDN of the encoding comes first. @throws DerError */
export function printX500Name(name: DerValue): string {
  const rdns = membersOf(name, DerTag.sequence).map((rdn) =>
    membersOf(rdn, DerTag.set)
      .map((attribute) => printAttribute(attribute))
      .join('+'),
  );
  return rdns.reverse().join(',');
}

function printAttribute(attribute: DerValue): string {
  const [type, value] = membersOf(attribute, DerTag.sequence);
  const oid = objectIdentifierOf(type);
  const keyword = keywords[oid];
  const text = value === undefined ? undefined : textOf(value);
  if (keyword !== undefined && text !== undefined) return `${keyword}=${escaped(text)}`;
  const bytes = value?.encoding ?? new Uint8Array(0);
  return `${keyword ?? oid}=#${Buffer.prototype.hexSlice.call(bytes, 0, bytes.length)}`;
}

/** Undefined for types that have no text form. */
function textOf({ tag, content }: DerValue): string | undefined {
  switch (tag) {
    case DerTag.printableString:
    case DerTag.t61String:
    case DerTag.ia5String:
    case DerTag.generalString:
    case DerTag.bmpString:
    case DerTag.utf8String:
      return Buffer.prototype.utf8Slice.call(content, 0, content.length);
    default:
      return undefined;
  }
}

/** Blanks and carriage returns at both ends get a backslash, a NUL anywhere its number. */
function escaped(text: string): string {
  return text
    .replaceAll(/[,=+<>#;"\\]/g, '\\$&')
    .replaceAll('\0', '\\00')
    .replace(/^[ \r]+|[ \r]+$/g, (blanks) => blanks.replaceAll(/[ \r]/g, '\\$&'));
}
