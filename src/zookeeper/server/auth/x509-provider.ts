import { certificateSubject } from '../../../config/x509/certificate-subject.ts';
import { DerError } from '../../../config/x509/der.ts';
import type { AuthConfig } from '../../../config/zoo-cfg-auth.ts';
import type { Id } from '../../jute/data.ts';
import type { AuthenticationProvider } from './provider.ts';
import { isX500Name } from './x500-name-text.ts';

/**
 * The subject of the client's certificate, which the handshake has verified; that of `X509AuthenticationProvider.superUser` is
 * `super` too.
 */
export function x509Provider({ x509SuperUser }: AuthConfig): AuthenticationProvider {
  return {
    isValid: isX500Name,
    matches: (id, expression) => id === expression || id === x509SuperUser,
    isAuthenticated: true,
    authenticate(_, { certificates: [certificate] }) {
      const id = certificate === undefined ? undefined : subjectOf(certificate);
      if (id === undefined) return 'failed';
      const ids: Id[] = id === x509SuperUser ? [{ scheme: 'super', id }] : [];
      ids.push({ scheme: 'x509', id });
      return ids;
    },
  };
}

function subjectOf(certificate: Uint8Array): string | undefined {
  try {
    return certificateSubject(certificate);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}
