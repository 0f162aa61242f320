import type { LiveBroker, MetadataCache } from '../replication/metadata-cache.ts';

/** Live brokers with their endpoints. Only endpoints of the listener that the client came by: it may not reach the others. */
export function brokersOn(
  metadata: MetadataCache,
  listener: string,
): { nodeId: number; host: string; port: number; rack: string | null }[] {
  return [...metadata.brokers.values()].flatMap((live) => {
    const endpoint = endpointOn(live, listener);
    return endpoint === undefined
      ? []
      : [{ nodeId: live.id, host: endpoint.host, port: endpoint.port, rack: live.rack }];
  });
}

export function endpointOn(broker: LiveBroker, listener: string): { host: string; port: number } | undefined {
  return broker.endpoints.find((endpoint) => endpoint.listener === listener);
}
