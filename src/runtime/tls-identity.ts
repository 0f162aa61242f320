import { createPrivateKey, X509Certificate } from 'node:crypto';
import { handshakeError, type TlsMaterial } from './tls.ts';

/** @throws NetworkError EPROTO when the private key is not that of the certificate */
export function checkIdentity({ identity }: TlsMaterial): void {
  if (identity === undefined) return;
  try {
    const [own] = identity.certificates;
    if (own === undefined) throw handshakeError('no certificate');
    const key = createPrivateKey({ key: Buffer.from(identity.privateKey), format: 'der', type: 'pkcs8' });
    if (!new X509Certificate(own).checkPrivateKey(key)) throw handshakeError('key values mismatch');
  } catch (error) {
    throw handshakeError(`the TLS key material is of no use: ${(error as Error).message}`, { cause: error });
  }
}
