import { type ClientTlsOptions, clientTls, type TlsFor } from '../../config/client-tls.ts';
import type { Disk } from '../../runtime/disk.ts';
import type { SaslLogin } from './sasl/sasl-client.ts';

export const securityProtocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;
/** `security.protocol`: encrypted or not, authenticated by SASL or not. */
export type SecurityProtocol = (typeof securityProtocols)[number];

/** How a client speaks to brokers. */
export interface ClientSecurity {
  readonly protocol: SecurityProtocol;
  /** With SSL and SASL_SSL: whom we trust, and who we are. Default: the authorities of Node, and no certificate of ours. */
  readonly tls?: ClientTlsOptions;
  /** With SASL_PLAINTEXT and SASL_SSL. */
  readonly sasl?: SaslLogin;
}

/** The same, with its key stores read. */
export interface ConnectionSecurity {
  readonly tls?: TlsFor;
  readonly sasl?: SaslLogin;
}

/** Undefined for connections in plain. @throws ConfigError, KeyStoreError when key material cannot be read */
export function connectionSecurity(disk: Disk, { protocol, tls, sasl }: ClientSecurity): ConnectionSecurity {
  return {
    ...(usesTls(protocol) ? { tls: clientTls(disk, tls ?? {}) } : {}),
    ...(usesSasl(protocol) && sasl !== undefined ? { sasl } : {}),
  };
}

export function usesTls(protocol: SecurityProtocol): boolean {
  return protocol === 'SSL' || protocol === 'SASL_SSL';
}

export function usesSasl(protocol: SecurityProtocol): boolean {
  return protocol === 'SASL_PLAINTEXT' || protocol === 'SASL_SSL';
}
