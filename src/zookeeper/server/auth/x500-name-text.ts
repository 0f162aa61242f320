/** Which texts are distinguished names for Java's `new X500Principal(text)`, which judges the ids of x509 entries in ACLs. */
import { DerError, readDer } from '../../../config/x509/der.ts';

/** What Java takes in text; by RFC 2253 it prints fewer. */
const keywords: ReadonlySet<string> = new Set([
  'CN',
  'C',
  'L',
  'S',
  'ST',
  'O',
  'OU',
  'T',
  'IP',
  'STREET',
  'DC',
  'DNQUALIFIER',
  'DNQ',
  'SURNAME',
  'GIVENNAME',
  'INITIALS',
  'GENERATION',
  'EMAIL',
  'EMAILADDRESS',
  'UID',
  'SERIALNUMBER',
]);

const TYPE = /([^=]*)=[ \n]*/y;
const HEX = /#((?:[0-9a-fA-F]{2})+)(?=[+,;]|$)/y;
const QUOTED = /"(?:[^"\\]|\\[0-9a-fA-F]{2}|\\[,=\n+<>#;\\"])*"[ \n]*(?=[+,;]|$)/y;
const PLAIN = /(?:[^\\,+<>;"]|\\[0-9a-fA-F]{2}|\\[,=\n+<>#;\\" ])*(?=[+,;]|$)/y;

/** `type=value`, joined by `+` in an RDN, RDNs by `,` or `;`. Nothing at all is the empty name. */
export function isX500Name(text: string): boolean {
  if (text === '') return true;
  for (let at = 0; ; at += 1) {
    TYPE.lastIndex = at;
    const type = TYPE.exec(text);
    if (type === null || !isAttributeType(type[1] as string)) return false;
    at = TYPE.lastIndex;
    const value = text[at] === '#' ? HEX : text[at] === '"' ? QUOTED : PLAIN;
    value.lastIndex = at;
    const found = value.exec(text);
    if (found === null || (value === HEX && !isDer(found[1] as string))) return false;
    at = value.lastIndex;
    if (at === text.length) return true;
  }
}

function isAttributeType(text: string): boolean {
  const type = text.trim().toUpperCase();
  return keywords.has(type) || isObjectIdentifier(type.startsWith('OID.') ? type.slice('OID.'.length) : type);
}

function isObjectIdentifier(text: string): boolean {
  if (!/^(0|[1-9]\d*)(\.(0|[1-9]\d*))+$/.test(text)) return false;
  const [first, second] = text.split('.').map(Number) as [number, number];
  return first < 2 ? second < 40 : first === 2;
}

function isDer(hex: string): boolean {
  try {
    return readDer(Buffer.from(hex, 'hex')).length === 1;
  } catch (error) {
    if (error instanceof DerError) return false;
    throw error;
  }
}
