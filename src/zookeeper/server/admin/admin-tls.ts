import { ConfigError } from '../../../config/config-error.ts';
import { loadTlsMaterial } from '../../../config/tls-settings.ts';
import type { ZooCfg } from '../../../config/zoo-cfg.ts';
import type { Disk } from '../../../runtime/disk.ts';
import type { ServerTls } from '../../../runtime/tls.ts';

/** What Jetty tells browsers: for a day, come with TLS alone. */
export const STRICT_TRANSPORT_SECURITY = 'max-age=86400; includeSubDomains';

/**
 * TLS of the AdminServer: the stores are those between servers, and nothing else that is said of TLS there counts (JettyAdminServer).
 * @throws ConfigError for stores that are missing or cannot be used
 */
export function adminTls(disk: Disk, { admin, quorumTls }: ZooCfg): ServerTls | undefined {
  if (admin.tls === 'none') return undefined;
  const { settings } = quorumTls;
  for (const store of ['keyStore', 'trustStore'] as const) {
    if (settings[store] !== undefined) continue;
    throw new ConfigError(`ssl.quorum.${store}.location`, undefined, 'TLS of the AdminServer needs this store');
  }
  return {
    material: loadTlsMaterial(disk, settings),
    protocols: ['TLSv1.2', 'TLSv1.3'],
    clientAuthentication: admin.needClientAuth ? 'need' : 'none',
    handshakeTimeoutMs: admin.idleTimeoutMs > 0 ? admin.idleTimeoutMs : settings.handshakeTimeoutMs,
    plainAllowed: admin.tls === 'optional',
  };
}
