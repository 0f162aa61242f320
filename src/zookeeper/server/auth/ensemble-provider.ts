import type { AuthConfig } from '../../../config/zoo-cfg-auth.ts';
import type { ServerStats } from '../server-stats.ts';
import type { AuthenticationProvider } from './provider.ts';

/**
 * The client says which ensemble it looks for, and is sent away if that is not ours (EnsembleAuthenticationProvider). It proves
 * nothing about the client, so no ACL can name it.
 */
export function ensembleProvider({ ensembleNames }: AuthConfig, stats: ServerStats): AuthenticationProvider {
  return {
    isValid: () => false,
    matches: () => false,
    isAuthenticated: false,
    authenticate(credentials) {
      if (credentials === null || credentials.length === 0 || ensembleNames === undefined) {
        stats.ensembleAuthSkip += 1;
        return [];
      }
      if (ensembleNames.includes(Buffer.prototype.utf8Slice.call(credentials, 0, credentials.length))) {
        stats.ensembleAuthSuccess += 1;
        return [];
      }
      stats.ensembleAuthFail += 1;
      return 'disconnect';
    },
  };
}
