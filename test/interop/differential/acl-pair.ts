/** Apache's broker 3.9.1 and ours with an authorizer: whoever comes from 127.0.0.1 may do everything, others what they are given. */
import { join } from 'node:path';
import type { AclEntry } from '../../../src/kafka/security/acl.ts';
import { AclOperation, AclPermission, AclResource, encodeAcls } from '../../../src/kafka/security/acl.ts';
import { connectZookeeper, type ZookeeperClient } from '../../../src/zookeeper/client/index.ts';
import { type Odradek, startOdradek } from '../odradek.ts';
import { startApacheKafka } from '../peers/apache-kafka.ts';
import { startApacheZookeeper } from '../peers/apache-zookeeper.ts';
import { until } from '../peers/process.ts';
import { tempDir } from '../peers/temp-dir.ts';
import { type Answer, ask } from './raw-client.ts';

export const CLIENT = '127.0.0.2';
export const ANONYMOUS = 'User:ANONYMOUS';

export interface AclSide {
  readonly port: number;
  /** Its part of the one ZooKeeper, with the chroot. */
  readonly zookeeper: string;
  readonly zk: ZookeeperClient;
  readonly logFile: string;
}

export interface AclPair {
  readonly apache: AclSide;
  readonly odradek: AclSide;
  stop(): Promise<void>;
}

/** Both in one ZooKeeper of Apache's, each below a root of its own. */
export async function startAclPair(settings: Readonly<Record<string, string>>): Promise<AclPair> {
  const dir = tempDir();
  const zookeeper = await startApacheZookeeper({ version: '3.9.4', dataDir: join(dir, 'zookeeper') });
  const roots = { apache: `${zookeeper.connect}/apache`, odradek: `${zookeeper.connect}/odradek` };
  const root = connectZookeeper({ connect: zookeeper.connect });
  await root.create('/apache', null);
  await root.create('/odradek', null);
  await root.close();
  const zks = {
    apache: connectZookeeper({ connect: roots.apache }),
    odradek: connectZookeeper({ connect: roots.odradek }),
  };
  await Promise.all(Object.values(zks).map(allowBrokers));
  const kafka = {
    'authorizer.class.name': 'kafka.security.authorizer.AclAuthorizer',
    'transaction.state.log.num.partitions': '5',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'log.retention.ms': '-1',
    ...settings,
  };
  const [apache, odradek] = await Promise.all([
    startApacheKafka({
      version: '3.9.1',
      zookeeperConnect: roots.apache,
      logDir: join(dir, 'apache'),
      overrides: kafka,
    }),
    startOdradek({ dir, zookeeperConnect: roots.odradek, kafka }),
  ]);
  return {
    apache: { port: apache.port, zookeeper: roots.apache, zk: zks.apache, logFile: apache.logFile },
    odradek: {
      port: (odradek as Odradek).kafkaPort,
      zookeeper: roots.odradek,
      zk: zks.odradek,
      logFile: odradek.logFile,
    },
    stop: async () => {
      await Promise.all(Object.values(zks).map((zk) => zk.close()));
      await odradek.kill();
      await apache.kill();
      await zookeeper.kill();
    },
  };
}

/** A broker is its own client, and has no rights to begin with. */
async function allowBrokers(zk: ZookeeperClient): Promise<void> {
  const all: AclEntry = {
    principal: ANONYMOUS,
    host: '127.0.0.1',
    operation: AclOperation.all,
    permission: AclPermission.allow,
  };
  await zk.create('/kafka-acl', null);
  for (const [type, name] of [
    ['Cluster', 'kafka-cluster'],
    ['Topic', '*'],
    ['Group', '*'],
    ['TransactionalId', '*'],
  ] as const) {
    await zk.create(`/kafka-acl/${type}`, null);
    await zk.create(`/kafka-acl/${type}/${name}`, encodeAcls([all]));
  }
}

export type Ports = Readonly<Record<'apache' | 'odradek', { readonly port: number }>>;

/** The answers of both brokers to a client from elsewhere. */
export function askBoth(
  pair: Ports,
  apiKey: number,
  version: number,
  fields: (side: 'apache' | 'odradek') => object,
): Promise<(Answer | 'closed')[]> {
  const from = { localAddress: CLIENT };
  return Promise.all(
    (['apache', 'odradek'] as const).map((side) => ask(pair[side].port, apiKey, version, fields(side), from)),
  );
}

export interface GivenAcl {
  readonly resourceType: number;
  readonly name: string;
  readonly operation: number;
  readonly permission?: number;
  readonly patternType?: number;
}

/** The client is given a right by whoever may do everything, at both brokers. */
export async function give(pair: Ports, { resourceType, name, operation, ...more }: GivenAcl): Promise<void> {
  const pattern = more.patternType ?? 3;
  const permissionType = more.permission ?? AclPermission.allow;
  const creation = {
    resourceType,
    resourceName: name,
    resourcePatternType: pattern,
    principal: ANONYMOUS,
    host: CLIENT,
    operation,
    permissionType,
  };
  const filter = {
    ...ofClient,
    resourceTypeFilter: resourceType,
    resourceNameFilter: name,
    patternTypeFilter: pattern,
    operation,
    permissionType,
  };
  for (const { port } of [pair.apache, pair.odradek]) {
    const { results } = (await ask(port, 30, 3, { creations: [creation] })) as unknown as {
      results: { errorCode: number }[];
    };
    if (results[0]?.errorCode !== 0) throw new RangeError(`no ACL: ${JSON.stringify(results)}`);
    await until('the right counts', async () => ((await resourceCount(port, filter)) === 1 ? true : undefined));
  }
}

/** All rights of the client are taken. */
export async function takeAll(pair: Ports): Promise<void> {
  for (const { port } of [pair.apache, pair.odradek]) {
    await ask(port, 31, 3, { filters: [ofClient] });
    await until('no right counts', async () => ((await resourceCount(port, ofClient)) === 0 ? true : undefined));
  }
}

const ofClient = {
  resourceTypeFilter: AclResource.any,
  resourceNameFilter: null,
  patternTypeFilter: 1,
  principalFilter: null,
  hostFilter: CLIENT,
  operation: AclOperation.any,
  permissionType: AclPermission.any,
};

/** What an authorizer has: a broker of KRaft answers a change before its own has heard of it. */
async function resourceCount(port: number, filter: object): Promise<number> {
  const { resources } = (await ask(port, 29, 3, filter)) as { resources: unknown[] };
  return resources.length;
}
