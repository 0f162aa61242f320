import type { Socket } from 'node:net';
import { createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls';
import type { Clock, Timer } from '../clock.ts';
import { NetworkError } from '../network.ts';
import { handshakeByte, handshakeError, type ServerTls, type TlsMaterial } from '../tls.ts';
import { contextOptions, secureContext, tlsError } from './tls-context.ts';

/**
 * Between the listening socket and those who accept: the handshakes. A connection is handed on when its handshake is done, or,
 * where plain ones are allowed, when its first byte begins none.
 */
export class TlsListener {
  readonly #tls: ServerTls;
  readonly #clock: Clock;
  readonly #accept: (socket: Socket) => void;
  readonly #server: Server;
  /** Handshakes under way, by the address of the client. */
  readonly #handshakes = new Map<string, Handshake>();

  /** @throws NetworkError EPROTO when the key material is of no use */
  constructor(tls: ServerTls, clock: Clock, accept: (socket: Socket) => void) {
    this.#tls = tls;
    this.#clock = clock;
    this.#accept = accept;
    this.#server = createServer({
      requestCert: tls.clientAuthentication !== 'none',
      rejectUnauthorized: tls.clientAuthentication === 'need',
      // The clock of the runtime counts; this one only must not be earlier.
      handshakeTimeout: tls.handshakeTimeoutMs + 120_000,
    });
    this.#server.on('secureConnection', (socket) => this.#secured(socket));
    this.#server.on('tlsClientError', (error, socket) => {
      const handshake = this.#handshakes.get(keyOf(socket));
      if (handshake !== undefined) handshake.error ??= tlsError(error);
      socket.destroy();
    });
    this.replace(tls.material);
  }

  /** New connections meet this material. @throws NetworkError EPROTO, and keeps what it has */
  replace(material: TlsMaterial): void {
    const options = contextOptions(material, this.#tls);
    const context = secureContext({ ...options, sessionIdContext: 'odradek' });
    this.#server.setSecureContext(options);
    // The server does not pass `allowPartialTrustChain` on. Should this member be gone one day, intermediate authorities alone
    // are trusted no more, and the contract suite says so.
    (this.#server as Server & { _sharedCreds?: SecureContext })._sharedCreds = context;
  }

  /** Handshakes under way are given up. */
  close(): void {
    for (const { socket } of this.#handshakes.values()) socket.destroy();
  }

  /** A connection that nothing has been read of. */
  take(socket: Socket): void {
    if (this.#tls.handshakes?.began?.() === false) {
      socket.destroy();
      return;
    }
    const key = keyOf(socket);
    const handshake: Handshake = {
      socket,
      error: undefined,
      timer: this.#clock.after(this.#tls.handshakeTimeoutMs, () => {
        handshake.error ??= new NetworkError('ETIMEDOUT', `no TLS handshake in ${this.#tls.handshakeTimeoutMs} ms`);
        socket.destroy();
      }),
    };
    this.#handshakes.set(key, handshake);
    socket.on('error', (error) => {
      handshake.error ??= tlsError(error);
    });
    socket.once('close', () => {
      handshake.error ??= handshakeError('the client closed the connection before the end of the handshake');
      this.#end(key, handshake.error);
    });
    if (this.#tls.plainAllowed === true) this.#lookAtFirstByte(socket, key);
    else this.#server.emit('connection', socket);
  }

  #lookAtFirstByte(socket: Socket, key: string): void {
    socket.once('readable', () => {
      const first = socket.read() as Buffer | null;
      if (first === null) {
        socket.destroy();
        return;
      }
      socket.unshift(first);
      if (first[0] === handshakeByte) {
        this.#server.emit('connection', socket);
      } else {
        this.#accepted(socket, key);
      }
    });
  }

  #secured(socket: TLSSocket): void {
    const key = keyOf(socket);
    const handshake = this.#handshakes.get(key);
    const shown = socket.getPeerX509Certificate() !== undefined;
    if (this.#tls.clientAuthentication === 'want' && shown && !socket.authorized && handshake !== undefined) {
      handshake.error = handshakeError(`the client's certificate is not trusted: ${socket.authorizationError}`);
    }
    if (handshake === undefined || handshake.error !== undefined) {
      socket.destroy();
      return;
    }
    this.#accepted(socket, key);
  }

  #accepted(socket: Socket, key: string): void {
    this.#end(key);
    socket.allowHalfOpen = true;
    this.#accept(socket);
  }

  #end(key: string, error?: NetworkError): void {
    const handshake = this.#handshakes.get(key);
    if (handshake === undefined) return;
    this.#handshakes.delete(key);
    handshake.timer.cancel();
    this.#tls.handshakes?.ended?.(error);
  }
}

interface Handshake {
  readonly socket: Socket;
  readonly timer: Timer;
  error: NetworkError | undefined;
}

function keyOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
