import type { IncomingMessage } from 'node:http';
import type { ConnectionDuplex } from '../../../runtime/connection-duplex.ts';
import type { AuthClient } from '../auth/provider.ts';

/** Whose connection a request came by. */
export function connectionOf(request: IncomingMessage): ConnectionDuplex {
  return request.socket as unknown as ConnectionDuplex;
}

/** Who asks, before any credentials: by address, or by what a proxy says of it, and by certificate. */
export function requesterOf(request: IncomingMessage, trustsForwardedFor: boolean): AuthClient {
  const { remoteAddress, tls } = connectionOf(request);
  const forwardedFor = trustsForwardedFor ? request.headers['x-forwarded-for'] : undefined;
  const [first = ''] = String(forwardedFor ?? '').split(',');
  return { host: forwardedFor === undefined ? remoteAddress : first.trim(), certificates: tls?.peerCertificates ?? [] };
}
