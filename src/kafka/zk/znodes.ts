import { ZERO_UUID } from '../../wire/schema.ts';

/**
 * The znodes of a cluster: their paths and the JSON in them, exactly as Apache's brokers and tools read and write them
 * (`kafka.zk.ZkData`). Readers accept unknown keys in any order; writers keep each value's type: timestamps, the version of
 * /cluster/id and all configuration values are strings, ids and epochs are numbers.
 */
export const paths = {
  controller: '/controller',
  controllerEpoch: '/controller_epoch',
  cluster: '/cluster',
  clusterId: '/cluster/id',
  brokerIds: '/brokers/ids',
  brokerSequence: '/brokers/seqid',
  topics: '/brokers/topics',
  configChanges: '/config/changes',
  deleteTopics: '/admin/delete_topics',
  reassignPartitions: '/admin/reassign_partitions',
  preferredReplicaElection: '/admin/preferred_replica_election',
  isrChangeNotification: '/isr_change_notification',
  logDirEventNotification: '/log_dir_event_notification',
  producerIdBlock: '/latest_producer_id_block',
  feature: '/feature',
  consumers: '/consumers',
  delegationTokenRoot: '/delegation_token',
  delegationTokens: '/delegation_token/tokens',
  tokenChanges: '/delegation_token/token_changes',
  broker: (id: number): string => `/brokers/ids/${id}`,
  topic: (topic: string): string => `/brokers/topics/${topic}`,
  partitions: (topic: string): string => `/brokers/topics/${topic}/partitions`,
  partition: (topic: string, partition: number): string => `/brokers/topics/${topic}/partitions/${partition}`,
  partitionState: (topic: string, partition: number): string =>
    `/brokers/topics/${topic}/partitions/${partition}/state`,
  delegationToken: (tokenId: string): string => `/delegation_token/tokens/${tokenId}`,
  deleteTopic: (topic: string): string => `/admin/delete_topics/${topic}`,
  config: (entityType: ConfigEntityType): string => `/config/${entityType}`,
  entityConfig: (entityType: ConfigEntityType, entity: string): string => `/config/${entityType}/${entity}`,
} as const;

export type ConfigEntityType = 'topics' | 'clients' | 'users' | 'brokers' | 'ips' | 'groups';

/** What every broker creates at its start (`ZkData.PersistentZkPaths`). */
export const persistentPaths: readonly string[] = [
  '/consumers',
  '/brokers/ids',
  '/brokers/topics',
  '/config/changes',
  '/admin/delete_topics',
  '/brokers/seqid',
  '/isr_change_notification',
  '/latest_producer_id_block',
  '/log_dir_event_notification',
  '/config/topics',
  '/config/clients',
  '/config/users',
  '/config/brokers',
  '/config/ips',
];

export interface Endpoint {
  readonly listenerName: string;
  readonly securityProtocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  readonly host: string;
  readonly port: number;
}

export interface BrokerInfo {
  readonly id: number;
  readonly endpoints: readonly Endpoint[];
  readonly rack: string | null;
}

export interface TopicAssignment {
  readonly topicId: string;
  readonly partitions: ReadonlyMap<number, PartitionAssignment>;
}

/** KIP-455: the replicas include what is being added and what is being removed. */
export interface PartitionAssignment {
  readonly replicas: readonly number[];
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
}

export interface PartitionState {
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly isr: readonly number[];
  readonly controllerEpoch: number;
  /** 1 only while the leader recovers from an unclean election (KIP-704). */
  readonly leaderRecoveryState: number;
}

const noBrokers: readonly number[] = [];

type Json = Record<string, unknown>;

export function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** Undefined where the bytes are no JSON object: a damaged znode must not stop a broker. */
export function decodeJson(bytes: Uint8Array | null): Json | undefined {
  if (bytes === null) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}

/** Version 5 since IBP 2.7 (`features`), 4 before. The plain host and port serve clients of the first listener. */
export function encodeBroker(broker: BrokerInfo, timestampMs: number): Uint8Array {
  const plain = broker.endpoints.find(({ securityProtocol }) => securityProtocol === 'PLAINTEXT');
  return encodeJson({
    features: {},
    listener_security_protocol_map: Object.fromEntries(
      broker.endpoints.map(({ listenerName, securityProtocol }) => [listenerName, securityProtocol]),
    ),
    endpoints: broker.endpoints.map(({ listenerName, host, port }) => `${listenerName}://${host}:${port}`),
    jmx_port: -1,
    ...(broker.rack === null ? {} : { rack: broker.rack }),
    port: plain?.port ?? -1,
    host: plain?.host ?? null,
    version: 5,
    timestamp: String(timestampMs),
  });
}

export function decodeBroker(id: number, bytes: Uint8Array | null): BrokerInfo | undefined {
  const json = decodeJson(bytes);
  if (json === undefined) return undefined;
  const protocols = (json.listener_security_protocol_map ?? {}) as Record<string, Endpoint['securityProtocol']>;
  const texts = Array.isArray(json.endpoints)
    ? (json.endpoints as string[])
    : [`PLAINTEXT://${json.host}:${json.port}`];
  const endpoints = texts.flatMap((text) => {
    const match = /^([^:]+):\/\/\[?(.*?)\]?:(-?\d+)$/.exec(text);
    if (match === null) return [];
    const listenerName = match[1] as string;
    const securityProtocol = protocols[listenerName] ?? (listenerName as Endpoint['securityProtocol']);
    return [{ listenerName, securityProtocol, host: match[2] as string, port: Number(match[3]) }];
  });
  return { id, endpoints, rack: typeof json.rack === 'string' ? json.rack : null };
}

export function encodeController(brokerId: number, timestampMs: number): Uint8Array {
  return encodeJson({ version: 2, brokerid: brokerId, timestamp: String(timestampMs), kraftControllerEpoch: -1 });
}

export function decodeController(bytes: Uint8Array | null): number | undefined {
  const id = decodeJson(bytes)?.brokerid;
  return typeof id === 'number' ? id : undefined;
}

/** Version 3 with a topic id (IBP 2.8 and later). */
export function encodeTopic(topic: TopicAssignment): Uint8Array {
  const entries = [...topic.partitions];
  const lists = (pick: (assignment: PartitionAssignment) => readonly number[], all: boolean): Json =>
    Object.fromEntries(
      entries.filter(([, item]) => all || pick(item).length > 0).map(([index, item]) => [index, pick(item)]),
    );
  return encodeJson({
    partitions: lists((item) => item.replicas, true),
    topic_id: topic.topicId,
    adding_replicas: lists((item) => item.addingReplicas, false),
    removing_replicas: lists((item) => item.removingReplicas, false),
    version: 3,
  });
}

/** Versions 1 (2.1's tools), 2 and 3; a topic without an id has ZERO_UUID. */
export function decodeTopic(bytes: Uint8Array | null): TopicAssignment | undefined {
  const json = decodeJson(bytes);
  if (json === undefined) return undefined;
  const adding = (json.adding_replicas ?? {}) as Record<string, number[]>;
  const removing = (json.removing_replicas ?? {}) as Record<string, number[]>;
  const partitions = new Map<number, PartitionAssignment>();
  for (const [index, replicas] of Object.entries((json.partitions ?? {}) as Record<string, number[]>)) {
    partitions.set(Number(index), {
      replicas,
      addingReplicas: adding[index] ?? noBrokers,
      removingReplicas: removing[index] ?? noBrokers,
    });
  }
  return { topicId: typeof json.topic_id === 'string' ? json.topic_id : ZERO_UUID, partitions };
}

export function encodePartitionState(state: PartitionState): Uint8Array {
  return encodeJson({
    controller_epoch: state.controllerEpoch,
    leader: state.leader,
    version: 1,
    leader_epoch: state.leaderEpoch,
    isr: state.isr,
    ...(state.leaderRecoveryState === 0 ? {} : { leader_recovery_state: state.leaderRecoveryState }),
  });
}

export function decodePartitionState(bytes: Uint8Array | null): PartitionState | undefined {
  const json = decodeJson(bytes);
  if (json === undefined || typeof json.leader !== 'number') return undefined;
  return {
    leader: json.leader,
    leaderEpoch: Number(json.leader_epoch ?? 0),
    isr: (json.isr ?? []) as number[],
    controllerEpoch: Number(json.controller_epoch ?? 0),
    leaderRecoveryState: Number(json.leader_recovery_state ?? 0),
  };
}

export function encodeConfig(config: ReadonlyMap<string, string>): Uint8Array {
  return encodeJson({ version: 1, config: Object.fromEntries(config) });
}

export function decodeConfig(bytes: Uint8Array | null): Map<string, string> {
  const config = decodeJson(bytes)?.config;
  const pairs = typeof config === 'object' && config !== null ? Object.entries(config as Json) : [];
  return new Map(pairs.map(([key, value]) => [key, String(value)]));
}

/** `entityPath` as `topics/t`, `brokers/<default>`, `users/U/clients/C`. */
export function encodeConfigChange(entityPath: string): Uint8Array {
  return encodeJson({ version: 2, entity_path: entityPath });
}

/** Version 1 (0.9's) named type and entity apart. */
export function decodeConfigChange(bytes: Uint8Array | null): string | undefined {
  const json = decodeJson(bytes);
  if (typeof json?.entity_path === 'string') return json.entity_path;
  if (typeof json?.entity_type === 'string') return `${json.entity_type}/${String(json.entity_name)}`;
  return undefined;
}

/** A broker lost a log dir. (`event` has no other value.) */
export function encodeLogDirEvent(broker: number): Uint8Array {
  return encodeJson({ version: 1, broker, event: 1 });
}

/** Whose log dir failed; undefined for what nobody can read. */
export function decodeLogDirEvent(bytes: Uint8Array | null): number | undefined {
  const broker = decodeJson(bytes)?.broker;
  return typeof broker === 'number' ? broker : undefined;
}

export function encodeClusterId(id: string): Uint8Array {
  return encodeJson({ version: '1', id });
}

export function decodeClusterId(bytes: Uint8Array | null): string | undefined {
  const id = decodeJson(bytes)?.id;
  return typeof id === 'string' ? id : undefined;
}

export interface ProducerIdBlock {
  readonly broker: number;
  readonly first: number;
  readonly last: number;
}

export function encodeProducerIdBlock(block: ProducerIdBlock): Uint8Array {
  return encodeJson({
    version: 1,
    broker: block.broker,
    block_start: String(block.first),
    block_end: String(block.last),
  });
}

/** The block cannot be read: to begin anew would hand out ids that producers have already. */
export class DamagedProducerIdBlockError extends Error {
  constructor() {
    super(`the producer ids in ${paths.producerIdBlock} cannot be read`);
    this.name = 'DamagedProducerIdBlockError';
  }
}

/** The first id that no block holds yet; 0 before the first block. @throws DamagedProducerIdBlockError */
export function firstProducerIdAfter(bytes: Uint8Array | null): number {
  if (bytes === null || bytes.length === 0) return 0;
  const last = Number(decodeJson(bytes)?.block_end ?? Number.NaN);
  if (!Number.isSafeInteger(last)) throw new DamagedProducerIdBlockError();
  return last + 1;
}

/** IBP 3.3 and later: version 2; no finalized features. */
export function encodeFeature(): Uint8Array {
  return encodeJson({ features: {}, version: 2, status: 1 });
}
