/** `odradek/zookeeper/client`: a ZooKeeper client for any server, ours or Apache's. See docs/zookeeper-client.md. */
import { silent } from '../../runtime/log.ts';
import { nodeRuntime } from '../../runtime/node/node-runtime.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { connectZookeeper as connect, type ZookeeperClient } from './client.ts';
import type { ZookeeperClientOptions as OptionsOfClient } from './client-options.ts';

export type { ClientTlsOptions, KeyStoreOptions } from '../../config/client-tls.ts';
export { type NodeRuntimeOptions, nodeRuntime } from '../../runtime/node/node-runtime.ts';
export type { Runtime } from '../../runtime/runtime.ts';
export { CreateMode } from '../jute/create-mode.ts';
export type { ACL, ClientInfo, Stat } from '../jute/data.ts';
export { ErrorCode, KeeperError } from '../jute/errors.ts';
export type { SessionId, Zxid } from '../jute/ids.ts';
export { CREATOR_ALL_ACL, OPEN_ACL_UNSAFE, Perms, READ_ACL_UNSAFE } from './acl.ts';
export type { ClientState, StateListener, ZookeeperClient } from './client.ts';
export { AbortError, type ErrorCodeName, InvalidArgumentError, isKeeperError } from './client-errors.ts';
export type {
  AddWatchOptions,
  CreateOptions,
  NodeValue,
  ReadOptions,
  Reconfiguration,
  RemoveWatchesOptions,
  RequestOptions,
} from './client-options.ts';
export { InvalidConnectStringError } from './connect-string.ts';
export type { ConnectedOptions } from './connected.ts';
export type { FollowOptions, NodeValues } from './follow.ts';
export {
  type CheckResult,
  type CreateFields,
  type CreateOp,
  type CreateResult,
  type DeleteResult,
  MultiError,
  type MultiOp,
  type MultiResult,
  type NodeData,
  type SetDataResult,
} from './multi.ts';
export type { MultiReadOp, MultiReadResult } from './multi-read.ts';
export { InvalidPathError } from './paths.ts';
export { AtomicLong } from './recipes/atomic-long.ts';
export { Barrier } from './recipes/barrier.ts';
export { DoubleBarrier } from './recipes/double-barrier.ts';
export {
  CorruptValueError,
  LostError,
  OutcomeUnknownError,
  RecipeClosedError,
  WaitTimeoutError,
} from './recipes/errors.ts';
export { GroupMember, type GroupMemberOptions } from './recipes/group-member.ts';
export type { Held, LostWhen } from './recipes/held.ts';
export {
  type LatchState,
  LeaderLatch,
  type LeaderLatchOptions,
  type Leadership,
  type Participant,
} from './recipes/leader-latch.ts';
export { LeaderSelector, type LeaderSelectorOptions } from './recipes/leader-selector.ts';
export { type LockOptions, Mutex } from './recipes/mutex.ts';
export { createRecursive, deleteRecursive, ensurePath, listSubtree } from './recipes/nodes.ts';
export { PersistentNode, type PersistentNodeOptions, type PersistentNodeState } from './recipes/persistent-node.ts';
export { Queue } from './recipes/queue.ts';
export { ReadWriteLock } from './recipes/read-write-lock.ts';
export { Semaphore, type SemaphoreOptions } from './recipes/semaphore.ts';
export { SessionKeeper, type SessionSource, type Sessions } from './recipes/sessions.ts';
export { SharedCount, type VersionedCount } from './recipes/shared-count.ts';
export {
  type CachedNode,
  TreeCache,
  type TreeCacheEvent,
  type TreeCacheOptions,
  type TreeCacheState,
} from './recipes/tree-cache.ts';
export type { WaitOptions } from './recipes/waiting.ts';
export type { SaslCredentials } from './sasl-exchange.ts';
export type { SessionIdentity } from './session.ts';
export type { Transaction } from './transaction.ts';
export type { MissedEvents, SessionEvent, WatchEvents, WatchedEvent, WatchMode, WatchOptions } from './watch-events.ts';
export type { RemovableWatches, WatchEvent, WatchEventType, Watcher } from './watch-registry.ts';

/** What a client is told when it is made; only `connect` has to be. */
export interface ZookeeperClientOptions extends OptionsOfClient {
  /** The world that the client lives in; the real one by default, where it logs nothing. */
  readonly runtime?: Runtime;
}

/**
 * Opens a session; requests may be made at once, and wait for the connection.
 * @throws InvalidConnectStringError, InvalidPathError for the chroot
 */
export function connectZookeeper(options: ZookeeperClientOptions): ZookeeperClient {
  return connect(options.runtime ?? nodeRuntime({ log: silent }), options);
}
