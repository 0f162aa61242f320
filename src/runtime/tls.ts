import { NetworkError } from './network.ts';

/** What was agreed with the peer of an encrypted connection. */
export interface TlsSession {
  /** `TLSv1.3`, `TLSv1.2`. */
  readonly protocol: string;
  /** As IANA and Java spell it: `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  /** DER, the peer's own certificate first; empty if it showed none. */
  readonly peerCertificates: readonly Uint8Array[];
}

export type TlsProtocol = 'TLSv1.2' | 'TLSv1.3';

/** A private key, and the certificates that tell whose it is. */
export interface TlsIdentity {
  /** DER, PKCS#8, not encrypted. */
  readonly privateKey: Uint8Array;
  /** DER, the own one first, then those that vouch for it. */
  readonly certificates: readonly Uint8Array[];
}

/** Who we are, and whom we trust. */
export interface TlsMaterial {
  readonly identity?: TlsIdentity | undefined;
  /**
   * DER. A chain that ends at one of these is trusted, be it an authority, an intermediate one or the peer's own certificate.
   * Undefined: the authorities that the system trusts.
   */
  readonly trusted?: readonly Uint8Array[] | undefined;
}

interface TlsParameters {
  /** Without a gap. */
  readonly protocols: readonly TlsProtocol[];
  /** In the order of preference, as IANA spells them; undefined leaves them to the runtime. */
  readonly cipherSuites?: readonly string[] | undefined;
  /** From the established connection to the end of the handshake. */
  readonly handshakeTimeoutMs: number;
}

export interface ServerTls extends TlsParameters {
  /** With an identity. */
  readonly material: TlsMaterial;
  /** Whether clients are asked for a certificate, and refused when they have none. One that is shown must be trusted. */
  readonly clientAuthentication: 'none' | 'want' | 'need';
  /** Connections whose first byte does not begin a handshake (0x16) are accepted as they are. */
  readonly plainAllowed?: boolean;
  readonly handshakes?: HandshakeObserver;
}

export interface ClientTls extends TlsParameters {
  readonly material: TlsMaterial;
  /** Who the server should be, for its choice of certificate and for ours of servers. An address is fine. */
  readonly serverName: string;
  /** The server's certificate must be for `serverName`. */
  readonly verifyHostname: boolean;
}

/** Hears of connections before they are accepted. */
export interface HandshakeObserver {
  /** A client has connected; answering false closes the connection, without `ended`. */
  began?(): boolean;
  /** Exactly once after `began`: it is accepted, the peer is gone, or the handshake failed (then with the error). */
  ended?(error?: NetworkError): void;
}

export const handshakeByte = 0x16;

/** The peer is not who it should be, or does not speak TLS. */
export function handshakeError(message: string, options?: ErrorOptions): NetworkError {
  return new NetworkError('EPROTO', message, options);
}

/** The cipher suites that can be named, as IANA and as OpenSSL spell them. */
export const cipherSuiteNames: ReadonlyMap<string, string> = new Map([
  ...['TLS_AES_256_GCM_SHA384', 'TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'].map(same),
  ...['ECDHE_ECDSA', 'ECDHE_RSA', 'DHE_RSA'].flatMap(suitesOf),
]);

function same(name: string): [string, string] {
  return [name, name];
}

function suitesOf(exchange: string): [string, string][] {
  const dashed = exchange.replace('_', '-');
  return [
    [`TLS_${exchange}_WITH_CHACHA20_POLY1305_SHA256`, `${dashed}-CHACHA20-POLY1305`],
    ...[128, 256].flatMap((bits): [string, string][] => {
      const hash = bits === 128 ? 'SHA256' : 'SHA384';
      // Suites of DHE with AES-256-CBC have SHA256 for what is SHA384 with ECDHE.
      const cbcHash = exchange === 'DHE_RSA' ? 'SHA256' : hash;
      return [
        [`TLS_${exchange}_WITH_AES_${bits}_GCM_${hash}`, `${dashed}-AES${bits}-GCM-${hash}`],
        [`TLS_${exchange}_WITH_AES_${bits}_CBC_${cbcHash}`, `${dashed}-AES${bits}-${cbcHash}`],
        [`TLS_${exchange}_WITH_AES_${bits}_CBC_SHA`, `${dashed}-AES${bits}-SHA`],
      ];
    }),
  ];
}
