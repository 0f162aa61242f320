import type { Slices } from '../../base/slices.ts';
import type { Connection } from '../../runtime/network.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { Exchange } from './exchange.ts';
import type { TimedRequest } from './metrics/request-sample.ts';

/** What a connection has to write, gathered until it is written at once, and what its peer has not taken yet. */
export class OutgoingAnswers {
  readonly #connection: Connection;
  /** Of answers that clients have not taken, over all connections. */
  readonly #budget: ByteBudget;
  readonly #nowMs: () => number;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  /** Who hears when they have been sent. */
  #sent: (() => void)[] = [];
  /** Those of them whose times are wanted. */
  #leaving: TimedRequest[] = [];
  #peerIsSlow = false;
  /** What of the budget this connection holds. */
  #unsentTaken = 0;

  constructor(connection: Connection, budget: ByteBudget, nowMs: () => number) {
    this.#connection = connection;
    this.#budget = budget;
    this.#nowMs = nowMs;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get peerIsSlow(): boolean {
    return this.#peerIsSlow;
  }

  push(frame: Slices): void {
    for (const chunk of frame.chunks) this.#chunks.push(chunk);
    this.#bytes += frame.size;
  }

  /** The answer of an exchange, if it has one. */
  pushAnswer(exchange: Exchange): void {
    const { response, sent, timed } = exchange;
    if (timed !== undefined) this.#leaves(timed, response);
    if (response === undefined) return;
    this.push(response);
    if (sent !== undefined) this.#sent.push(sent);
  }

  #leaves(timed: TimedRequest, response: Slices | undefined): void {
    if (response === undefined) timed.left();
    else this.#leaving.push(timed);
  }

  flush(): void {
    if (this.#chunks.length === 0) return;
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#bytes = 0;
    const writtenMs = this.#leaving.length === 0 ? 0 : this.#nowMs();
    if (!this.#connection.write(chunks, this.#takeSent())) this.#peerIsSlow = true;
    if (this.#leaving.length > 0) this.#haveLeft(writtenMs);
    if (this.#peerIsSlow || this.#unsentTaken > 0) this.#accountUnsent();
  }

  #haveLeft(writtenMs: number): void {
    const sentMs = this.#nowMs();
    for (const timed of this.#leaving) timed.left(writtenMs, sentMs);
    this.#leaving = [];
  }

  #takeSent(): (() => void) | undefined {
    const all = this.#sent;
    if (all.length === 0) return undefined;
    this.#sent = [];
    return () => {
      for (const sent of all) sent();
    };
  }

  /** The peer has taken everything. */
  drained(): void {
    this.#peerIsSlow = false;
    this.#accountUnsent();
  }

  /** Only slow peers are counted: what the system takes at once is nobody's memory. */
  #accountUnsent(): void {
    const unsent = this.#peerIsSlow ? this.#connection.unsentBytes : 0;
    const change = unsent - this.#unsentTaken;
    this.#unsentTaken = unsent;
    if (change > 0) this.#budget.take(change);
    else if (change < 0) this.#budget.release(-change);
  }

  close(): void {
    this.#budget.release(this.#unsentTaken);
    this.#unsentTaken = 0;
  }
}
