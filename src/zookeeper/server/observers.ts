import type { Address } from '../../runtime/network.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { AdminServer } from './admin/admin-server.ts';
import type { AdminHost } from './admin/admin-target.ts';
import { PauseMonitor } from './pause-monitor.ts';
import { PrometheusEndpoint } from './prometheus/prometheus-endpoint.ts';

/** Who looks at a process while it runs, whether it serves or not: the AdminServer, Prometheus, the monitor of pauses; those that the configuration wants. */
export class Observers {
  readonly #admin: AdminServer | undefined;
  readonly #prometheus: PrometheusEndpoint | undefined;
  readonly #pauses: PauseMonitor | undefined;
  readonly #runtime: Runtime;

  constructor(runtime: Runtime, host: AdminHost) {
    const { admin, metricsProvider, jvmPause } = host.config;
    this.#runtime = runtime;
    if (admin.enabled) this.#admin = new AdminServer(runtime, host);
    if (metricsProvider.kind === 'prometheus') this.#prometheus = new PrometheusEndpoint(runtime, host);
    if (jvmPause.enabled) {
      const log = runtime.log.named('zookeeper');
      this.#pauses = new PauseMonitor({
        clock: runtime.clock,
        config: jvmPause,
        pauses: host.metrics.jvmPauseTime,
        log,
      });
    }
  }

  get adminAddress(): Address | undefined {
    return this.#admin?.address;
  }

  get metricsAddress(): Address | undefined {
    return this.#prometheus?.address;
  }

  async start(): Promise<void> {
    this.#pauses?.start();
    await this.#admin?.start(this.#runtime);
    await this.#prometheus?.start();
  }

  async close(): Promise<void> {
    this.#pauses?.close();
    await this.#admin?.close();
    await this.#prometheus?.close();
  }
}
