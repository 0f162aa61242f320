import type { Clock } from '../../runtime/clock.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { PUSH_INTERVAL_MS } from './telemetry.ts';

/** `ClientMetricsManager.CACHE_MAX_SIZE`: who was heard of longest ago is forgotten first. */
const INSTANCES_MAX = 16_384;
/** After three intervals of silence a client is a new one. */
const FORGOTTEN_AFTER_MS = 3 * PUSH_INTERVAL_MS;

/** What one client asked and pushed, so that it does so no more often than it was told. */
export class TelemetryInstance {
  heardMs: number;
  #askedMs = Number.NEGATIVE_INFINITY;
  #pushedMs = Number.NEGATIVE_INFINITY;
  /** The client said that its last push was the last. */
  isTerminating = false;
  lastError: number = ErrorCode.NONE;

  constructor(nowMs: number) {
    this.heardMs = nowMs;
  }

  /** Whether it may ask for its subscription: not before the interval ends, unless its last push was refused for what it was. */
  asks(nowMs: number): boolean {
    const isDue = nowMs - Math.max(this.#askedMs, this.#pushedMs) >= PUSH_INTERVAL_MS;
    if (isDue) this.#askedMs = nowMs;
    return (
      isDue ||
      this.lastError === ErrorCode.UNKNOWN_SUBSCRIPTION_ID ||
      this.lastError === ErrorCode.UNSUPPORTED_COMPRESSION_TYPE
    );
  }

  /** Whether it may push: once in an interval, which is at any time after it asked. */
  pushes(nowMs: number): boolean {
    const isDue = nowMs - this.#pushedMs >= PUSH_INTERVAL_MS;
    if (isDue) this.#pushedMs = nowMs;
    return isDue;
  }
}

/** The clients that spoke of metrics (KIP-714); one lives as long as the connection on which it was first heard of. */
export class TelemetryInstances {
  readonly #clock: Clock;
  /** The one that was heard of last is the last. */
  readonly #instances = new Map<string, TelemetryInstance>();
  readonly #ofConnection = new Map<string, string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get nowMs(): number {
    return this.#clock.monotonicMs();
  }

  heardOf(id: string, connectionId: string): TelemetryInstance {
    const { nowMs } = this;
    const known = this.#instances.get(id);
    const isKnown = known !== undefined && nowMs - known.heardMs < FORGOTTEN_AFTER_MS;
    const instance = isKnown ? known : new TelemetryInstance(nowMs);
    if (!isKnown) this.#ofConnection.set(connectionId, id);
    instance.heardMs = nowMs;
    this.#instances.delete(id);
    this.#instances.set(id, instance);
    this.#forgetOldest();
    return instance;
  }

  connectionClosed(connectionId: string): void {
    const id = this.#ofConnection.get(connectionId);
    if (id === undefined) return;
    this.#ofConnection.delete(connectionId);
    this.#instances.delete(id);
  }

  #forgetOldest(): void {
    if (this.#instances.size <= INSTANCES_MAX) return;
    const [oldest] = this.#instances.keys();
    if (oldest !== undefined) this.#instances.delete(oldest);
  }
}
