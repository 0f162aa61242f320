import { X509Certificate } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { cipherSuiteNames, type TlsProtocol } from '../tls.ts';

/**
 * Does a chain lead to one that is trusted? Real certificates, real signatures; dates are not looked at, since simulated worlds
 * have their own time.
 */
export function isTrusted(chain: readonly Uint8Array[], trusted: readonly Uint8Array[] = []): boolean {
  const anchors = trusted.map((der) => new X509Certificate(der));
  const others = chain.map((der) => new X509Certificate(der));
  let current = others.shift();
  while (current !== undefined) {
    const subject: X509Certificate = current;
    if (anchors.some((anchor) => isDeepStrictEqual(anchor.raw, subject.raw) || hasSigned(anchor, subject))) return true;
    const next = others.findIndex((other) => hasSigned(other, subject));
    current = next < 0 ? undefined : others.splice(next, 1)[0];
  }
  return false;
}

function hasSigned(issuer: X509Certificate, subject: X509Certificate): boolean {
  return subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

/** Names and addresses, as the certificate gives them. */
export function isFor(certificate: Uint8Array, name: string): boolean {
  const parsed = new X509Certificate(certificate);
  const isAddress = /^[\d.]+$/.test(name) || name.includes(':');
  return (isAddress ? parsed.checkIP(name) : parsed.checkHost(name)) !== undefined;
}

interface Offer {
  readonly protocols: readonly TlsProtocol[];
  readonly cipherSuites?: readonly string[] | undefined;
}

/** The newest protocol that both speak, and the server's first suite that the client knows too. */
export function agree(server: Offer, client: Offer): { protocol: string; cipher: string } | undefined {
  const protocols: TlsProtocol[] = ['TLSv1.3', 'TLSv1.2'];
  const protocol = protocols.find((each) => server.protocols.includes(each) && client.protocols.includes(each));
  const all = [...cipherSuiteNames.keys()];
  const cipher = (server.cipherSuites ?? all).find(
    (suite) => suite.includes('_WITH_') === (protocol === 'TLSv1.2') && (client.cipherSuites ?? all).includes(suite),
  );
  return protocol === undefined || cipher === undefined ? undefined : { protocol, cipher };
}
