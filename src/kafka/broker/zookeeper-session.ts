import type { Runtime } from '../../runtime/runtime.ts';
import { connectZookeeper, type ZookeeperClient } from '../../zookeeper/client/client.ts';
import { ensurePath } from '../../zookeeper/client/recipes/nodes.ts';
import type { SaslCredentials } from '../../zookeeper/client/sasl-exchange.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import { zookeeperTls } from './zookeeper-tls.ts';

/** ZooKeeper did not answer in time: the broker cannot start. */
export class ZookeeperUnavailableError extends Error {
  constructor(connect: string, timeoutMs: number, options?: ErrorOptions) {
    super(
      `Timed out waiting for connection to ZooKeeper at ${connect} (zookeeper.connection.timeout.ms=${timeoutMs})`,
      options,
    );
    this.name = 'ZookeeperUnavailableError';
  }
}

/** Opens a session and waits until it stands; a chroot that is missing is made first. */
export async function openSession(
  runtime: Runtime,
  config: KafkaConfig,
  sasl?: SaslCredentials,
): Promise<ZookeeperClient> {
  const connect = config.string('zookeeper.connect');
  const slash = connect.indexOf('/');
  const chroot = slash < 0 ? '' : connect.slice(slash).replace(/\/$/, '');
  if (chroot !== '') await createChroot(runtime, config, { connect: connect.slice(0, slash), chroot, sasl });
  return open(runtime, config, { connect: chroot === '' ? connect.replace(/\/$/, '') : connect, sasl });
}

interface Ensemble {
  readonly connect: string;
  readonly sasl: SaslCredentials | undefined;
}

async function createChroot(
  runtime: Runtime,
  config: KafkaConfig,
  { chroot, ...ensemble }: Ensemble & { readonly chroot: string },
): Promise<void> {
  const client = await open(runtime, config, ensemble);
  try {
    await ensurePath(client, chroot);
  } finally {
    await client.close();
  }
}

async function open(runtime: Runtime, config: KafkaConfig, { connect, sasl }: Ensemble): Promise<ZookeeperClient> {
  const sessionTimeoutMs = config.number('zookeeper.session.timeout.ms');
  const given = config.optional('zookeeper.connection.timeout.ms');
  const timeoutMs = given === null ? sessionTimeoutMs : Number(given);
  const tls = zookeeperTls(config);
  const client = connectZookeeper(runtime, { connect, sessionTimeoutMs, sasl, ...(tls === undefined ? {} : { tls }) });
  try {
    await client.connected({ timeoutMs });
  } catch (error) {
    await client.close();
    throw new ZookeeperUnavailableError(connect, timeoutMs, { cause: error });
  }
  return client;
}
