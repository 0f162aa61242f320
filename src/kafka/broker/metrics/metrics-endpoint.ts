import type { IncomingMessage, ServerResponse } from 'node:http';
import { exposition, type Family } from '../../../observability/exposition.ts';
import { HttpEndpoint, listenFault } from '../../../observability/http-endpoint.ts';
import { tellMetrics, wantedSamples } from '../../../observability/metrics-request.ts';
import type { Timer } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import type { Address } from '../../../runtime/network.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import { runSliced } from '../../log/sliced.ts';

export interface MetricsEndpointOptions {
  readonly runtime: Runtime;
  readonly at: Address;
  readonly families: () => Iterable<Family>;
  /** Quantiles forget what is older than two of these. */
  readonly beginPeriod: () => void;
}

const PERIOD_MS = 300_000;
const IDLE_TIMEOUT_MS = 30_000;

/** `/metrics` of a broker. A scrape is put together in slices: a broker may have ten thousand partitions. */
export class MetricsEndpoint {
  readonly #options: MetricsEndpointOptions;
  readonly #log: Log;
  #endpoint: HttpEndpoint | undefined;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: MetricsEndpointOptions) {
    this.#options = options;
    this.#log = options.runtime.log.named('kafka.metrics');
  }

  /** Undefined where the port could not be taken. */
  get address(): Address | undefined {
    return this.#endpoint?.address;
  }

  /** A port that is taken is a warning: serving clients matters more than being looked at. */
  async start(): Promise<void> {
    const { runtime, at } = this.#options;
    this.#armPeriod();
    try {
      this.#endpoint = await HttpEndpoint.listen({
        network: runtime.network,
        clock: runtime.clock,
        at,
        idleTimeoutMs: IDLE_TIMEOUT_MS,
        handle: (request, response) => this.#handle(request, response),
      });
      this.#log.info('metrics are served', { host: at.host, port: this.#endpoint.address.port });
    } catch (error) {
      this.#log.warn('Cannot start /metrics server', { ...at, reason: listenFault(error) });
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#endpoint?.close();
  }

  #armPeriod(): void {
    this.#timer = this.#options.runtime.clock.after(PERIOD_MS, () => {
      this.#options.beginPeriod();
      this.#armPeriod();
    });
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const wants = wantedSamples(request, response);
    if (wants === undefined) return;
    const { families, runtime } = this.#options;
    runSliced(runtime.clock, tellMetrics(response, exposition(families(), wants)), (error) => {
      if (error !== undefined && !this.#isClosed) this.#failed(response, error);
    });
  }

  #failed(response: ServerResponse, error: unknown): void {
    this.#log.error('metrics cannot be told', { error: error instanceof Error ? error.stack : String(error) });
    response.destroy();
  }
}
