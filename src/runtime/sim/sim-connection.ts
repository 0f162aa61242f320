import { Deque } from '../../base/deque.ts';
import { type Address, type Connection, type ConnectionHandler, NetworkError } from '../network.ts';
import type { Scheduler, SimProcess } from './scheduler.ts';
import { type FlowEnds, joinedBytesMax, type Signal, type SimFlow } from './sim-flow.ts';

/** One end of a simulated connection: the socket in the kernel, and what the process hears of it. */
export class SimConnection implements Connection {
  readonly remote: Address;
  readonly tls = undefined;
  readonly local: Address;
  readonly process: SimProcess;
  /** The other end, once the connection is established. */
  twin: SimConnection | undefined;
  readonly #scheduler: Scheduler;
  readonly #unsentBytesMax: number;
  /** Set once, before anything else is called: what this end sends, and what it receives. */
  #outgoing!: SimFlow;
  #incoming!: SimFlow;
  #handler: ConnectionHandler | undefined;
  /** The process knows that the connection is there: it was told `connected`, or accepted it. */
  #known = false;
  #paused = false;
  #readPending = false;
  readonly #received = new Deque<Uint8Array | Signal>();
  #awaitsDrain = false;
  #endedByPeer = false;
  #endedByUs = false;
  #resetByPeer = false;
  /** The process has no more use for it; the kernel may still send. */
  #closed = false;
  readonly #forget: () => void;

  constructor(options: {
    readonly scheduler: Scheduler;
    readonly process: SimProcess;
    readonly local: Address;
    readonly remote: Address;
    readonly unsentBytesMax: number;
    readonly forget: () => void;
  }) {
    this.#scheduler = options.scheduler;
    this.process = options.process;
    this.local = options.local;
    this.remote = options.remote;
    this.#unsentBytesMax = options.unsentBytesMax;
    this.#forget = options.forget;
  }

  /** Closed for the process; the kernel answers what still comes with a reset. */
  get closed(): boolean {
    return this.#closed;
  }

  get unsentBytes(): number {
    return this.#outgoing.unsentBytes;
  }

  /** What the flow towards this end tells. */
  readonly receives: Pick<FlowEnds, 'arrived' | 'arrivedSignal'> = {
    arrived: (bytes) => {
      if (this.#closed) this.#outgoing.reset();
      else this.#queue(bytes);
    },
    arrivedSignal: (signal) => {
      if (this.#closed) return;
      if (signal === 'reset') {
        this.#resetByPeer = true;
        const writes = this.#outgoing.unsentBytes > 0;
        this.#outgoing.silence();
        // The write that waits fails, whether or not anybody reads.
        if (writes) return this.#close(new NetworkError('ECONNRESET', 'write ECONNRESET'));
      }
      this.#queue(signal);
    },
  };

  wire(outgoing: SimFlow, incoming: SimFlow): void {
    this.#outgoing = outgoing;
    this.#incoming = incoming;
  }

  attach(handler: ConnectionHandler): void {
    this.#handler = handler;
  }

  /** The process learns of the established connection. */
  introduce(connected: boolean): void {
    if (this.#closed) return;
    this.#known = true;
    if (connected) this.#handler?.connected?.();
    if (this.#received.size > 0) this.#scheduleRead();
  }

  /** The kernel has, or never will have, what was written; the process hears of it, closed or not. */
  released(sent: () => void): void {
    this.#later('sent', sent);
  }

  /** The kernel took everything. */
  emptied(): void {
    if (this.#closed) return;
    if (this.#awaitsDrain && !this.#endedByUs) {
      this.#awaitsDrain = false;
      this.#later('drained', () => {
        if (!this.#closed) this.#handler?.drained?.();
      });
    }
    this.#closeWhenBothEnded();
  }

  write(buffers: readonly Uint8Array[], sent?: () => void): boolean {
    const takesNone = this.#closed || this.#endedByUs || !this.process.alive;
    // A paused socket learns of the peer's reset from the failing write.
    if (!takesNone && this.#resetByPeer) this.#close(new NetworkError('EPIPE', 'write EPIPE'));
    if (takesNone || this.#resetByPeer) {
      if (sent !== undefined) this.released(sent);
      return false;
    }
    this.#outgoing.write(buffers, sent);
    if (this.#outgoing.unsentBytes <= this.#unsentBytesMax) return true;
    this.#awaitsDrain = true;
    return false;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#received.size > 0) this.#scheduleRead();
  }

  end(): void {
    if (this.#closed || this.#endedByUs || !this.process.alive) return;
    this.#endedByUs = true;
    this.#outgoing.end();
    this.#closeWhenBothEnded();
  }

  destroy(): void {
    if (this.process.alive) this.#close(undefined);
  }

  /** The connection cannot be made or was refused. */
  fail(reason: NetworkError): void {
    this.#close(reason);
  }

  /** The process died; its kernel closes what it had open. */
  abandon(): void {
    if (this.#closed) return;
    this.#release();
  }

  /** The machine lost power: not a packet. */
  vanish(): void {
    this.#closed = true;
    this.#outgoing.silence();
    this.#forget();
  }

  #close(reason: NetworkError | undefined): void {
    if (this.#closed) return;
    this.#release();
    this.#later('closed', () => this.#handler?.closed(reason));
  }

  /** Bytes that were never read tell the peer, by a reset, that they were in vain. */
  #release(): void {
    this.#closed = true;
    this.#outgoing.drop();
    if (this.#hasUnread()) this.#outgoing.reset();
    else this.#outgoing.end();
    this.#forget();
  }

  #closeWhenBothEnded(): void {
    if (this.#endedByPeer && this.#endedByUs && this.#outgoing.ended) this.#close(undefined);
  }

  #hasUnread(): boolean {
    for (const each of this.#received) if (typeof each !== 'string') return true;
    return false;
  }

  #queue(arrived: Uint8Array | Signal): void {
    this.#received.push(arrived);
    if (this.#received.size > 1 || this.#readPending || !this.#canRead()) {
      this.#scheduleRead();
      return;
    }
    // The loop polls at once: the arrival and the read are one event.
    const size = typeof arrived === 'string' ? 0 : arrived.length;
    this.#readPending = true;
    this.#scheduler.deliver(this.process, 'data', size, this.#read);
  }

  #canRead(): boolean {
    return this.#known && !this.#paused && !this.#closed;
  }

  #scheduleRead(): void {
    if (this.#readPending || !this.#canRead()) return;
    this.#readPending = true;
    this.#later('data', this.#read);
  }

  readonly #read = (): void => {
    this.#readPending = false;
    if (this.#canRead()) this.#readNext();
  };

  #readNext(): void {
    const first = this.#received.peek();
    if (first === undefined) return;
    if (first === 'fin') this.#readEnd();
    else if (first === 'reset') this.#close(new NetworkError('ECONNRESET', 'read ECONNRESET'));
    else this.#readData();
    if (this.#received.size > 0) this.#scheduleRead();
  }

  #readEnd(): void {
    this.#received.shift();
    this.#endedByPeer = true;
    if (this.#handler?.ended === undefined) this.end();
    else this.#handler.ended();
    this.#closeWhenBothEnded();
  }

  #readData(): void {
    const chunk = this.#nextChunk();
    this.#scheduler.history.recordBytes(chunk);
    this.#incoming.consumed(chunk.length);
    if (this.#handler?.borrowsChunks === true) this.#lend(chunk);
    else this.#handler?.data(chunk);
  }

  /** The sender may have the same memory. What is used after the call does not go unnoticed. */
  #lend(chunk: Uint8Array): void {
    const lent = Buffer.from(chunk);
    this.#handler?.data(lent);
    lent.fill(0xdb);
  }

  /** All that is there, as one chunk of what one read can bring. */
  #nextChunk(): Uint8Array {
    const parts: Uint8Array[] = [];
    let size = 0;
    for (let next = this.#received.peek(); next instanceof Uint8Array; next = this.#received.peek()) {
      if (parts.length > 0 && size + next.length > joinedBytesMax) break;
      this.#received.shift();
      parts.push(next);
      size += next.length;
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  #later(kind: string, run: () => void): void {
    this.#scheduler.after(0, kind, 0, this.process, run);
  }
}
