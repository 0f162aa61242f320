import type { ClientTlsOptions } from '../../config/client-tls.ts';
import { ConfigError } from '../../config/config-error.ts';
import type { Disk } from '../../runtime/disk.ts';
import { loadSslMaterial, type SslKeys, sslParametersOf } from './ssl-settings.ts';

const VERIFICATION_KEY = 'ssl.endpoint.identification.algorithm';

/** What the `ssl.*` keys of a client say; its key stores are read. @throws ConfigError */
export function clientTlsOf(get: SslKeys, disk: Disk): ClientTlsOptions {
  const { protocols, cipherSuites } = sslParametersOf(get);
  return {
    material: loadSslMaterial(get, disk),
    verifyHostname: verifiesHostname(get),
    protocols,
    ...(cipherSuites === undefined ? {} : { cipherSuites }),
  };
}

/** Empty for no: whoever has a trusted certificate may then pass for any broker. */
function verifiesHostname(get: SslKeys): boolean {
  const algorithm = get(VERIFICATION_KEY)?.trim() ?? 'https';
  if (algorithm === '') return false;
  if (algorithm.toUpperCase() === 'HTTPS') return true;
  throw new ConfigError(VERIFICATION_KEY, algorithm, 'choose https, or leave it empty for no verification');
}
