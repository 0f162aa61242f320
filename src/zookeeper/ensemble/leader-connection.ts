import type { Timer } from '../../runtime/clock.ts';
import type { Connection, ConnectionHandler } from '../../runtime/network.ts';
import { FirstConnection } from '../quorum/first-connection.ts';
import { PeerLink } from '../quorum/peer-link.ts';
import type { QuorumPacket } from '../quorum/quorum-packet.ts';
import type { LearnerMaster } from './learner-masters.ts';
import type { TermHost } from './term.ts';

/** Tries to reach a leader that was just elected: as long as five of Apache's, which come a tenth of a second apart. */
const CONNECT_TRIES = 10;
const FIRST_RETRY_MS = 5;

export interface LeaderConnectionOptions {
  readonly host: Pick<TermHost, 'runtime' | 'network' | 'log' | 'auth' | 'config'>;
  readonly master: LearnerMaster;
  /** Packets may be sent. */
  readonly connected: () => void;
  readonly received: (packet: QuorumPacket) => void;
  /** There is none, or there was one. The last call. */
  readonly over: (reason: string) => void;
}

/** A learner's connection to its leader, and all tries to have one (Learner.connectToLeader). */
export class LeaderConnection {
  readonly #options: LeaderConnectionOptions;
  #attempt: FirstConnection | undefined;
  #link: PeerLink | undefined;
  #tries = 0;
  /** Of all tries, monotonic. */
  #untilMs = 0;
  #limitTimer: Timer | undefined;
  #retryTimer: Timer | undefined;
  #isConnected = false;
  #isClosed = false;

  constructor(options: LeaderConnectionOptions) {
    this.#options = options;
  }

  /** Of the last try; undefined before there was one. */
  get link(): PeerLink | undefined {
    return this.#link;
  }

  start(): void {
    const { host, master } = this.#options;
    if (master.delayMs === 0) return this.#begin();
    host.log.info('waiting before the connection', { server: master.server, ms: master.delayMs });
    this.#retryTimer = host.runtime.clock.after(master.delayMs, () => this.#begin());
  }

  close(): void {
    this.#isClosed = true;
    this.#retryTimer?.cancel();
    this.#limitTimer?.cancel();
    this.#attempt?.close();
    this.#link?.close();
  }

  #begin(): void {
    const { runtime, config } = this.#options.host;
    const limitMs = config.connectToLeaderLimitTicks * config.tickTimeMs;
    this.#untilMs = runtime.clock.monotonicMs() + limitMs;
    this.#limitTimer = runtime.clock.after(limitMs, () => {
      if (!this.#isConnected) this.#over(`no connection in ${limitMs} ms`);
    });
    this.#connect();
  }

  #connect(): void {
    const { network, log } = this.#options.host;
    const { server, addresses } = this.#options.master;
    this.#tries += 1;
    log.info('connecting to the leader', { server, addresses: addresses.map(({ host, port }) => `${host}:${port}`) });
    this.#attempt = new FirstConnection({
      network,
      addresses,
      opened: (connection) => this.#opened(connection),
      failed: (reason) => this.#lost(reason?.message ?? 'no connection', false),
    });
  }

  #opened(connection: Connection): ConnectionHandler {
    const { runtime, auth, config } = this.#options.host;
    let isHeard = false;
    const link = new PeerLink({
      clock: runtime.clock,
      sizeMax: config.juteMaxBuffer + config.juteMaxBufferExtra,
      events: {
        connected: () => {
          this.#isConnected = true;
          this.#options.connected();
        },
        received: (packet) => {
          isHeard = true;
          this.#options.received(packet);
        },
        faulty: (error) => this.#over(`leaving the leader after a bad packet: ${error.message}`),
        closed: (reason) => this.#lost(reason?.message ?? 'the leader closed the connection', isHeard),
      },
    });
    this.#link = link;
    link.attach(connection, auth?.connecting(connection));
    return link;
  }

  /** Who has just been elected is not ready at once, and what stands before it may take the connection and let it go. */
  #lost(reason: string, isHeard: boolean): void {
    if (this.#isClosed) return;
    const { runtime, config, log } = this.#options.host;
    const { clock } = runtime;
    // Leader and followers find each other within milliseconds: the first tries come quickly.
    const delayMs = Math.min(config.leaderConnectRetryDelayMs, FIRST_RETRY_MS * 2 ** (this.#tries - 1));
    const isLast = this.#tries >= CONNECT_TRIES || clock.monotonicMs() + delayMs >= this.#untilMs;
    if (isHeard || isLast) {
      this.#over(reason);
      return;
    }
    log.warn('no connection to the leader', { server: this.#options.master.server, tries: this.#tries, reason });
    this.#retryTimer = clock.after(delayMs, () => {
      if (!this.#isClosed) this.#connect();
    });
  }

  #over(reason: string): void {
    if (!this.#isClosed) this.#options.over(reason);
  }
}
