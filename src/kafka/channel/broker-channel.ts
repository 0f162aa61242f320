import type { Fields, Message, Value } from '../../wire/schema.ts';

/**
 * The way from one broker to another. It never negotiates versions: the inter-broker protocol version decides them. Requests
 * of a channel are sent one after the other and answered in that order.
 */
export interface BrokerChannel {
  /** @throws when the broker cannot be reached; the caller decides whether to try again */
  send<Q extends Fields, R extends Fields>(
    request: Message<Q>,
    response: Message<R>,
    version: number,
    value: Value<Q>,
  ): Promise<Value<R>>;
  close(): void;
}

export interface ChannelTarget {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

export type OpenChannel = (target: ChannelTarget) => BrokerChannel;

/** The versions that a cluster of one inter-broker protocol version speaks (kafka-cluster reference, section 6). */
export const interBrokerVersions = {
  '3.9-IV0': { leaderAndIsr: 7, updateMetadata: 8, stopReplica: 4, controlledShutdown: 3, writeTxnMarkers: 1 },
} as const;
