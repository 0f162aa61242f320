import type { Clock } from '../../src/runtime/clock.ts';
import type { SimulatedNode } from '../../src/testing/simulated-node.ts';
import type { Verdict } from './verdict.ts';

/** What an init system does for a server: starts it again a while after it died, failed or refused to start. */
export class Supervisor<S extends { close(): Promise<void> }> {
  readonly node: SimulatedNode<S>;
  readonly #clock: Clock;
  readonly #verdict: Verdict;
  /** Says what to mend before a start after a failure. */
  readonly #beforeRestart: () => void;
  #life = 0;
  starts = 0;
  failures = 0;
  /** Why the last start, or the last server, failed. */
  lastError: unknown;

  constructor(node: SimulatedNode<S>, clock: Clock, verdict: Verdict, beforeRestart: () => void) {
    this.node = node;
    this.#clock = clock;
    this.#verdict = verdict;
    this.#beforeRestart = beforeRestart;
  }

  get isUp(): boolean {
    return this.node.server !== undefined;
  }

  start(): void {
    this.#life += 1;
    const life = this.#life;
    this.starts += 1;
    this.node.launch().catch((error) => {
      if (life === this.#life) this.failed(error);
    });
  }

  crash(kind: 'process' | 'power', downMs: number): void {
    this.node.crash(kind);
    this.#startLater(downMs);
  }

  /** The server ended by itself, or could not start: its process goes, and another comes. */
  failed(error: unknown): void {
    this.failures += 1;
    this.lastError = error;
    this.#verdict.heard(String(error));
    if (this.node.machine.alive) this.node.crash('process');
    this.#beforeRestart();
    this.#startLater(500);
  }

  #startLater(delayMs: number): void {
    this.#life += 1;
    const life = this.#life;
    this.#clock.after(delayMs, () => {
      if (life === this.#life) this.start();
    });
  }
}
