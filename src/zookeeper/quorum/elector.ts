import type { Timer } from '../../runtime/clock.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { MalformedError } from '../../wire/errors.ts';
import type { Zxid } from '../jute/ids.ts';
import {
  Election,
  type ElectionEffect,
  type ElectionEvent,
  type ElectionOptions,
  type Electorate,
} from './election.ts';
import { ElectionPort, type ElectionPortOptions } from './election-port.ts';
import { decodeNotification, encodeNotification, type PeerState, type Vote } from './notification.ts';
import type { ServerId } from './quorum-verifier.ts';

export interface ElectorOptions {
  readonly runtime: Runtime;
  readonly election: ElectionOptions;
  readonly port: Omit<ElectionPortOptions, 'network' | 'clock' | 'log' | 'self' | 'received'>;
  readonly decided: (state: Exclude<PeerState, 'LOOKING'>, vote: Vote) => void;
  /**
   * Another server tells of a membership while we look. True: it has made us begin anew, and what else that server said is not
   * considered.
   */
  readonly heardOf?: (config: string) => boolean;
  /** While this server leads: a voter that elected it looks for a leader again. */
  readonly lookedAgain?: (server: ServerId) => void;
  /** While this server follows or observes: the leader that it found looks for one itself, in a later round. */
  readonly leaderLooks?: () => void;
}

/** A server's part in elections: the machine, its port and its clock. It answers other servers also when it looks for nobody. */
export class Elector {
  readonly #options: ElectorOptions;
  readonly #election: Election;
  readonly #port: ElectionPort;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: ElectorOptions) {
    const { runtime, election, port } = options;
    this.#options = options;
    this.#election = new Election(election);
    this.#port = new ElectionPort({
      ...port,
      network: runtime.network,
      clock: runtime.clock,
      log: runtime.log,
      self: election.self,
      received: (from, message) => this.#received(from, message),
      gone: (server) => this.#step({ kind: 'gone', server }),
    });
  }

  get state(): PeerState {
    return this.#election.state;
  }

  /** Others may connect from now on. Rejects with NetworkError if the port is taken. */
  start(): Promise<void> {
    return this.#port.start();
  }

  /** Begins a round; `decided` tells its end. */
  look(lastZxid: Zxid, currentEpoch: number): void {
    this.#step({ kind: 'look', lastZxid, currentEpoch });
  }

  epochBegan(epoch: number): void {
    this.#step({ kind: 'epochBegan', epoch });
  }

  reconfigured(electorate: Electorate): void {
    this.#step({ kind: 'reconfigured', electorate });
  }

  /** Ends a round too. */
  designated(state: Exclude<PeerState, 'LOOKING'>, leader: ServerId, zxid: Zxid): void {
    this.#timer?.cancel();
    this.#step({ kind: 'designated', state, leader, zxid });
  }

  /** Others find us there from now on. Rejects with NetworkError if the port is taken. */
  move(...to: Parameters<ElectionPort['move']>): Promise<void> {
    return this.#port.move(...to);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#port.close();
  }

  #received(from: ServerId, message: Uint8Array): void {
    try {
      const notification = decodeNotification(message);
      const { config = '' } = notification;
      if (this.state === 'LOOKING' && config !== '' && this.#options.heardOf?.(config) === true) return;
      this.#step({ kind: 'notified', from, notification });
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      this.#options.runtime.log.warn('skipping a notification', { from, error: error.message });
    }
  }

  #step(event: ElectionEvent): void {
    if (this.#isClosed) return;
    for (const effect of this.#election.step(event)) this.#perform(effect);
  }

  #perform(effect: ElectionEffect): void {
    switch (effect.kind) {
      case 'send':
        this.#port.send(effect.to, encodeNotification(effect.notification));
        break;
      case 'connectAll':
        this.#port.connectAll();
        break;
      case 'wait': {
        this.#timer?.cancel();
        this.#timer = this.#options.runtime.clock.after(effect.ms, () => {
          this.#step({ kind: 'timeout', delivered: this.#port.hasDelivered });
        });
        break;
      }
      case 'lookedAgain':
        this.#options.lookedAgain?.(effect.server);
        break;
      case 'leaderLooks':
        this.#options.leaderLooks?.();
        break;
      case 'decided':
        this.#timer?.cancel();
        this.#options.decided(effect.state, effect.vote);
        break;
      default:
        effect satisfies never;
    }
  }
}
