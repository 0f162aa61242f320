import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { build } from '../../wire/schema.ts';
import { interBrokerVersions, type OpenChannel } from '../channel/broker-channel.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { ControlledShutdownRequest, ControlledShutdownResponse } from '../protocol/messages/07-controlled-shutdown.ts';
import type { MetadataCache } from '../replication/metadata-cache.ts';
import type { KafkaZk } from '../zk/kafka-zk.ts';
import type { KafkaConfig } from './config/kafka-config.ts';

export interface LeavingBroker {
  readonly brokerId: number;
  readonly brokerEpoch: number;
  readonly config: KafkaConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly zk: KafkaZk;
  readonly metadata: MetadataCache;
  readonly openChannel: OpenChannel;
}

/**
 * Asks the controller to move our leaderships away before we stop, a few times if it cannot at once
 * (`KafkaServer.controlledShutdown`). Without a controller that answers, the broker stops all the same.
 */
export async function leaveCluster(broker: LeavingBroker): Promise<void> {
  const { config, clock, log } = broker;
  const attempts = config.number('controlled.shutdown.max.retries');
  log.info('Starting controlled shutdown');
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    try {
      const remaining = await within(clock, config.number('controller.socket.timeout.ms'), ask(broker));
      if (remaining === 0) return log.info('Controlled shutdown request returned successfully');
      log.info('Remaining partitions to move', { count: remaining });
    } catch (error) {
      log.warn('Retrying controlled shutdown after the previous attempt failed...', { error: String(error) });
    }
    if (attempt === attempts) break;
    const pauseMs = config.number('controlled.shutdown.retry.backoff.ms');
    await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
  }
  log.warn('Proceeding to do an unclean shutdown as all the controlled shutdown attempts failed');
}

/** How many partitions we still lead. */
async function ask({ brokerId, brokerEpoch, config, zk, metadata, openChannel }: LeavingBroker): Promise<number> {
  const id = await zk.controller();
  const endpoints = id === undefined ? undefined : metadata.brokers.get(id)?.endpoints;
  const endpoint = endpoints?.find(({ listener }) => listener === config.interBrokerListenerName) ?? endpoints?.[0];
  if (id === undefined || endpoint === undefined) throw new KafkaError(ErrorCode.NOT_CONTROLLER);
  const channel = openChannel({ id, host: endpoint.host, port: endpoint.port });
  try {
    const answer = await channel.send(
      ControlledShutdownRequest,
      ControlledShutdownResponse,
      interBrokerVersions['3.9-IV0'].controlledShutdown,
      build(ControlledShutdownRequest, { brokerId, brokerEpoch }),
    );
    if (answer.errorCode !== ErrorCode.NONE) throw new KafkaError(answer.errorCode);
    return answer.remainingPartitions.length;
  } finally {
    channel.close();
  }
}

function within<T>(clock: Clock, timeoutMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(timeoutMs, () => reject(new KafkaError(ErrorCode.REQUEST_TIMED_OUT)));
    work.then(resolve, reject).finally(() => timer.cancel());
  });
}
