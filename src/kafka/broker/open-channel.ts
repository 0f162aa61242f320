import type { Runtime } from '../../runtime/runtime.ts';
import type { BrokerChannel, ChannelTarget } from '../channel/broker-channel.ts';
import { NetworkChannel } from '../channel/network-channel.ts';
import type { ApiHandler } from './api-handler.ts';
import type { InterBrokerSecurity } from './config/inter-broker-security.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import { openLocalChannel } from './local-channel.ts';

export interface ChannelOwner {
  readonly runtime: Runtime;
  readonly config: KafkaConfig;
  readonly brokerId: number;
  readonly handlers: ReadonlyMap<number, ApiHandler>;
  /** An answer that takes longer breaks the connection. */
  readonly requestTimeoutMs: number;
  /** How others are spoken to, asked for each connection. @throws ConfigError */
  readonly security: () => InterBrokerSecurity;
}

/** A way to another broker, or to this one's own handlers. */
export function openChannel(target: ChannelTarget, owner: ChannelOwner): BrokerChannel {
  const { runtime, config, brokerId, handlers, requestTimeoutMs, security } = owner;
  const { clock, network, random } = runtime;
  if (target.id === brokerId) {
    return openLocalChannel({ handlers, listenerName: config.interBrokerListenerName, clock });
  }
  return new NetworkChannel(target, {
    network,
    clock,
    random,
    clientId: `broker-${brokerId}`,
    requestTimeoutMs,
    security,
  });
}
