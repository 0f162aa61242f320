import { isIP, Socket } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, connect, type SecureContext } from 'node:tls';
import type { Clock } from '../clock.ts';
import { type Address, NetworkError } from '../network.ts';
import type { ClientTls } from '../tls.ts';
import { contextOptions, secureContext } from './tls-context.ts';

/** A socket whose handshake follows its connection; key material of no use is its error. */
export function connectTls(to: Address, tls: ClientTls, clock: Clock, keepAlive: boolean): Socket {
  try {
    const socket = open(to, tls, secureContext(contextOptions(tls.material, tls)), clock);
    return socket.once('connect', () => socket.setKeepAlive(keepAlive));
  } catch (error) {
    return new Socket().destroy(error as Error);
  }
}

function open(to: Address, tls: ClientTls, context: SecureContext, clock: Clock): Socket {
  const { serverName, verifyHostname, handshakeTimeoutMs } = tls;
  const options: ConnectionOptions & { readonly allowHalfOpen: boolean } = {
    host: to.host,
    port: to.port,
    allowHalfOpen: true,
    // The extension carries names only.
    servername: isIP(serverName) === 0 ? serverName : '',
    checkServerIdentity: (_, certificate) =>
      verifyHostname ? checkServerIdentity(serverName, certificate) : undefined,
    secureContext: context,
  };
  const socket = connect(options);
  socket.once('connect', () => {
    socket.setNoDelay(true);
    const timer = clock.after(handshakeTimeoutMs, () =>
      socket.destroy(new NetworkError('ETIMEDOUT', `no TLS handshake in ${handshakeTimeoutMs} ms`)),
    );
    socket.once('secureConnect', () => timer.cancel());
    socket.once('close', () => timer.cancel());
  });
  return socket;
}
