import { DerError, DerTag, membersOf, readDer } from './der.ts';
import { printX500Name } from './x500-name.ts';

/** `[0]`, the version, which certificates of version 1 leave out. */
const VERSION_TAG = 0xa0;

/**
 * The subject of an X.509 certificate (RFC 5280, 4.1):
 *
 *   SEQUENCE { tbs SEQUENCE { [0] version?, serial, signature, issuer, validity, subject, … }, … }
 *
 * @throws DerError
 */
export function certificateSubject(certificate: Uint8Array): string {
  const [tbs] = membersOf(readDer(certificate)[0], DerTag.sequence);
  const fields = membersOf(tbs, DerTag.sequence);
  const subject = fields[fields[0]?.tag === VERSION_TAG ? 5 : 4];
  if (subject === undefined) throw new DerError('a certificate without a subject');
  return printX500Name(subject);
}
