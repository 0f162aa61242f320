import { ErrorCode, type KafkaError } from '../protocol/errors.ts';
import { codeOf, timedOut } from './client-errors.ts';
import type { Cluster } from './cluster.ts';
import type { BrokerConnection } from './connection.ts';

/** Retries; when no broker could be reached at all, says so in the words of Apache's client. */
export async function namedCall<T>(cluster: Cluster, name: string, attempt: () => Promise<T>): Promise<T> {
  try {
    return await cluster.retrying(attempt);
  } catch (error) {
    const isUnreachable =
      codeOf(error) === ErrorCode.REQUEST_TIMED_OUT &&
      codeOf((error as KafkaError).cause) === ErrorCode.NETWORK_EXCEPTION;
    throw isUnreachable ? timedOut(`Timed out waiting for a node assignment. Call: ${name}`, error) : error;
  }
}

/** As `namedCall`, for what any broker answers. */
export function callAny<T>(
  cluster: Cluster,
  name: string,
  ask: (connection: BrokerConnection) => Promise<T>,
): Promise<T> {
  return namedCall(cluster, name, async () => ask(await cluster.any()));
}
