import type { Timer } from '../../../runtime/clock.ts';
import type { Zxid } from '../../jute/ids.ts';
import type { ZookeeperClient } from '../client.ts';
import type { MultiOp } from '../multi.ts';
import { LostError } from './errors.ts';
import type { Place } from './line.ts';
import { isOver } from './waiting.ts';

/**
 * A connection that went silent is noticed within two thirds of the session timeout; what is left of the last third pays for the
 * delay of the last answer that was heard, which the server counts from the time when it was asked.
 */
const PATIENCE = 1 / 4;

/**
 * When a holder is told that it holds no more:
 * - `suspended`: at once when the connection is lost, as Curator advises. The session may live on.
 * - `expired`: when the session is over or may be: a quarter of its timeout after the connection was lost, unless there is one
 *   again.
 */
export type LostWhen = 'suspended' | 'expired';

/**
 * What a session holds by a node of its own.
 *
 *   held ──▶ lost (`signal` is aborted) ──▶ released
 *     └───────────────────────────────────────▲
 *
 * One that is lost has to be released too: the node may still stand, and others wait for it.
 */
export class Held {
  readonly path: string;
  /**
   * The node's czxid: each later holder's is higher. Whoever stores something for holders refuses what comes with a lower number
   * than it has seen: only this is safe against a holder that was stopped (a pause of its process) and does not know it yet.
   */
  readonly fencingToken: Zxid;
  /** Aborted with LostError. */
  readonly signal: AbortSignal;
  readonly #place: Place;
  readonly #stop: () => void;
  #released: Promise<void> | undefined;

  constructor(client: ZookeeperClient, place: Place, fencingToken: Zxid, lostWhen: LostWhen) {
    this.path = place.path;
    this.fencingToken = fencingToken;
    this.#place = place;
    const controller = new AbortController();
    this.signal = controller.signal;
    const stop = onLoss(client, lostWhen, (why) => controller.abort(new LostError(place.path, why)));
    place.onDeleted = () => controller.abort(new LostError(place.path, 'deleted'));
    this.#stop = stop;
  }

  /** Put first into a `multi`, it lets the other operations happen only while this node stands. */
  check(): MultiOp {
    return { kind: 'check', path: this.path };
  }

  /** Resolves once the node is gone. The signal is not aborted any more. */
  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  #release(): Promise<void> {
    this.#stop();
    return this.#place.leave();
  }
}

/** Calls once; answers how to stop. */
export function onLoss(
  client: ZookeeperClient,
  lostWhen: LostWhen,
  lost: (why: 'suspended' | 'expired') => void,
): () => void {
  let timer: Timer | undefined;
  const look = (): void => {
    timer?.cancel();
    if (isOver(client)) tell('expired');
    else if (client.state === 'connected') return;
    else if (lostWhen === 'suspended') tell('suspended');
    else timer = client.runtime.clock.after(client.sessionTimeoutMs * PATIENCE, () => tell('expired'));
  };
  const stop = client.onState(look);
  const end = (): void => {
    stop();
    timer?.cancel();
  };
  const tell = (why: 'suspended' | 'expired'): void => {
    end();
    lost(why);
  };
  look();
  return end;
}
