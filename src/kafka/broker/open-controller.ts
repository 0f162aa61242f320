import type { Runtime } from '../../runtime/runtime.ts';
import { Controller, type ControllerOptions } from '../controller/controller.ts';
import type { ConfigStore } from './config/config-store.ts';
import type { KafkaConfig } from './config/kafka-config.ts';

type Wiring = Pick<ControllerOptions, 'brokerId' | 'zk' | 'openChannel' | 'figures' | 'onReign' | 'onFatal'>;

export interface ConfiguredBroker {
  readonly runtime: Runtime;
  readonly config: KafkaConfig;
  readonly configs: ConfigStore;
}

/** The controller of a broker, with what its configuration says of it. It does nothing before it is started. */
export function openController({ runtime, config, configs }: ConfiguredBroker, wiring: Wiring): Controller {
  return new Controller({
    ...wiring,
    clock: runtime.clock,
    log: runtime.log.named('kafka.controller'),
    interBrokerListenerName: config.interBrokerListenerName,
    controlListenerName: config.controlListenerName,
    deleteTopicEnabled: () => config.boolean('delete.topic.enable'),
    uncleanElectionAllowed: (topic) => configs.logConfig(topic).uncleanLeaderElectionEnable,
    leaderBalance: {
      isEnabled: config.boolean('auto.leader.rebalance.enable'),
      checkIntervalMs: config.number('leader.imbalance.check.interval.seconds') * 1000,
      imbalancePercentMax: config.number('leader.imbalance.per.broker.percentage'),
    },
  });
}
