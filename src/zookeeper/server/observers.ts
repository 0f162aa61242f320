import type { Address } from '../../runtime/network.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { AdminServer } from './admin/admin-server.ts';
import type { AdminTarget } from './admin/admin-target.ts';
import { PauseMonitor } from './pause-monitor.ts';
import { PrometheusEndpoint } from './prometheus/prometheus-endpoint.ts';

/** Who looks at a server while it runs: the AdminServer, Prometheus, the monitor of pauses; those that the configuration wants. */
export class Observers {
  readonly #admin: AdminServer | undefined;
  readonly #prometheus: PrometheusEndpoint | undefined;
  readonly #pauses: PauseMonitor | undefined;
  readonly #runtime: Runtime;

  constructor(runtime: Runtime, server: AdminTarget) {
    const { admin, metricsProvider, jvmPause } = server.config;
    this.#runtime = runtime;
    if (admin.enabled) this.#admin = new AdminServer(runtime, server);
    if (metricsProvider.kind === 'prometheus') this.#prometheus = new PrometheusEndpoint(runtime, server);
    if (jvmPause.enabled) {
      const log = runtime.log.named('zookeeper');
      this.#pauses = new PauseMonitor({
        clock: runtime.clock,
        config: jvmPause,
        pauses: server.metrics.jvmPauseTime,
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
