import { readFileSync } from 'node:fs';
import { clientLoginOf } from '../../config/client-login.ts';
import { systemPropertiesOf } from '../../config/system-properties.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { KafkaConfig } from '../broker/config/kafka-config.ts';
import { connectSession, protectsZnodes, ZookeeperUnavailableError } from '../broker/zookeeper-session.ts';
import { AclAuthorizer } from '../security/acl-authorizer.ts';
import { AclStore } from '../security/acl-store.ts';
import { AclZnodes } from '../zk/acl-znodes.ts';
import { KafkaZk } from '../zk/kafka-zk.ts';
import type { AclKeeper } from './acl-commands.ts';
import { CommandError } from './command-error.ts';
import type { ParsedOptions } from './option-parser.ts';
import { propertiesFile } from './tool.ts';

const CONFIG_EXCEPTION = 'org.apache.kafka.common.config.ConfigException';

/**
 * Works on the znodes as an authorizer in a broker does; brokers hear of it by the change nodes.
 * @throws CommandError, ConfigError, KeeperError, and what `work` throws
 */
export async function withAclsInZookeeper(
  options: ParsedOptions,
  runtime: Runtime,
  work: (keeper: AclKeeper) => Promise<void>,
): Promise<void> {
  const { sasl } = clientLoginOf(systemPropertiesOf(process.env.KAFKA_OPTS ?? ''), (path) =>
    readFileSync(path, 'utf8'),
  );
  const config = configOf(options, sasl !== undefined);
  const connect = config.string('zookeeper.connect');
  const client = await connectSession(runtime, config, { connect, sasl }).catch((error: unknown) => {
    if (!(error instanceof ZookeeperUnavailableError)) throw error;
    const message = 'Timed out waiting for connection while in state: CONNECTING';
    throw new CommandError(message, 'kafka.zookeeper.ZooKeeperClientTimeoutException');
  });
  const { clock, random, log } = runtime;
  const authorizer = new AclAuthorizer({ superUsers: new Set(), allowsWithoutAcl: false, log });
  const znodes = new AclZnodes(new KafkaZk(client, clock, random, protectsZnodes(config)), clock);
  const store = new AclStore({ znodes, authorizer, clock, random, log: log.named('kafka.security') });
  try {
    await store.start();
    await work(keeperOf(store));
  } finally {
    store.close();
    await client.close();
  }
}

function keeperOf(store: AclStore): AclKeeper {
  return {
    async create(bindings) {
      for (const error of await store.create(bindings)) if (error !== undefined) throw error;
    },
    async delete(filters) {
      for (const { error } of (await store.delete(filters)).flat()) if (error !== undefined) throw error;
    },
    describe: async (filter) => store.matching(filter),
  };
}

/** Keys of the broker; what begins with `authorizer.` is the authorizer's own, and counts more. */
function configOf(options: ParsedOptions, hasLogin: boolean): KafkaConfig {
  const keys = new Map([['zookeeper.set.acl', String(hasLogin)]]);
  const given = new Map([...propertiesFile(options.value('zk-tls-config-file')), ...authorizerProperties(options)]);
  for (const [key, value] of given) if (!key.startsWith('authorizer.')) keys.set(key, value);
  for (const [key, value] of given) {
    const [, own] = /^authorizer\.(zookeeper\..*)$/.exec(key) ?? [];
    if (own !== undefined) keys.set(own === 'zookeeper.url' ? 'zookeeper.connect' : own, value);
  }
  if (!keys.has('zookeeper.connect')) {
    const message = 'Missing required configuration "zookeeper.connect" which has no default value.';
    throw new CommandError(message, CONFIG_EXCEPTION);
  }
  const authorizer = options.value('authorizer');
  if (authorizer !== undefined) keys.set('authorizer.class.name', authorizer);
  return new KafkaConfig(keys);
}

function authorizerProperties(options: ParsedOptions): Map<string, string> {
  return new Map(
    options.values('authorizer-properties').map((pair) => {
      const [, key = pair, value = ''] = /^([^=]*)=([\s\S]*)$/.exec(pair) ?? [];
      if (value === '') throw new CommandError(`Missing value for key ${key}`);
      return [key, value];
    }),
  );
}
