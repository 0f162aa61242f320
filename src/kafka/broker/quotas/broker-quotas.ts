import type { Runtime } from '../../../runtime/runtime.ts';
import type { KafkaZk } from '../../zk/kafka-zk.ts';
import { QuotaZnodes } from '../../zk/quota-znodes.ts';
import type { KafkaConfig } from '../config/kafka-config.ts';
import { ClientQuotas, quotaWindows } from './client-quotas.ts';
import { ConnectionQuotas } from './connection-quotas.ts';
import { QuotaAdmin } from './quota-admin.ts';
import { QuotaChanges } from './quota-changes.ts';

export interface BrokerQuotasOptions {
  readonly runtime: Runtime;
  readonly config: KafkaConfig;
  /** The text of a broker key as it counts now. */
  readonly value: (key: string) => string | null;
}

/** Everything of one broker that has to do with quotas. */
export class BrokerQuotas {
  readonly #runtime: Runtime;
  readonly clients: ClientQuotas;
  readonly connections: ConnectionQuotas;

  constructor({ runtime, config, value }: BrokerQuotasOptions) {
    this.#runtime = runtime;
    const log = runtime.log.named('kafka.quotas');
    this.clients = new ClientQuotas({ config, clock: runtime.clock, log });
    this.connections = new ConnectionQuotas({
      windows: quotaWindows(config),
      value,
      interBrokerListenerName: config.interBrokerListenerName,
      network: runtime.network,
      log,
    });
  }

  changes(zk: KafkaZk): QuotaChanges {
    return new QuotaChanges({ znodes: new QuotaZnodes(zk), clients: this.clients, connections: this.connections });
  }

  admin(zk: KafkaZk): QuotaAdmin {
    return new QuotaAdmin({ znodes: new QuotaZnodes(zk), network: this.#runtime.network });
  }
}
