import { Duplex } from 'node:stream';
import type { Connection, ConnectionHandler } from './network.ts';
import type { TlsSession } from './tls.ts';

/** A connection of the runtime as a stream, so that Node's own HTTP parser can serve it: in the real world and in the simulated one. */
export class ConnectionDuplex extends Duplex {
  /** Where the last bytes went, in either direction. */
  onActivity: () => void = () => undefined;
  readonly #connection: Connection;
  #written: ((error?: Error | null) => void) | undefined;

  constructor(connection: Connection) {
    super({ allowHalfOpen: true });
    this.#connection = connection;
    // A peer that goes away is nobody's fault.
    this.on('error', () => undefined);
  }

  get remoteAddress(): string {
    return this.#connection.remote.host;
  }

  /** Undefined for a plain connection. */
  get tls(): TlsSession | undefined {
    return this.#connection.tls;
  }

  /** What the connection tells. */
  readonly handler: ConnectionHandler = {
    data: (chunk) => {
      this.onActivity();
      if (!this.destroyed && !this.push(chunk)) this.#connection.pause();
    },
    ended: () => {
      if (!this.destroyed) this.push(null);
    },
    drained: () => {
      const written = this.#written;
      this.#written = undefined;
      written?.();
    },
    closed: (reason) => void this.destroy(reason),
  };

  override _read(): void {
    this.#connection.resume();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.onActivity();
    if (this.#connection.write([chunk])) done();
    else this.#written = done;
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#connection.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#written = undefined;
    this.#connection.destroy();
    done(error);
  }
}
