import { DerError, DerTag, type DerValue, membersOf, objectIdentifierOf, readDer } from './der.ts';

/** `[3]`, the extensions. */
const EXTENSIONS_TAG = 0xa3;
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';

/**
 * The subject's other names, each as its encoding in hex, to be compared (RFC 5280, 4.1 and 4.2.1.6):
 *
 *   SEQUENCE { tbs SEQUENCE { …, [3] SEQUENCE { SEQUENCE { id, critical?, OCTET STRING of SEQUENCE { name, … } }, … } }, … }
 *
 * @throws DerError
 */
export function certificateAlternativeNames(certificate: Uint8Array): string[] {
  const [tbs] = membersOf(readDer(certificate)[0], DerTag.sequence);
  const extensions = membersOf(tbs, DerTag.sequence).find(({ tag }) => tag === EXTENSIONS_TAG);
  if (extensions === undefined) return [];
  for (const extension of membersOf(readDer(extensions.content)[0], DerTag.sequence)) {
    const parts = membersOf(extension, DerTag.sequence);
    if (objectIdentifierOf(parts[0]) === SUBJECT_ALTERNATIVE_NAME) return namesIn(parts.at(-1));
  }
  return [];
}

function namesIn(value: DerValue | undefined): string[] {
  if (value === undefined) throw new DerError('an extension without a value');
  return membersOf(readDer(value.content)[0], DerTag.sequence).map(({ encoding }) =>
    Buffer.prototype.hexSlice.call(encoding, 0, encoding.length),
  );
}
