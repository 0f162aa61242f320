import { ConfigError } from '../../../config/config-error.ts';
import { certificateAlternativeNames } from '../../../config/x509/alternative-names.ts';
import { certificateSubject } from '../../../config/x509/certificate-subject.ts';
import { DerError } from '../../../config/x509/der.ts';
import type { TlsMaterial } from '../../../runtime/tls.ts';

type Keys = (key: string) => string | undefined;

const ALLOW_DN_CHANGES = 'ssl.allow.dn.changes';
const ALLOW_SAN_CHANGES = 'ssl.allow.san.changes';

/**
 * The certificate of a running listener may be replaced by one for the same name, which has all other names of the old one, unless
 * more is allowed (`SslFactory.CertificateEntries.ensureCompatible`).
 * @throws ConfigError
 */
export function checkCertificateChange(now: TlsMaterial, then: TlsMaterial, get: Keys): void {
  const [before, after] = [now, then].map(({ identity }) => identity?.certificates[0]);
  if (before === undefined || after === undefined) return;
  try {
    if (get(ALLOW_DN_CHANGES) !== 'true') checkSubject(certificateSubject(before), certificateSubject(after));
    if (get(ALLOW_SAN_CHANGES) !== 'true') checkAlternatives(before, after);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new ConfigError('ssl.keystore.location', undefined, `a certificate cannot be read: ${error.message}`);
  }
}

function checkSubject(before: string, after: string): void {
  if (canonical(before) === canonical(after)) return;
  const reason = `Keystore DistinguishedName does not match: existing={DN=${before}}, new={DN=${after}}`;
  throw new ConfigError(ALLOW_DN_CHANGES, undefined, reason);
}

/** Case and the number of blanks say nothing. */
const canonical = (name: string): string => name.toLowerCase().replaceAll(/ +/g, ' ');

function checkAlternatives(before: Uint8Array, after: Uint8Array): void {
  const kept = new Set(certificateAlternativeNames(after));
  if (certificateAlternativeNames(before).every((name) => kept.has(name))) return;
  throw new ConfigError(
    ALLOW_SAN_CHANGES,
    undefined,
    'Keystore SubjectAltNames do not match: some of the old are missing',
  );
}
