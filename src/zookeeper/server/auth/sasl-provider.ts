import type { SaslConfig } from '../../../config/zoo-cfg-auth.ts';
import { parseKerberosName } from './kerberos-name.ts';
import type { AuthenticationProvider } from './provider.ts';

/**
 * Ids of SASL in ACLs (SASLAuthenticationProvider). Clients get them by requests of their own, never by an auth packet. The user
 * `super` fits every entry, and so does everybody the entry of `letAnySaslUserDoX`.
 */
export function saslProvider({ anyUserId }: SaslConfig): AuthenticationProvider {
  return {
    isValid: (id) => parseKerberosName(id) !== undefined,
    matches: (id, expression) => id === 'super' || id === expression || expression === anyUserId,
    isAuthenticated: true,
    authenticate: () => 'failed',
  };
}
