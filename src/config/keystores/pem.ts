import { createPrivateKey } from 'node:crypto';
import type { TlsIdentity } from '../../runtime/tls.ts';
import { KeyStoreError } from './key-store-error.ts';

const block = /-+BEGIN\s+([^-]+)-+\s+([^-]+)-+END\s+[^-]+-+/g;

/** DER of every certificate of a file, in its order. */
export function pemCertificates(text: string): Uint8Array[] {
  const certificates: Uint8Array[] = [];
  for (const [, label = '', body = ''] of text.matchAll(block)) {
    if (label.trim().endsWith('CERTIFICATE')) certificates.push(Buffer.from(body, 'base64'));
  }
  return certificates;
}

/**
 * One private key, encrypted if a password is given, and the certificates: the key's own first. PKCS#8 as Apache's, and what else
 * OpenSSL writes.
 * @throws KeyStoreError
 */
export function pemIdentity(text: string, password: string): TlsIdentity {
  const [, label = '', body = ''] =
    [...text.matchAll(block)].find(([, name = '']) => /PRIVATE KEY\s*$/.test(name)) ?? [];
  if (label === '') throw new KeyStoreError('did not find a private key');
  const key = inLines(label.trim(), body.replaceAll(/\s/g, ''));
  const certificates = pemCertificates(text);
  if (certificates.length === 0) throw new KeyStoreError('did not find a certificate');
  try {
    const parsed = createPrivateKey(password === '' ? key : { key, passphrase: password });
    return { privateKey: parsed.export({ type: 'pkcs8', format: 'der' }), certificates };
  } catch (cause) {
    throw new KeyStoreError('the private key cannot be read; is the password right?', { cause });
  }
}

/** Values of properties may hold it all in one line, with blanks. */
function inLines(label: string, base64: string): string {
  return `-----BEGIN ${label}-----\n${base64.replaceAll(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`;
}
