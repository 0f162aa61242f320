/** `odradek/kafka/client`: producer, consumer and admin for any broker, ours or Apache's. */
import { silent } from '../../runtime/log.ts';
import { nodeRuntime } from '../../runtime/node/node-runtime.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { type Admin, createAdmin as admin } from './admin.ts';
import type { ClientOptions } from './cluster.ts';
import { type Consumer, createConsumer as consumer } from './consumer.ts';
import type { ConsumerOptions } from './consumer-options.ts';
import { type Producer, type ProducerOptions, createProducer as producer } from './producer.ts';

export type { ClientTlsOptions, KeyStoreOptions } from '../../config/client-tls.ts';
export { type NodeRuntimeOptions, nodeRuntime } from '../../runtime/node/node-runtime.ts';
export type { Runtime } from '../../runtime/runtime.ts';
export { ErrorCode, KafkaError } from '../protocol/errors.ts';
export {
  type AclBinding,
  type AclEntry,
  AclOperation,
  AclPermission,
  AclResource,
  PatternType,
  type ResourcePattern,
} from '../security/acl.ts';
export { type AclFilter, everyAcl } from '../security/acl-filter.ts';
export type { ClientSecurity, SecurityProtocol } from '../security/client-security.ts';
export type { LoginMechanism, OAuthLogin, OAuthToken, PasswordLogin, SaslLogin } from '../security/sasl/sasl-client.ts';
export type { Principal } from '../security/tokens/principal.ts';
export type { Admin, NewTopic, Reassignment } from './admin.ts';
export {
  BufferExhaustedError,
  ClientClosedError,
  ClientUsageError,
  isAuthenticationError,
  isRetriable,
  NoOffsetForPartitionError,
  SslAuthenticationError,
  TransactionAbortedError,
  TransactionFailedError,
} from './client-errors.ts';
export type { ClientOptions } from './cluster.ts';
export type { TopicPartition } from './cluster-metadata.ts';
export type { ConfigChange, ConfigEntry, ConfigResource } from './configs.ts';
export type { Consumer } from './consumer.ts';
export type { ConsumerOptions, RebalanceListener } from './consumer-options.ts';
export type { HeldToken, NewDelegationToken } from './delegation-tokens.ts';
export type { ConsumerRecord } from './fetched-records.ts';
export {
  type CommittedOffset,
  type Committer,
  EARLIEST,
  type IsolationLevel,
  LATEST,
  MAX_TIMESTAMP,
} from './offsets.ts';
export type { Partitioner } from './partitioner.ts';
export type { Producer, ProducerOptions, ProducerRecord } from './producer.ts';
export type { RecordMetadata } from './producer-batch.ts';

/** The world that a client lives in; the real one by default, where it logs nothing. */
interface InRuntime {
  readonly runtime?: Runtime;
}

/** Opens a producer; records may be sent at once. */
export function createProducer(options: ProducerOptions & InRuntime): Producer {
  return producer(runtimeOf(options), options);
}

/** Opens a consumer. */
export function createConsumer(options: ConsumerOptions & InRuntime): Consumer {
  return consumer(runtimeOf(options), options);
}

/** Opens an administrator's client. */
export function createAdmin(options: ClientOptions & InRuntime): Admin {
  return admin(runtimeOf(options), options);
}

function runtimeOf({ runtime }: InRuntime): Runtime {
  return runtime ?? nodeRuntime({ log: silent });
}
