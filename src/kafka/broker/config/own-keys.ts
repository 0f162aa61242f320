import type { BrokerKey } from './broker-keys.ts';

/**
 * Keys that no broker of Apache's has, for what a cluster with ZooKeeper cannot be told otherwise. They are read like the others,
 * and not shown by DescribeConfigs: tools that compare brokers find Apache's keys and no more.
 */
export const ownKeys: ReadonlyMap<string, BrokerKey> = new Map(
  [
    // The finalized level of the feature of that name (KIP-584, KIP-890): 2 lets clients of 4.x speak the newer protocol.
    {
      name: 'transaction.version',
      type: 'int',
      default: '0',
      updateMode: 'read-only',
      effect: 'honoured',
      min: 0,
    } as const,
  ].map((key) => [key.name, key]),
);
