import type { BrokerKey } from './broker-keys.ts';

export const DECOMPRESSED_BYTES_KEY = 'odradek.message.max.decompressed.bytes';

/** Keys that Apache does not have. They stand in server.properties only, and DescribeConfigs, which is Apache's, leaves them out. */
export const ownKeys: ReadonlyMap<string, BrokerKey> = new Map(
  [
    /**
     * What a compressed batch of a producer may become, in bytes; default 256 MiB. A MB can become 32 GB, and although that
     * costs no memory it holds every other request. Beyond it the batch is refused with MESSAGE_TOO_LARGE.
     */
    {
      name: DECOMPRESSED_BYTES_KEY,
      type: 'long',
      default: '268435456',
      updateMode: 'read-only',
      effect: 'honoured',
      min: 1,
    } as const,
  ].map((key) => [key.name, key]),
);
