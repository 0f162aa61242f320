import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type Address, type Connection, type ConnectionHandler, NetworkError } from '../network.ts';
import type { TlsSession } from '../tls.ts';
import type { ReceiveBuffer } from './receive-buffer.ts';
import { sessionOf, tlsError } from './tls-context.ts';

/** Below this, copying into one buffer is cheaper than a vectored write. */
const joinedBytesMax = 16 * 1024;
/** Above this much unsent the peer counts as a slow reader. */
const unsentBytesMax = 1024 * 1024;

/** Makes a socket that hands what it reads to a callback. */
export type OpenSocket = (received: (size: number) => void) => Socket;

export class NodeConnection implements Connection {
  readonly remote: Address;
  readonly #socket: Socket;
  #handler: ConnectionHandler | undefined;
  #local: Address | undefined;
  #tls: TlsSession | undefined;
  #reason: NetworkError | undefined;
  #awaitsDrain = false;
  #writable = true;

  constructor(open: OpenSocket, remote: Address, receiveBuffer: ReceiveBuffer) {
    this.#socket = open((size) => {
      const handler = this.#handler;
      if (handler === undefined) return;
      handler.data(handler.borrowsChunks === true ? receiveBuffer.lend(size) : receiveBuffer.take(size));
    });
    this.remote = remote;
  }

  get local(): Address {
    if (this.#local !== undefined) return this.#local;
    const local = addressOf(this.#socket.localAddress, this.#socket.localPort);
    if (local.port !== 0) this.#local = local;
    return local;
  }

  get tls(): TlsSession | undefined {
    this.#tls ??= sessionOf(this.#socket);
    return this.#tls;
  }

  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  attach(handler: ConnectionHandler): void {
    const socket = this.#socket;
    this.#handler = handler;
    const isSecure = socket instanceof TLSSocket;
    if (socket.connecting) socket.once(isSecure ? 'secureConnect' : 'connect', () => handler.connected?.());
    socket.on('end', () => {
      if (handler.ended === undefined) this.end();
      else handler.ended();
    });
    socket.on('drain', () => {
      if (!this.#awaitsDrain) return;
      this.#awaitsDrain = false;
      handler.drained?.();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#reason ??= isSecure ? tlsError(error) : networkError(error);
      // TLS tells of a refusal after the handshake without closing.
      socket.destroy();
    });
    socket.once('close', () => {
      this.#writable = false;
      handler.closed(this.#reason);
    });
  }

  write(buffers: readonly Uint8Array[], sent?: () => void): boolean {
    const socket = this.#socket;
    if (!this.#writable || socket.destroyed) {
      if (sent !== undefined) process.nextTick(sent);
      return false;
    }
    const [only] = buffers;
    if (buffers.length === 1 && only !== undefined) socket.write(only, sent);
    else if (buffers.length > 1 || sent !== undefined) this.#writeMany(buffers, sent);
    if (socket.writableLength <= unsentBytesMax) return true;
    this.#awaitsDrain = true;
    return false;
  }

  #writeMany(buffers: readonly Uint8Array[], sent: (() => void) | undefined): void {
    let size = 0;
    for (const buffer of buffers) size += buffer.length;
    if (size <= joinedBytesMax) {
      this.#socket.write(joined(buffers, size), sent);
      return;
    }
    let left = buffers.length;
    this.#socket.cork();
    for (const buffer of buffers) {
      left -= 1;
      this.#socket.write(buffer, left === 0 ? sent : undefined);
    }
    this.#socket.uncork();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    if (!this.#writable) return;
    this.#writable = false;
    this.#socket.end();
  }

  destroy(): void {
    this.#writable = false;
    this.#socket.destroy();
  }
}

function joined(buffers: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(size);
  let position = 0;
  for (const buffer of buffers) {
    bytes.set(buffer, position);
    position += buffer.length;
  }
  return bytes;
}

/** A dual-stack listener sees IPv4 peers as `::ffff:127.0.0.1`; Java prints them, and Kafka compares them, as IPv4. */
export function addressOf(host = '', port = 0): Address {
  return { host: host.startsWith('::ffff:') && host.includes('.') ? host.slice(7) : host, port };
}

export function networkError(error: NodeJS.ErrnoException): NetworkError {
  return new NetworkError(error.code ?? 'EUNKNOWN', error.message, { cause: error });
}
