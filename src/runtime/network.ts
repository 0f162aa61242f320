import type { ClientTls, ServerTls, TlsMaterial, TlsSession } from './tls.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Streams of bytes between addresses: TCP in production. */
export interface Network {
  /**
   * Accepts connections; port 0 takes a free one.
   * With TLS a connection is accepted when its handshake is done.
   * @throws NetworkError EADDRINUSE when another listener holds the port, EPROTO when the key material is of no use
   */
  listen(
    at: Address,
    accept: (connection: Connection) => ConnectionHandler,
    options?: ListenOptions,
  ): Promise<Listener>;
  /**
   * Begins to connect. The handler hears `connected` or `closed` (with the reason); with TLS `connected` comes after the handshake
   * as the client sees it: a server that refuses the client's certificate may say so later.
   */
  connect(to: Address, handler: ConnectionHandler, options?: ConnectOptions): Connection;
  /** The addresses a name stands for, in the resolver's order. */
  resolve(host: string): Promise<readonly string[]>;
  /** The machine's own name, as Java's `getCanonicalHostName` would give it. */
  readonly hostname: string;
}

export interface ListenOptions {
  /** The system asks silent peers whether they are still there. Default true. */
  readonly keepAlive?: boolean;
  readonly tls?: ServerTls | undefined;
}

export interface ConnectOptions {
  readonly keepAlive?: boolean;
  readonly tls?: ClientTls | undefined;
}

export interface Listener {
  readonly address: Address;
  /** Who connects from now on meets another key, or another trust. @throws NetworkError EPROTO, and keeps what it has */
  replaceTls(material: TlsMaterial): void;
  /** Stops accepting and gives up handshakes under way; accepted connections live on. */
  close(): Promise<void>;
}

/** One end of a stream. Everything here is synchronous; completion is heard through the handler. */
export interface Connection {
  readonly remote: Address;
  readonly local: Address;
  /** Undefined for a plain connection, and before a handshake is done. */
  readonly tls: TlsSession | undefined;
  /**
   * Takes the buffers, which must not be changed until they are sent, and sends them with one system call where it can.
   * Answers false when the peer reads too slowly: wait for `drained` before producing more. Also false, and dropped, after `end`
   * or `destroy`; then there is no `drained`.
   *
   * `sent` is called exactly once, never before `write` returns, and possibly after `closed`: when the system has taken all these
   * buffers, or never will as they were dropped or the connection is gone. From then on they may be changed.
   */
  write(buffers: readonly Uint8Array[], sent?: () => void): boolean;
  /** Bytes taken by `write` that the system has not taken yet. */
  readonly unsentBytes: number;
  /** Stops reading, so that the peer's window fills; what was already read may still arrive. */
  pause(): void;
  resume(): void;
  /** Sends what was written, then closes this direction. */
  end(): void;
  /** Closes both directions at once; unsent bytes may be lost. Nothing is heard any more but `closed`, on a later turn. */
  destroy(): void;
}

/** What the owner of a connection hears. After `closed` nothing more is called. */
export interface ConnectionHandler {
  connected?(): void;
  /** One read event; the chunk belongs to the handler (it may keep slices of it), unless it only borrows chunks. */
  data(chunk: Uint8Array): void;
  /** Chunks are the handler's for the call of `data` alone: the next read writes over them. Cheaper where most are soon used up. */
  readonly borrowsChunks?: boolean;
  /** The peer closed its direction. Without this method the connection closes as a whole. */
  ended?(): void;
  drained?(): void;
  /** Always the last call. */
  closed(reason?: NetworkError): void;
}

export class NetworkError extends Error {
  /** ECONNREFUSED, ECONNRESET, EADDRINUSE, ETIMEDOUT, ENOTFOUND, EPROTO (a TLS handshake failed), … */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NetworkError';
    this.code = code;
  }
}
