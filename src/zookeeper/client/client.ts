import { clientTls } from '../../config/client-tls.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Reader } from '../../wire/reader.ts';
import { CreateMode, isContainer, isTtl } from '../jute/create-mode.ts';
import type { ACL, ClientInfo, Stat } from '../jute/data.ts';
import { ErrorCode, KeeperError } from '../jute/errors.ts';
import type { SessionId, Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import { type ReplyHeader, WatcherEvent } from '../jute/proto.ts';
import { OPEN_ACL_UNSAFE } from './acl.ts';
import { type Ask, Call } from './ask.ts';
import { Chroot } from './chroot.ts';
import { abortable, isKeeperError, type Reject, type Resolve } from './client-errors.ts';
import type {
  AddWatchOptions,
  CreateOptions,
  NodeValue,
  ReadOptions,
  Reconfiguration,
  RemoveWatchesOptions,
  RequestOptions,
  ZookeeperClientOptions,
} from './client-options.ts';
import { parseConnectString } from './connect-string.ts';
import { type ConnectedOptions, outcomeOf, waitForConnection } from './connected.ts';
import { type FollowHost, type FollowOptions, NodeValues } from './follow.ts';
import { createOpCode, type MultiOp, type MultiResult, type NodeData } from './multi.ts';
import type { MultiReadOp, MultiReadResult } from './multi-read.ts';
import { validatePath } from './paths.ts';
import type { Packet } from './request-queue.ts';
import * as requests from './requests.ts';
import { Session, type SessionIdentity, type SessionState } from './session.ts';
import { Transaction } from './transaction.ts';
import { WatchEvents, type WatchHost, type WatchOptions } from './watch-events.ts';
import { watchFrames } from './watch-frames.ts';
import {
  type RemovableWatches,
  removals,
  type WatchEvent,
  type Watcher,
  type WatchKind,
  WatchRegistry,
  watchEventType,
} from './watch-registry.ts';

export type ClientState = SessionState;
export type StateListener = (state: Exclude<ClientState, 'connecting'>) => void;

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
  readonly #chroot: Chroot;
  readonly #watches = new WatchRegistry();
  readonly #listeners = new Set<StateListener>();
  readonly #watchHost: WatchHost & FollowHost;
  readonly #saslListeners = new Set<() => void>();

  constructor(runtime: Runtime, options: ZookeeperClientOptions) {
    const { hosts, chroot } = parseConnectString(options.connect);
    this.#runtime = { ...runtime, log: runtime.log.named('zookeeper.client') };
    this.#chroot = new Chroot(chroot);
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
        tls: options.tls === undefined ? undefined : clientTls(runtime.disk, options.tls),
        requestTimeoutMs: options.requestTimeoutMs ?? 0,
        session: options.session,
        sasl: options.sasl,
      },
      {
        stateChanged: (state) => this.#stateChanged(state),
        saslAuthenticated: () => {
          for (const listener of [...this.#saslListeners]) listener();
        },
        notified: (header, body) => this.#notified(header, body),
        watchFrames: (relativeZxid) => watchFrames(this.#watches, relativeZxid),
      },
    );
    this.#watchHost = this.#makeWatchHost();
    for (const { scheme, auth } of options.auth ?? []) this.addAuth(scheme, auth).catch(() => undefined);
    this.#session.start();
  }

  /** The world that the client lives in: recipes take their time and chance from it. */
  get runtime(): Runtime {
    return this.#runtime;
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

  /** What another client goes on with (`options.session`); undefined before there is a session that all servers know. */
  get session(): SessionIdentity | undefined {
    return this.#session.identity;
  }

  /**
   * Resolves once there is a connection, and SASL is done where it is asked for; at once while there is one.
   * @throws KeeperError SESSIONEXPIRED or AUTHFAILED when there can be none any more, CONNECTIONLOSS after `timeoutMs`
   * @throws AbortError
   */
  connected(options: ConnectedOptions = {}): Promise<void> {
    return waitForConnection(this.#session, this, this.#runtime.clock, options);
  }

  /** Answers how to stop listening. */
  onState(listener: StateListener): () => void {
    const heard: StateListener = (state) => listener(state); // the same function may listen twice
    this.#listeners.add(heard);
    return () => void this.#listeners.delete(heard);
  }

  /** Calls each time a server has taken our SASL credentials, which is after `connected`. Answers how to stop listening. */
  onSaslAuthenticated(listener: () => void): () => void {
    const heard = (): void => listener();
    this.#saslListeners.add(heard);
    return () => void this.#saslListeners.delete(heard);
  }

  /**
   * Ends the session after the requests made before; its ephemeral nodes are gone then. Without a connection it resolves at once,
   * and the ensemble ends the session when its timeout has passed. Requests made from now on fail with SESSIONEXPIRED.
   */
  close(): Promise<void> {
    return new Promise((resolve) => this.#session.close(resolve));
  }

  /** As `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Other servers of the same ensemble, as `connect` names them; a chroot in it is ignored. The client moves to another server if
   * its own is not among them, and where servers were added, with the chance that spreads all clients evenly (ZOOKEEPER-1355).
   * @throws InvalidArgumentError
   */
  updateServerList(connect: string): void {
    this.#session.updateServerList(parseConnectString(connect).hosts);
  }

  /**
   * Gives the session an identity (`digest`, `user:password`), now and on each later connection. Resolves when a server has taken
   * it; a refusal ends the session. An aborted wait does not take the identity back.
   * @throws KeeperError AUTHFAILED
   */
  addAuth(scheme: string, auth: string | Uint8Array | null, { signal }: RequestOptions = {}): Promise<void> {
    const added = this.#session.addAuth(scheme, typeof auth === 'string' ? Buffer.from(auth) : auth);
    if (signal === undefined) return added;
    return abortable(signal, undefined, (resolve, reject) => {
      added.then(resolve, reject);
      return () => true;
    });
  }

  // Nodes.

  /**
   * Creates a node, and answers its path, with the digits that a sequential mode adds.
   * @throws KeeperError NODEEXISTS, NONODE for the parent, NOCHILDRENFOREPHEMERALS, INVALIDACL, NOAUTH, QUOTAEXCEEDED
   */
  create(path: string, data: NodeData = null, options: CreateOptions = {}): Promise<string> {
    const { mode = CreateMode.PERSISTENT, signal } = options;
    return this.#ask(requests.create(this.#chroot, createOpCode(mode), path, data, options), signal).then(pathOf);
  }

  /** As `create`, with the Stat of the new node (server 3.5 and later). */
  createWithStat(
    path: string,
    data: NodeData = null,
    options: CreateOptions = {},
  ): Promise<{ path: string; stat: Stat }> {
    const { mode = CreateMode.PERSISTENT, signal } = options;
    const type = isTtl(mode) || isContainer(mode) ? createOpCode(mode) : OpCode.create2;
    const created = this.#ask(requests.create(this.#chroot, type, path, data, options), signal);
    return created as Promise<{ path: string; stat: Stat }>;
  }

  /**
   * Deletes a node of this version; -1, the default, is any.
   * @throws KeeperError NONODE, BADVERSION, NOTEMPTY, NOAUTH
   */
  delete(path: string, version = -1, { signal }: RequestOptions = {}): Promise<void> {
    return this.#ask(requests.deleteNode(path, version), signal);
  }

  /** Undefined where no node is; a watch then tells of its creation. @throws KeeperError NOAUTH */
  exists(path: string, options: ReadOptions = {}): Promise<Stat | undefined> {
    return this.#ask(requests.exists(path, options), options.signal);
  }

  /** @throws KeeperError NONODE (and sets no watch), NOAUTH */
  getData(path: string, options: ReadOptions = {}): Promise<NodeValue> {
    return this.#ask(requests.getData(path, options), options.signal);
  }

  /**
   * Replaces the data of a node of this version; -1, the default, is any. Answers its new Stat.
   * @throws KeeperError NONODE, BADVERSION, NOAUTH, QUOTAEXCEEDED
   */
  setData(path: string, data: NodeData, version = -1, { signal }: RequestOptions = {}): Promise<Stat> {
    return this.#ask(requests.setData(path, data, version), signal);
  }

  /** @throws KeeperError NONODE, NOAUTH */
  getACL(path: string, { signal }: RequestOptions = {}): Promise<{ acl: ACL[]; stat: Stat }> {
    return this.#ask(requests.getACL(path), signal);
  }

  /**
   * Replaces the access list; `version` is compared with the Stat's `aversion`, -1 is any.
   * @throws KeeperError NONODE, BADVERSION, INVALIDACL, NOAUTH
   */
  setACL(
    path: string,
    acl: readonly ACL[] = OPEN_ACL_UNSAFE,
    version = -1,
    { signal }: RequestOptions = {},
  ): Promise<Stat> {
    return this.#ask(requests.setACL(path, acl, version), signal);
  }

  /** Names below a node, in no order. @throws KeeperError NONODE, NOAUTH */
  getChildren(path: string, options: ReadOptions = {}): Promise<string[]> {
    return this.#ask(requests.getChildren(path, options), options.signal);
  }

  getChildrenWithStat(path: string, options: ReadOptions = {}): Promise<{ children: string[]; stat: Stat }> {
    return this.#ask(requests.getChildrenWithStat(path, options), options.signal);
  }

  /** Later reads of this client see all that was committed before. */
  sync(path = '/', { signal }: RequestOptions = {}): Promise<void> {
    return this.#ask(requests.sync(path), signal);
  }

  /** How many nodes are below a path, at any depth (server 3.6 and later). @throws KeeperError NONODE, NOAUTH */
  getAllChildrenNumber(path: string, { signal }: RequestOptions = {}): Promise<number> {
    return this.#ask(requests.getAllChildrenNumber(path), signal);
  }

  /** Paths of this session's ephemeral nodes that begin with a prefix (server 3.6 and later). */
  getEphemerals(prefixPath = '/', { signal }: RequestOptions = {}): Promise<string[]> {
    return this.#ask(requests.getEphemerals(this.#chroot, prefixPath), signal);
  }

  // Several at once.

  /**
   * All of the operations, or none.
   * @throws MultiError with the code of each
   */
  multi(ops: readonly MultiOp[], { signal }: RequestOptions = {}): Promise<MultiResult[]> {
    return this.#ask(requests.multi(this.#chroot, ops), signal);
  }

  /** A multi put together by calls: `client.transaction().check('/a', 1).create('/b').commit()`. */
  transaction(): Transaction {
    return new Transaction((ops, options) => this.multi(ops, options));
  }

  /** Several reads in one request, answered from one state of the server (3.6 and later); each succeeds or fails by itself. */
  multiRead(ops: readonly MultiReadOp[], { signal }: RequestOptions = {}): Promise<MultiReadResult[]> {
    return this.#ask(requests.multiRead(this.#chroot, ops), signal);
  }

  // Watches.

  /**
   * The events of a node, `for await (const event of client.watch('/a', { mode: 'recursive' }))`; see WatchEvents for how it
   * begins and ends.
   */
  watch(path: string, options: WatchOptions = {}): WatchEvents {
    return new WatchEvents(this.#watchHost, path, options);
  }

  /** The values of a node, `for await (const value of client.follow('/a'))`: the present one, then each new one. */
  follow(path: string, options: FollowOptions = {}): NodeValues {
    return new NodeValues(this.#watchHost, path, options);
  }

  /**
   * A watch that stays (server 3.6 and later): on a node and its children, or on the whole subtree. What happens while there is no
   * connection is not told: read again when the state is `connected`.
   */
  async addWatch(path: string, watcher: Watcher, options: AddWatchOptions = {}): Promise<void> {
    const { recursive = false, signal } = options;
    const kind = recursive ? 'recursive' : 'persistent';
    await this.#ask(this.#expecting(requests.addWatch(path, watcher, options), kind, path), signal);
    const remove = (): void => this.#release(kind, path, watcher);
    if (signal?.aborted === true) remove();
    else signal?.addEventListener('abort', remove, { once: true });
  }

  /**
   * Removes this client's watches on a path (server 3.5 and later), or one watcher of them; those removed are told. The server
   * forgets the watch when no watcher here needs it any more.
   * @throws KeeperError NOWATCHER
   */
  async removeWatches(
    path: string,
    which: RemovableWatches = 'Any',
    { watcher, local = false, signal }: RemoveWatchesOptions = {},
  ): Promise<void> {
    validatePath(path);
    const forget = (): void => this.#forgetWatches(path, which, watcher);
    if (local && outcomeOf(this.state) !== 'connected') return forget();
    const isShared =
      watcher !== undefined &&
      removals[which].some(({ kind }) => this.#watches.isWatched(kind, this.#serverPath(path), watcher));
    const type = isShared ? OpCode.checkWatches : OpCode.removeWatches;
    try {
      await this.#ask(requests.removeWatches(type, path, which, forget), signal);
    } catch (error) {
      if (!local || !isKeeperError(error)) throw error;
      forget();
    }
  }

  /** Forgets a watcher that a read set and that has not been called yet; nothing is sent, and nobody is told. */
  unwatch(path: string, watcher: Watcher): void {
    for (const kind of ['data', 'exist', 'child'] as const) {
      this.#watches.removeOne(kind, this.#serverPath(path), watcher);
    }
  }

  // The ensemble and the session.

  /** The identities of this connection (server 3.7 and later). */
  whoAmI({ signal }: RequestOptions = {}): Promise<ClientInfo[]> {
    return this.#ask(requests.whoAmI(), signal);
  }

  /** The ensemble's membership, which no chroot hides (server 3.5 and later). */
  getConfig(options: ReadOptions = {}): Promise<NodeValue> {
    return this.#ask(requests.getConfig(options), options.signal);
  }

  /**
   * Changes the membership (server 3.5 and later): joining and leaving servers, or all `members`. Answers the new one.
   * @throws KeeperError RECONFIGDISABLED, NOAUTH, BADVERSION, BADARGUMENTS, NEWCONFIGNOQUORUM, RECONFIGINPROGRESS
   */
  reconfigure(change: Reconfiguration, { signal }: RequestOptions = {}): Promise<NodeValue> {
    return this.#ask(requests.reconfigure(change), signal);
  }

  #ask<T>(ask: Ask<T>, signal?: AbortSignal): Promise<T> {
    if (signal === undefined) return new Promise((resolve, reject) => void this.#submit(ask, resolve, reject));
    return abortable(signal, ask.path, (resolve, reject) => {
      const { call, packet } = this.#submit(ask, resolve, reject);
      return () => {
        if (packet === undefined) return false;
        if (this.#session.withdraw(packet)) {
          call.withdrawn();
          return false;
        }
        call.giveUp();
        return true;
      };
    });
  }

  /** @throws InvalidArgumentError, KeeperError when it can never be sent */
  #submit<T>(ask: Ask<T>, resolve: Resolve<T>, reject: Reject): { call: Call<T>; packet: Packet | undefined } {
    const { path } = ask;
    if (ask.validate !== undefined) ask.validate(path ?? '');
    else validatePath(path as string);
    const serverPath = ask.isServerPath === true ? (path ?? '') : this.#serverPath(path);
    ask.begun?.();
    const call = new Call(ask, serverPath, this.#watches, resolve, reject);
    return { call, packet: this.#session.submit(call) };
  }

  #serverPath(path: string | undefined): string {
    return path === undefined ? '' : this.#chroot.serverPath(path);
  }

  /** While a watch is asked for, nobody may tell the server that it is not needed; when it comes too late, we do. */
  #expecting(ask: Ask<void>, kind: WatchKind, path: string): Ask<void> {
    let unwanted = false;
    return {
      ...ask,
      begun: () => this.#watches.expect(kind, this.#serverPath(path)),
      unwanted: () => {
        unwanted = true;
      },
      ended: () => {
        this.#watches.expectNoMore(kind, this.#serverPath(path));
        if (unwanted) this.#releaseAtServer(kind, path);
      },
    };
  }

  #makeWatchHost(): WatchHost & FollowHost {
    const client = this;
    return {
      get state() {
        return client.state;
      },
      onState: (listener) => this.onState(listener),
      getData: (path, options) => this.getData(path, options),
      exists: (path, options) => this.exists(path, options),
      set: (path, mode, watcher) =>
        mode === 'once'
          ? this.exists(path, { watch: watcher })
          : this.addWatch(path, watcher, { recursive: mode === 'recursive' }),
      release: (kind, path, watcher) => this.#release(kind, path, watcher),
    };
  }

  #notified(header: ReplyHeader, body: Reader): void {
    const event = WatcherEvent.read(body);
    const type = watchEventType(event.type);
    if (type === undefined) {
      this.#runtime.log.warn('an event of unknown type', { type: event.type, path: event.path });
      return;
    }
    const path = this.#chroot.clientPath(event.path);
    this.#tell(this.#watches.take(type, event.path), { type, path, zxid: header.zxid });
  }

  /** @throws KeeperError NOWATCHER */
  #forgetWatches(path: string, which: RemovableWatches, watcher: Watcher | undefined): void {
    let isForgotten = false;
    for (const { kind, type } of removals[which]) {
      const removed = this.#removeHere(kind, path, watcher);
      isForgotten ||= removed.length > 0;
      this.#tell(removed, { type, path, zxid: -1n });
    }
    if (!isForgotten) throw new KeeperError(ErrorCode.NOWATCHER, path);
  }

  #removeHere(kind: WatchKind, path: string, watcher: Watcher | undefined): readonly Watcher[] {
    if (watcher === undefined) return this.#watches.remove(kind, this.#serverPath(path));
    return this.#watches.removeOne(kind, this.#serverPath(path), watcher) ? [watcher] : [];
  }

  /** A watcher's own end: nobody is told. */
  #release(kind: WatchKind, path: string, watcher: Watcher): void {
    if (this.#watches.removeOne(kind, this.#serverPath(path), watcher)) this.#releaseAtServer(kind, path);
  }

  /**
   * Only what `addWatch` set, since servers before 3.5 end the connection of who asks; a one-shot watch costs one event at most.
   * Servers 3.6 to 3.8 do not know these two types, and forget the watch with the connection.
   */
  #releaseAtServer(kind: WatchKind, path: string): void {
    if (kind !== 'persistent' && kind !== 'recursive') return;
    if (this.#watches.isWatched(kind, this.#serverPath(path)) || outcomeOf(this.state) !== 'connected') return;
    const which = kind === 'recursive' ? 'PersistentRecursive' : 'Persistent';
    this.#ask(requests.removeWatches(OpCode.removeWatches, path, which, () => undefined)).catch(() => undefined);
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

const pathOf = ({ path }: { path: string }): string => path;
