import type { Runtime } from '../../runtime/runtime.ts';
import type { Reader } from '../../wire/reader.ts';
import { CreateMode, isContainer, isSequential, isTtl } from '../jute/create-mode.ts';
import type { ACL, ClientInfo, Stat } from '../jute/data.ts';
import { ErrorCode, KeeperError } from '../jute/errors.ts';
import { AddWatchMode, WatcherType } from '../jute/events.ts';
import type { SessionId, Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import {
  AddWatchRequest,
  Create2Response,
  CreateResponse,
  DeleteRequest,
  ExistsRequest,
  ExistsResponse,
  GetACLRequest,
  GetACLResponse,
  GetAllChildrenNumberRequest,
  GetAllChildrenNumberResponse,
  GetChildren2Request,
  GetChildren2Response,
  GetChildrenRequest,
  GetChildrenResponse,
  GetDataRequest,
  GetDataResponse,
  GetEphemeralsRequest,
  GetEphemeralsResponse,
  ReconfigRequest,
  RemoveWatchesRequest,
  type ReplyHeader,
  SetACLRequest,
  SetACLResponse,
  SetDataRequest,
  SetDataResponse,
  SyncRequest,
  WatcherEvent,
  WhoAmIResponse,
} from '../jute/proto.ts';
import { OPEN_ACL_UNSAFE } from './acl.ts';
import { type Ask, settle } from './ask.ts';
import { parseConnectString } from './connect-string.ts';
import {
  createOpCode,
  dataBytes,
  type MultiOp,
  type MultiResult,
  type NodeData,
  readMulti,
  writeCreate,
  writeMulti,
} from './multi.ts';
import { underChroot, validatePath, validateSequentialPath, withoutChroot } from './paths.ts';
import { Session, type SessionState } from './session.ts';
import { watchFrames } from './watch-frames.ts';
import {
  type RemovableWatches,
  removals,
  type WatchEvent,
  type Watcher,
  WatchRegistry,
  watchEventType,
} from './watch-registry.ts';

export interface ZookeeperClientOptions {
  /** `h1:2181,h2:2181/chroot`; every path of this client is below the chroot. */
  readonly connect: string;
  /** Asked for; the server may grant another. Default 30 s. */
  readonly sessionTimeoutMs?: number;
  /** Accept a server that lost its quorum and answers only reads. Default false. */
  readonly canBeReadOnly?: boolean;
  readonly auth?: readonly { readonly scheme: string; readonly auth: string | Uint8Array }[];
  /** Largest reply taken, Apache's `jute.maxbuffer`. Default 4 MiB: a long list of children must not cut the connection. */
  readonly juteMaxBuffer?: number;
  /** Requests under way or waiting for a connection; more are refused with THROTTLEDOP. Default 100,000. */
  readonly requestsMax?: number;
  /** Bytes of those. Default 64 MiB. */
  readonly requestBytesMax?: number;
  /** Requests fail with ConnectionLoss when no server can be reached, as in Apache's client, instead of waiting. Default false. */
  readonly failFast?: boolean;
}

export type ClientState = SessionState;
export type StateListener = (state: Exclude<ClientState, 'connecting'>) => void;

export interface CreateOptions {
  /** Default: anyone may do anything. */
  readonly acl?: readonly ACL[];
  /** Default: persistent. */
  readonly mode?: CreateMode;
  /** Of the TTL modes. */
  readonly ttlMs?: number;
}

export interface ReadOptions {
  /** Called once, at the next change; told to every server that we connect to until then. */
  readonly watch?: Watcher;
}

export interface NodeValue {
  /** Null and empty differ. */
  readonly data: Buffer | null;
  readonly stat: Stat;
}

/** Server specifications separated by commas, and ids; `fromConfig` is the version that the change starts from, -1 for any. */
export interface Reconfiguration {
  readonly joining?: string;
  readonly leaving?: string;
  readonly members?: string;
  readonly fromConfig?: bigint;
}

/** Opens a session; requests may be made at once. */
export function connectZookeeper(runtime: Runtime, options: ZookeeperClientOptions): ZookeeperClient {
  return new ZookeeperClient(runtime, options);
}

/**
 * A session with a ZooKeeper ensemble. Requests go out in the order of the calls, replies and watch events come in the server's
 * order: an event is seen before the answer that shows its change. Requests under way when the connection is lost fail with
 * ConnectionLoss (they may have been done); requests made without a connection wait for one. After `expired`, `authFailed` or
 * `closed` every request fails, and a new client is needed.
 */
export class ZookeeperClient {
  readonly #runtime: Runtime;
  readonly #session: Session;
  readonly #chroot: string;
  readonly #watches = new WatchRegistry();
  readonly #listeners = new Set<StateListener>();

  constructor(runtime: Runtime, options: ZookeeperClientOptions) {
    const { hosts, chroot } = parseConnectString(options.connect);
    this.#runtime = { ...runtime, log: runtime.log.named('zookeeper.client') };
    this.#chroot = chroot;
    this.#session = new Session(
      this.#runtime,
      {
        hosts,
        sessionTimeoutMs: options.sessionTimeoutMs ?? 30_000,
        canBeReadOnly: options.canBeReadOnly ?? false,
        frameSizeMax: options.juteMaxBuffer ?? 4_194_304,
        requestsMax: options.requestsMax ?? 100_000,
        requestBytesMax: options.requestBytesMax ?? 67_108_864,
        failFast: options.failFast ?? false,
      },
      {
        stateChanged: (state) => this.#stateChanged(state),
        notified: (header, body) => this.#notified(header, body),
        watchFrames: (relativeZxid) => watchFrames(this.#watches, relativeZxid, (path) => this.#serverPath(path)),
      },
    );
    for (const { scheme, auth } of options.auth ?? []) this.addAuth(scheme, auth).catch(() => undefined);
    this.#session.start();
  }

  get state(): ClientState {
    return this.#session.state;
  }

  /** 0 before the first connection. */
  get sessionId(): SessionId {
    return this.#session.sessionId;
  }

  /** What the server granted; before that what was asked for. */
  get sessionTimeoutMs(): number {
    return this.#session.timeoutMs;
  }

  /** The highest zxid that a reply showed. */
  get lastZxid(): Zxid {
    return this.#session.lastZxid;
  }

  /** Resolves once there is a connection; rejects when there can be none any more, or after `timeoutMs` (ConnectionLoss). */
  connected(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        const outcome = outcomeOf(this.state);
        if (outcome === undefined) return;
        stop();
        timer?.cancel();
        if (outcome === 'connected') resolve();
        else reject(new KeeperError(outcome));
      };
      const stop = this.onState(settle);
      const timer =
        options.timeoutMs === undefined
          ? undefined
          : this.#runtime.clock.after(options.timeoutMs, () => {
              stop();
              reject(new KeeperError(ErrorCode.CONNECTIONLOSS));
            });
      settle();
    });
  }

  /** Answers how to stop listening. */
  onState(listener: StateListener): () => void {
    const heard: StateListener = (state) => listener(state); // the same function may listen twice
    this.#listeners.add(heard);
    return () => void this.#listeners.delete(heard);
  }

  /** Ends the session after the requests made before; its ephemeral nodes are gone then. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#session.close(resolve));
  }

  /** Gives the session an identity (`digest`, `user:password`), now and on each later connection. */
  addAuth(scheme: string, auth: string | Uint8Array): Promise<void> {
    return this.#session.addAuth(scheme, typeof auth === 'string' ? Buffer.from(auth) : auth);
  }

  /** Answers the path, with the digits that a sequential mode adds. */
  create(path: string, data: NodeData = null, options: CreateOptions = {}): Promise<string> {
    const { mode = CreateMode.PERSISTENT } = options;
    return this.#create(createOpCode(mode), path, data, options).then((created) => created.path);
  }

  createWithStat(
    path: string,
    data: NodeData = null,
    options: CreateOptions = {},
  ): Promise<{ path: string; stat: Stat }> {
    const { mode = CreateMode.PERSISTENT } = options;
    const type = isTtl(mode) || isContainer(mode) ? createOpCode(mode) : OpCode.create2;
    return this.#create(type, path, data, options) as Promise<{ path: string; stat: Stat }>;
  }

  #create(type: OpCode, path: string, data: NodeData, options: CreateOptions): Promise<{ path: string; stat?: Stat }> {
    return this.#ask({
      type,
      path,
      validate: isSequential(options.mode ?? CreateMode.PERSISTENT) ? validateSequentialPath : validatePath,
      write: (to, serverPath) => writeCreate(to, serverPath, { ...options, data }),
      read: (body) => {
        const created = type === OpCode.create ? CreateResponse.read(body) : Create2Response.read(body);
        return { ...created, path: this.#clientPath(created.path) };
      },
    });
  }

  delete(path: string, version = -1): Promise<void> {
    return this.#ask({
      type: OpCode.delete,
      path,
      write: (to, serverPath) => DeleteRequest.write(to, { path: serverPath, version }),
      read: () => undefined,
    });
  }

  /** Undefined where no node is; a watch then tells of its creation. */
  exists(path: string, options: ReadOptions = {}): Promise<Stat | undefined> {
    const { watch } = options;
    return this.#ask<Stat | undefined>({
      type: OpCode.exists,
      path,
      write: (to, serverPath) => ExistsRequest.write(to, { path: serverPath, watch: watch !== undefined }),
      read: (body) => ExistsResponse.read(body).stat,
      noNode: () => undefined,
      watch: { kind: 'data', kindWithoutNode: 'exist', watcher: watch },
    });
  }

  getData(path: string, options: ReadOptions = {}): Promise<NodeValue> {
    const { watch } = options;
    return this.#ask({
      type: OpCode.getData,
      path,
      write: (to, serverPath) => GetDataRequest.write(to, { path: serverPath, watch: watch !== undefined }),
      read: readNodeValue,
      watch: { kind: 'data', watcher: watch },
    });
  }

  setData(path: string, data: NodeData, version = -1): Promise<Stat> {
    return this.#ask({
      type: OpCode.setData,
      path,
      write: (to, serverPath) => SetDataRequest.write(to, { path: serverPath, data: dataBytes(data), version }),
      read: (body) => SetDataResponse.read(body).stat,
    });
  }

  getACL(path: string): Promise<{ acl: ACL[]; stat: Stat }> {
    return this.#ask({
      type: OpCode.getACL,
      path,
      write: (to, serverPath) => GetACLRequest.write(to, { path: serverPath }),
      read: (body) => {
        const { acl, stat } = GetACLResponse.read(body);
        return { acl: acl ?? [], stat };
      },
    });
  }

  /** `version` is compared with the Stat's `aversion`. */
  setACL(path: string, acl: readonly ACL[] = OPEN_ACL_UNSAFE, version = -1): Promise<Stat> {
    return this.#ask({
      type: OpCode.setACL,
      path,
      write: (to, serverPath) => SetACLRequest.write(to, { path: serverPath, acl: [...acl], version }),
      read: (body) => SetACLResponse.read(body).stat,
    });
  }

  /** Names below a node, in no order. */
  getChildren(path: string, options: ReadOptions = {}): Promise<string[]> {
    const { watch } = options;
    return this.#ask({
      type: OpCode.getChildren,
      path,
      write: (to, serverPath) => GetChildrenRequest.write(to, { path: serverPath, watch: watch !== undefined }),
      read: (body) => GetChildrenResponse.read(body).children ?? [],
      watch: { kind: 'child', watcher: watch },
    });
  }

  getChildrenWithStat(path: string, options: ReadOptions = {}): Promise<{ children: string[]; stat: Stat }> {
    const { watch } = options;
    return this.#ask({
      type: OpCode.getChildren2,
      path,
      write: (to, serverPath) => GetChildren2Request.write(to, { path: serverPath, watch: watch !== undefined }),
      read: (body) => {
        const { children, stat } = GetChildren2Response.read(body);
        return { children: children ?? [], stat };
      },
      watch: { kind: 'child', watcher: watch },
    });
  }

  /** Later reads of this client see all that was committed before. */
  sync(path = '/'): Promise<void> {
    return this.#ask({
      type: OpCode.sync,
      path,
      write: (to, serverPath) => SyncRequest.write(to, { path: serverPath }),
      read: () => undefined,
    });
  }

  /**
   * All of the operations, or none.
   * @throws MultiError with the code of each
   */
  multi(ops: readonly MultiOp[]): Promise<MultiResult[]> {
    return this.#ask({
      type: OpCode.multi,
      path: undefined,
      validate: () => ops.forEach(validateOp),
      write: (to) => writeMulti(to, ops, (path) => this.#serverPath(path)),
      read: (body) => readMulti(body, ops, (path) => this.#clientPath(path)),
    });
  }

  /** A watch that stays (server 3.6 and later): on a node and its children, or on the whole subtree. */
  addWatch(path: string, watcher: Watcher, options: { readonly recursive?: boolean } = {}): Promise<void> {
    const { recursive = false } = options;
    const mode = recursive ? AddWatchMode.PERSISTENT_RECURSIVE : AddWatchMode.PERSISTENT;
    return this.#ask({
      type: OpCode.addWatch,
      path,
      write: (to, serverPath) => AddWatchRequest.write(to, { path: serverPath, mode }),
      read: () => undefined,
      watch: { kind: recursive ? 'recursive' : 'persistent', watcher },
    });
  }

  /** Removes this client's watches on a path (server 3.5 and later); their watchers are told. @throws NOWATCHER */
  removeWatches(path: string, which: RemovableWatches = 'Any'): Promise<void> {
    return this.#ask({
      type: OpCode.removeWatches,
      path,
      write: (to, serverPath) => RemoveWatchesRequest.write(to, { path: serverPath, type: WatcherType[which] }),
      read: () => this.#forgetWatches(path, which),
    });
  }

  /** Paths of this session's ephemeral nodes under a prefix (server 3.6 and later). */
  getEphemerals(prefixPath = '/'): Promise<string[]> {
    return this.#ask({
      type: OpCode.getEphemerals,
      path: prefixPath,
      write: (to, serverPath) => GetEphemeralsRequest.write(to, { prefixPath: serverPath }),
      read: (body) => (GetEphemeralsResponse.read(body).ephemerals ?? []).map((path) => this.#clientPath(path)),
    });
  }

  /** How many nodes are below a path, at any depth (server 3.6 and later). */
  getAllChildrenNumber(path: string): Promise<number> {
    return this.#ask({
      type: OpCode.getAllChildrenNumber,
      path,
      write: (to, serverPath) => GetAllChildrenNumberRequest.write(to, { path: serverPath }),
      read: (body) => GetAllChildrenNumberResponse.read(body).totalNumber,
    });
  }

  /** The identities of this connection (server 3.7 and later). */
  whoAmI(): Promise<ClientInfo[]> {
    return this.#ask({
      type: OpCode.whoAmI,
      path: undefined,
      write: () => undefined,
      read: (body) => WhoAmIResponse.read(body).clientInfo ?? [],
    });
  }

  /** The ensemble's membership, which no chroot hides (server 3.5 and later). */
  getConfig(options: ReadOptions = {}): Promise<NodeValue> {
    const { watch } = options;
    return this.#ask({
      type: OpCode.getData,
      path: CONFIG_PATH,
      write: (to) => GetDataRequest.write(to, { path: CONFIG_PATH, watch: watch !== undefined }),
      read: readNodeValue,
      watch: { kind: 'data', watcher: watch },
    });
  }

  /** Changes the membership (server 3.5 and later): joining and leaving servers, or all `members`. Answers the new one. */
  reconfigure(change: Reconfiguration): Promise<NodeValue> {
    const { joining = null, leaving = null, members = null, fromConfig = -1n } = change;
    return this.#ask({
      type: OpCode.reconfig,
      path: undefined,
      write: (to) =>
        ReconfigRequest.write(to, {
          joiningServers: joining,
          leavingServers: leaving,
          newMembers: members,
          curConfigId: fromConfig,
        }),
      read: readNodeValue,
    });
  }

  #ask<T>(ask: Ask<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const { path } = ask;
      if (ask.validate !== undefined) ask.validate(path ?? '');
      else if (path !== undefined) validatePath(path);
      const serverPath = path === undefined ? '' : this.#serverPath(path);
      this.#session.submit({
        type: ask.type,
        path,
        writeBody: (to) => ask.write(to, serverPath),
        replied: (header, body) => settle(ask, { header, body, watches: this.#watches, resolve, reject }),
        failed: reject,
      });
    });
  }

  #serverPath(path: string): string {
    return path === CONFIG_PATH ? path : underChroot(this.#chroot, path);
  }

  #clientPath(path: string): string {
    return withoutChroot(this.#chroot, path);
  }

  #notified(header: ReplyHeader, body: Reader): void {
    const event = WatcherEvent.read(body);
    const type = watchEventType(event.type);
    if (type === undefined) {
      this.#runtime.log.warn('an event of unknown type', { type: event.type, path: event.path });
      return;
    }
    const path = this.#clientPath(event.path);
    this.#tell(this.#watches.take(type, path), { type, path, zxid: header.zxid });
  }

  #forgetWatches(path: string, which: RemovableWatches): void {
    for (const { kind, type } of removals[which]) {
      this.#tell(this.#watches.remove(kind, path), { type, path, zxid: -1n });
    }
  }

  #tell(watchers: Iterable<Watcher>, event: WatchEvent): void {
    for (const watcher of watchers) this.#protect(() => watcher(event));
  }

  #stateChanged(state: SessionState): void {
    if (state === 'connecting') return;
    for (const listener of [...this.#listeners]) this.#protect(() => listener(state));
    if (outcomeOf(state) !== undefined && outcomeOf(state) !== 'connected') this.#watches.clear();
  }

  /** A fault in the program that uses us must not break the session. */
  #protect(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#runtime.log.error('a listener failed', { error });
    }
  }
}

const CONFIG_PATH = '/zookeeper/config';

function readNodeValue(body: Reader): NodeValue {
  const { data, stat } = GetDataResponse.read(body);
  return { data: data === null ? null : Buffer.from(data), stat }; // a copy: the frame must not live on
}

function validateOp(op: MultiOp): void {
  if (op.kind === 'create' && isSequential(op.mode ?? CreateMode.PERSISTENT)) validateSequentialPath(op.path);
  else validatePath(op.path);
}

/** Undefined while it is open; else 'connected', or the code of the error that every request has from now on. */
function outcomeOf(state: ClientState): 'connected' | number | undefined {
  switch (state) {
    case 'connected':
    case 'connectedReadOnly':
      return 'connected';
    case 'authFailed':
      return ErrorCode.AUTHFAILED;
    case 'expired':
    case 'closed':
      return ErrorCode.SESSIONEXPIRED;
    default:
      return undefined;
  }
}
