import type { Chance } from '../../../base/reservoir.ts';
import { type Family, processFamilies } from '../../../observability/exposition.ts';
import type { Address } from '../../../runtime/network.ts';
import { fraction } from '../../../runtime/random.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import type { ApiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import type { KafkaConfig } from '../config/kafka-config.ts';
import { METRICS_HOST_KEY, METRICS_PORT_KEY } from '../config/own-keys.ts';
import { ConnectionMetrics, fetchSessionFamilies, purgatoryFamilies, quotaFamilies } from './connection-metrics.ts';
import { ControllerMetrics } from './controller-metrics.ts';
import { coordinatorFamilies } from './coordinator-gauges.ts';
import { logFamilies } from './log-gauges.ts';
import { MetricsEndpoint } from './metrics-endpoint.ts';
import { replicaFamilies } from './replica-gauges.ts';
import { RequestMetrics } from './request-metrics.ts';
import { ServerMetrics } from './server-metrics.ts';
import { TopicMetrics } from './topic-metrics.ts';

/** What a broker counts about itself while somebody may look (`odradek.metrics.port`), and what it then tells. */
export class BrokerMetrics {
  readonly topics = new TopicMetrics();
  readonly connections = new ConnectionMetrics();
  readonly server = new ServerMetrics();
  readonly controller: ControllerMetrics;
  readonly #runtime: Runtime;
  readonly #chance: Chance;
  readonly #startedMs: number;
  #requests: RequestMetrics | undefined;
  #endpoint: MetricsEndpoint | undefined;

  /** Undefined where nobody may look: then nothing is counted. */
  static of(runtime: Runtime, config: KafkaConfig): BrokerMetrics | undefined {
    return config.number(METRICS_PORT_KEY) < 0 ? undefined : new BrokerMetrics(runtime);
  }

  private constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#chance = () => fraction(runtime.random);
    this.#startedMs = runtime.clock.wallMs();
    this.controller = new ControllerMetrics(this.#chance);
  }

  /** Of what is served from now on. */
  requestsOf(handlers: Iterable<ApiHandler>): RequestMetrics {
    this.#requests = new RequestMetrics(handlers, { chance: this.#chance, clock: this.#runtime.clock });
    return this.#requests;
  }

  get address(): Address | undefined {
    return this.#endpoint?.address;
  }

  async serve(broker: BrokerContext): Promise<void> {
    const { config } = broker;
    this.#endpoint = new MetricsEndpoint({
      runtime: this.#runtime,
      at: { host: config.string(METRICS_HOST_KEY), port: config.number(METRICS_PORT_KEY) },
      families: () => this.#families(broker),
      beginPeriod: () => {
        this.controller.beginPeriod();
        this.#requests?.beginPeriod();
      },
    });
    await this.#endpoint.start();
  }

  async close(): Promise<void> {
    await this.#endpoint?.close();
  }

  /** Values are read when they are taken. */
  *#families(broker: BrokerContext): Generator<Family> {
    const { id: brokerId, clusterId, fetchPurgatory, topicPurgatory } = broker;
    yield* this.server.families({ brokerId, clusterId, startedMs: this.#startedMs });
    yield* this.topics.families();
    yield* this.#requests?.families() ?? [];
    yield* replicaFamilies(broker.replicas);
    yield* logFamilies(broker.logs);
    yield* this.controller.families(broker.controller);
    yield* coordinatorFamilies(broker.groups, broker.transactions);
    yield* this.connections.families();
    yield* fetchSessionFamilies(broker.fetchSessions);
    yield* purgatoryFamilies({ Fetch: fetchPurgatory, topic: topicPurgatory });
    yield* quotaFamilies(broker.quotas);
    yield* processFamilies(this.#runtime.process);
  }
}
