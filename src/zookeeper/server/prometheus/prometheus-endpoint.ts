import type { IncomingMessage, ServerResponse } from 'node:http';
import { exposition, familiesOf, processFamilies } from '../../../observability/exposition.ts';
import { HttpEndpoint, listenFault } from '../../../observability/http-endpoint.ts';
import { answerMetrics, wantedSamples } from '../../../observability/metrics-request.ts';
import type { Timer } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import type { Address } from '../../../runtime/network.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import type { ProcessView } from '../server-view.ts';

/** Quantiles stand for five to ten minutes, where the Java client's stand for eight to ten. */
const PERIOD_MS = 300_000;
/** Of Jetty, which serves Apache's. */
const IDLE_TIMEOUT_MS = 30_000;

/** `/metrics` of `org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider`. */
export class PrometheusEndpoint {
  readonly #runtime: Runtime;
  readonly #process: ProcessView;
  readonly #log: Log;
  #endpoint: HttpEndpoint | undefined;
  #timer: Timer | undefined;

  constructor(runtime: Runtime, process: ProcessView) {
    this.#runtime = runtime;
    this.#process = process;
    this.#log = runtime.log.named('zookeeper.metrics');
  }

  get address(): Address | undefined {
    return this.#endpoint?.address;
  }

  /** A port that is taken is a warning, as the AdminServer's. */
  async start(): Promise<void> {
    const { host, port, exportJvmInfo } = this.#process.config.metricsProvider;
    this.#armPeriod();
    try {
      this.#endpoint = await HttpEndpoint.listen({
        network: this.#runtime.network,
        clock: this.#runtime.clock,
        at: { host, port },
        idleTimeoutMs: IDLE_TIMEOUT_MS,
        handle: (request, response) => this.#handle(request, response),
      });
      this.#log.info(
        `Starting /metrics HTTP endpoint at host: ${host}, port: ${this.#endpoint.address.port}, exportJvmInfo: ${exportJvmInfo}`,
      );
    } catch (error) {
      this.#log.warn('Cannot start /metrics server', { host, port, reason: listenFault(error) });
    }
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.#endpoint?.close();
    this.#endpoint = undefined;
  }

  #armPeriod(): void {
    this.#timer = this.#runtime.clock.after(PERIOD_MS, () => {
      this.#process.metrics.all.beginPeriod();
      this.#armPeriod();
    });
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const wants = wantedSamples(request, response);
    if (wants === undefined) return;
    const { metrics, process, config } = this.#process;
    const families = [...familiesOf(metrics.all)];
    if (config.metricsProvider.exportJvmInfo) families.push(...processFamilies(process));
    answerMetrics(response, [...exposition(families, wants)]);
  }
}
