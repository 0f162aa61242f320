import type { AuthConfig } from '../../../config/zoo-cfg-auth.ts';
import type { Id } from '../../jute/data.ts';
import { digestScheme, generateDigest } from '../../tree/acl.ts';
import type { AuthenticationProvider } from './provider.ts';

/** `user:password`; who shows the super digest is `super` too (DigestAuthenticationProvider). */
export function digestProvider({ digestAlgorithm, superDigest }: AuthConfig): AuthenticationProvider {
  return {
    ...digestScheme,
    authenticate(credentials) {
      if (credentials === null) return 'failed';
      const id = generateDigest(Buffer.prototype.utf8Slice.call(credentials, 0, credentials.length), digestAlgorithm);
      const ids: Id[] = id === superDigest ? [{ scheme: 'super', id: '' }] : [];
      ids.push({ scheme: 'digest', id });
      return ids;
    },
  };
}
