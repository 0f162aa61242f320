import type { GroupClient } from '../join.ts';

/** A client that may do everything, but for what is told of it. */
export function groupClient(told: Partial<GroupClient> & Pick<GroupClient, 'apiVersion'>): GroupClient {
  return { id: 'c', host: '127.0.0.1', describable: (topics) => new Set(topics), ...told };
}
