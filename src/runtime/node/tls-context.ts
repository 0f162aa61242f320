import { createPrivateKey } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  createSecureContext,
  type DetailedPeerCertificate,
  type SecureContext,
  type SecureContextOptions,
  TLSSocket,
} from 'node:tls';
import { type NetworkError, NetworkError as SeamError } from '../network.ts';
import {
  type ClientTls,
  cipherSuiteNames,
  handshakeError,
  type ServerTls,
  type TlsMaterial,
  type TlsSession,
} from '../tls.ts';
import { checkIdentity } from '../tls-identity.ts';

type Parameters = Pick<ServerTls | ClientTls, 'protocols' | 'cipherSuites'>;

/** What Node's TLS is told. @throws NetworkError EPROTO when keys or certificates are of no use */
export function contextOptions(
  { identity, trusted }: TlsMaterial,
  { protocols, cipherSuites }: Parameters,
): SecureContextOptions {
  checkIdentity({ identity });
  try {
    const options: SecureContextOptions = {
      minVersion: protocols.includes('TLSv1.2') ? 'TLSv1.2' : 'TLSv1.3',
      maxVersion: protocols.includes('TLSv1.3') ? 'TLSv1.3' : 'TLSv1.2',
      ...(cipherSuites === undefined ? {} : { ciphers: cipherSuites.map(opensslName).join(':') }),
      ...(trusted === undefined ? {} : { ca: trusted.map(pemOf) }),
      // As Java's: whoever is in the store is trusted, a root or not.
      allowPartialTrustChain: true,
    };
    if (identity !== undefined) {
      const key = createPrivateKey({ key: Buffer.from(identity.privateKey), format: 'der', type: 'pkcs8' });
      options.key = key.export({ format: 'pem', type: 'pkcs8' });
      options.cert = identity.certificates.map(pemOf).join('');
    }
    return options;
  } catch (error) {
    if (error instanceof SeamError) throw error;
    throw handshakeError(`the TLS key material is of no use: ${(error as Error).message}`, { cause: error });
  }
}

/** @throws NetworkError EPROTO when keys or certificates are of no use */
export function secureContext(options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (error) {
    throw handshakeError(`the TLS key material is of no use: ${(error as Error).message}`, { cause: error });
  }
}

function opensslName(suite: string): string {
  const name = cipherSuiteNames.get(suite);
  if (name === undefined) throw handshakeError(`unknown cipher suite: ${suite}`);
  return name;
}

function pemOf(certificate: Uint8Array): string {
  const lines = Buffer.from(certificate)
    .toString('base64')
    .replaceAll(/.{1,64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`;
}

/** Undefined for a plain socket, and before the handshake is done. */
export function sessionOf(socket: Socket): TlsSession | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const protocol = socket.getProtocol();
  const cipher = socket.getCipher() as ReturnType<TLSSocket['getCipher']> | undefined;
  if (protocol === null || cipher === undefined) return undefined;
  return { protocol, cipher: cipher.standardName, peerCertificates: chainOf(socket.getPeerCertificate(true)) };
}

/** An empty object stands for no certificate; a root is its own issuer. */
function chainOf(own: DetailedPeerCertificate): Uint8Array[] {
  const chain: Uint8Array[] = [];
  const seen = new Set<string>();
  let next: DetailedPeerCertificate | undefined = own;
  while (next?.raw !== undefined && !seen.has(next.fingerprint256)) {
    seen.add(next.fingerprint256);
    chain.push(next.raw);
    next = next.issuerCertificate as DetailedPeerCertificate | undefined;
  }
  return chain;
}

/** Errors of the system keep their code; whatever else ends a TLS connection is EPROTO. */
export function tlsError(error: NodeJS.ErrnoException): NetworkError {
  if (error instanceof SeamError) return error;
  const code = error.code ?? '';
  if (/^E[A-Z0-9]+$/.test(code)) return new SeamError(code, error.message, { cause: error });
  return handshakeError(`${error.message.trim()}${code === '' ? '' : ` (${code})`}`, { cause: error });
}
