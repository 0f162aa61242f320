import type { Address, Connection, ConnectionHandler, NetworkError } from '../network.ts';
import { handshakeByte, handshakeError, type TlsSession } from '../tls.ts';

/** Record types: a message of the handshake, its end on the server's side, a refusal. */
const finishedByte = 0x14;
const alertByte = 0x15;
const headerBytes = 5;
const recordBytesMax = 1024 * 1024;

/** One message of a handshake, in clear. */
export interface SimTlsMessage {
  readonly protocols?: readonly string[];
  readonly cipherSuites?: readonly string[] | undefined;
  readonly protocol?: string;
  readonly cipher?: string;
  /** Base64 of DER. */
  readonly certificates?: readonly string[];
  readonly asksForCertificate?: boolean;
}

/** What an end does in a handshake; it calls `secured` or `refuse` at last. */
export interface SimHandshake {
  /** The connection is there. */
  begin?(tls: SimTlsConnection): void;
  /** @throws NetworkError when the peer must be refused */
  message(tls: SimTlsConnection, message: SimTlsMessage): void;
  /** The peer's first byte begins no handshake. True: it may go on in plain. */
  plain?(tls: SimTlsConnection): boolean;
  failed?(error: NetworkError): void;
}

/**
 * TLS over a simulated connection: records of a handshake that carry the certificates as they were given, and then the bytes
 * themselves, in clear. Like TLS 1.3, a client is connected before the server has looked at its certificate; what it hears first
 * then is either that the server is content (0x14) or a refusal (0x15).
 */
export class SimTlsConnection implements Connection, ConnectionHandler {
  tls: TlsSession | undefined;
  readonly #handshake: SimHandshake;
  #inner!: Connection;
  #handler: ConnectionHandler | undefined;
  /** Of the handshake: not yet a whole record. */
  #received: Uint8Array = new Uint8Array(0);
  #phase: 'handshake' | 'unconfirmed' | 'open' | 'failed' = 'handshake';
  #early: { readonly buffers: readonly Uint8Array[]; readonly sent: (() => void) | undefined }[] = [];
  #earlyBytes = 0;
  #ends = false;
  #reason: NetworkError | undefined;

  constructor(handshake: SimHandshake) {
    this.#handshake = handshake;
  }

  /** Set once, before anything else is called. */
  over(inner: Connection): void {
    this.#inner = inner;
  }

  attach(handler: ConnectionHandler): void {
    this.#handler = handler;
  }

  get inner(): Connection {
    return this.#inner;
  }

  // ---------------------------------------------------------------- the handshake

  say(message: SimTlsMessage): void {
    this.#inner.write([record(handshakeByte, JSON.stringify(message))]);
  }

  /** Both ends are known; a client that has shown its certificate waits for the server's word before it believes what comes. */
  secured(session: TlsSession | undefined, confirmation: 'gives' | 'awaits' | 'none'): void {
    this.tls = session;
    if (confirmation === 'gives') this.#inner.write([Uint8Array.of(finishedByte)]);
    this.#phase = confirmation === 'awaits' ? 'unconfirmed' : 'open';
  }

  /** The client hears that it is connected, and what it has written before is sent. */
  introduce(): void {
    this.#handler?.connected?.();
    const [early, waited] = [this.#early, this.#earlyBytes];
    this.#early = [];
    this.#earlyBytes = 0;
    let isReady = true;
    for (const { buffers, sent } of early) isReady = this.#inner.write(buffers, sent);
    if (this.#ends) this.#inner.end();
    else if (waited > 0 && isReady) this.#handler?.drained?.();
  }

  refuse(error: NetworkError): void {
    if (this.#phase === 'failed') return;
    this.#phase = 'failed';
    this.#reason ??= error;
    // Who gave up waiting has nothing to say to whom it does not know.
    if (error.code === 'EPROTO') this.#inner.write([record(alertByte, error.message)]);
    this.#inner.destroy();
    this.#handshake.failed?.(error);
  }

  #takeRecords(): void {
    while (this.#phase === 'handshake' && this.#received.length > 0) {
      const type = this.#received[0];
      if (type !== handshakeByte && type !== alertByte) {
        if (this.#handshake.plain?.(this) !== true) this.refuse(handshakeError('wrong version number'));
        break;
      }
      const body = this.#nextBody();
      if (body === undefined) return;
      if (type === alertByte) this.refuse(handshakeError(`refused by the peer: ${body}`));
      else this.#guarded(() => this.#handshake.message(this, JSON.parse(body) as SimTlsMessage));
    }
    if (this.#phase === 'unconfirmed') this.#takeConfirmation();
    const rest = this.#received;
    if (this.#phase !== 'open' || rest.length === 0) return;
    this.#received = new Uint8Array(0);
    this.#handler?.data(rest);
  }

  #takeConfirmation(): void {
    if (this.#received.length === 0) return;
    if (this.#received[0] === finishedByte) {
      this.#received = this.#received.subarray(1);
      this.#phase = 'open';
      return;
    }
    const body = this.#nextBody();
    if (body !== undefined) this.refuse(handshakeError(`refused by the peer: ${body}`));
  }

  /** Undefined until the record is whole. */
  #nextBody(): string | undefined {
    if (this.#received.length < headerBytes) return undefined;
    const size = Buffer.from(this.#received).readUInt32BE(1);
    if (size > recordBytesMax) this.refuse(handshakeError('record too large'));
    if (this.#received.length < headerBytes + size) return undefined;
    const body = Buffer.from(this.#received.subarray(headerBytes, headerBytes + size)).toString();
    this.#received = this.#received.slice(headerBytes + size);
    return body;
  }

  #guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.refuse(handshakeError((error as Error).message, { cause: error }));
    }
  }

  // ---------------------------------------------------------------- what the simulated connection says

  connected(): void {
    this.#handshake.begin?.(this);
  }

  data(chunk: Uint8Array): void {
    if (this.#phase === 'open') {
      this.#handler?.data(chunk);
      return;
    }
    this.#received = Buffer.concat([this.#received, chunk]);
    this.#takeRecords();
  }

  ended(): void {
    if (this.#phase === 'handshake') this.refuse(handshakeError('the peer ended the stream during the handshake'));
    else if (this.#handler?.ended === undefined) this.end();
    else this.#handler.ended();
  }

  drained(): void {
    if (this.#phase !== 'handshake') this.#handler?.drained?.();
  }

  closed(reason?: NetworkError): void {
    this.#reason ??= reason;
    if (this.#phase === 'handshake') {
      this.#handshake.failed?.(this.#reason ?? handshakeError('the peer closed the connection during the handshake'));
    }
    this.#phase = 'failed';
    for (const { sent } of this.#early.splice(0)) sent?.();
    this.#earlyBytes = 0;
    this.#handler?.closed(this.#reason);
  }

  // ---------------------------------------------------------------- what its owner says

  get remote(): Address {
    return this.#inner.remote;
  }

  get local(): Address {
    return this.#inner.local;
  }

  get unsentBytes(): number {
    return this.#inner.unsentBytes + this.#earlyBytes;
  }

  write(buffers: readonly Uint8Array[], sent?: () => void): boolean {
    if (this.#phase !== 'handshake' || this.#ends) return this.#inner.write(buffers, sent);
    this.#early.push({ buffers, sent });
    for (const buffer of buffers) this.#earlyBytes += buffer.length;
    return true;
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  end(): void {
    if (this.#phase === 'handshake') this.#ends = true;
    else this.#inner.end();
  }

  destroy(): void {
    this.#inner.destroy();
  }
}

function record(type: number, body: string): Uint8Array {
  const bytes = Buffer.from(body);
  const header = Buffer.alloc(headerBytes);
  header[0] = type;
  header.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([header, bytes]);
}
