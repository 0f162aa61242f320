import { ConfigError } from '../../config/config-error.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { connectZookeeper, type ZookeeperClient } from '../../zookeeper/client/client.ts';
import { ensurePath } from '../../zookeeper/client/recipes/nodes.ts';
import type { SaslCredentials } from '../../zookeeper/client/sasl-exchange.ts';
import { protectedAcl } from '../zk/znode-acls.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import { zookeeperTls } from './zookeeper-tls.ts';

const SET_ACL = 'zookeeper.set.acl';

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

/**
 * Znodes that belong to whoever made them need a name for that (`KafkaZkClient.createZkClient`).
 * @throws ConfigError where ZooKeeper would not know this broker
 */
function requireIdentity(config: KafkaConfig, sasl: SaslCredentials | undefined): void {
  if (!protectsZnodes(config) || sasl !== undefined) return;
  const hasCertificate =
    config.optional('zookeeper.ssl.client.enable') === 'true' &&
    config.optional('zookeeper.ssl.keystore.location') !== null;
  if (hasCertificate) return;
  throw new ConfigError(
    SET_ACL,
    'true',
    'ZooKeeper client TLS configuration identifying at least zookeeper.ssl.client.enable and zookeeper.ssl.keystore.location ' +
      'was not present and the verification of the JAAS login file failed: java.security.auth.login.config has to name a ' +
      'file with a section Client',
  );
}

/** What this broker creates in ZooKeeper belongs to the brokers. */
export function protectsZnodes(config: KafkaConfig): boolean {
  return config.boolean(SET_ACL);
}

/** Opens a session and waits until it stands; a chroot that is missing is made first. @throws ConfigError, ZookeeperUnavailableError */
export async function openSession(
  runtime: Runtime,
  config: KafkaConfig,
  sasl?: SaslCredentials,
): Promise<ZookeeperClient> {
  requireIdentity(config, sasl);
  const connect = config.string('zookeeper.connect');
  const slash = connect.indexOf('/');
  const chroot = slash < 0 ? '' : connect.slice(slash).replace(/\/$/, '');
  if (chroot !== '') await createChroot(runtime, config, { connect: connect.slice(0, slash), chroot, sasl });
  return connectSession(runtime, config, { connect: chroot === '' ? connect.replace(/\/$/, '') : connect, sasl });
}

/** Where ZooKeeper is, and as whom to log in there. */
interface Ensemble {
  readonly connect: string;
  readonly sasl: SaslCredentials | undefined;
}

async function createChroot(
  runtime: Runtime,
  config: KafkaConfig,
  { chroot, ...ensemble }: Ensemble & { readonly chroot: string },
): Promise<void> {
  const client = await connectSession(runtime, config, ensemble);
  try {
    await ensurePath(client, chroot, protectsZnodes(config) ? { acl: protectedAcl(chroot) } : {});
  } finally {
    await client.close();
  }
}

/** Opens a session and waits until it stands. @throws ConfigError, ZookeeperUnavailableError */
export async function connectSession(
  runtime: Runtime,
  config: KafkaConfig,
  { connect, sasl }: Ensemble,
): Promise<ZookeeperClient> {
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
