import type { Runtime } from '../../runtime/runtime.ts';
import type { Reader } from '../../wire/reader.ts';
import { CreateMode, isContainer, isTtl } from '../jute/create-mode.ts';
import type { ACL, ClientInfo, Stat } from '../jute/data.ts';
import { ErrorCode, KeeperError } from '../jute/errors.ts';
import type { SessionId, Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import { type ReplyHeader, WatcherEvent } from '../jute/proto.ts';
import { OPEN_ACL_UNSAFE } from './acl.ts';
import { type Ask, settle } from './ask.ts';
import { Chroot } from './chroot.ts';
import type {
  CreateOptions,
  NodeValue,
  ReadOptions,
  Reconfiguration,
  ZookeeperClientOptions,
} from './client-options.ts';
import { parseConnectString } from './connect-string.ts';
import { createOpCode, type MultiOp, type MultiResult, type NodeData } from './multi.ts';
import { validatePath } from './paths.ts';
import * as requests from './requests.ts';
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
        sasl: options.sasl,
      },
      {
        stateChanged: (state) => this.#stateChanged(state),
        saslAuthenticated: () => {
          for (const listener of [...this.#saslListeners]) listener();
        },
        notified: (header, body) => this.#notified(header, body),
        watchFrames: (relativeZxid) =>
          watchFrames(this.#watches, relativeZxid, (path) => this.#chroot.serverPath(path)),
      },
    );
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

  /**
   * Resolves once there is a connection, and SASL is done where it is asked for; rejects when there can be none any more, or after
   * `timeoutMs` (ConnectionLoss).
   */
  connected(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        const outcome = outcomeOf(this.state);
        if (outcome === undefined || (outcome === 'connected' && this.#session.isAuthenticating)) return;
        stop();
        stopSasl();
        timer?.cancel();
        if (outcome === 'connected') resolve();
        else reject(new KeeperError(outcome));
      };
      const stop = this.onState(settle);
      const stopSasl = this.onSaslAuthenticated(settle);
      const timer =
        options.timeoutMs === undefined
          ? undefined
          : this.#runtime.clock.after(options.timeoutMs, () => {
              stop();
              stopSasl();
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

  /** Calls each time a server has taken our SASL credentials, which is after `connected`. Answers how to stop listening. */
  onSaslAuthenticated(listener: () => void): () => void {
    const heard = (): void => listener();
    this.#saslListeners.add(heard);
    return () => void this.#saslListeners.delete(heard);
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
    return this.#ask(requests.create(this.#chroot, createOpCode(mode), path, data, options)).then(
      (created) => created.path,
    );
  }

  createWithStat(
    path: string,
    data: NodeData = null,
    options: CreateOptions = {},
  ): Promise<{ path: string; stat: Stat }> {
    const { mode = CreateMode.PERSISTENT } = options;
    const type = isTtl(mode) || isContainer(mode) ? createOpCode(mode) : OpCode.create2;
    return this.#ask(requests.create(this.#chroot, type, path, data, options)) as Promise<{ path: string; stat: Stat }>;
  }

  delete(path: string, version = -1): Promise<void> {
    return this.#ask(requests.deleteNode(path, version));
  }

  /** Undefined where no node is; a watch then tells of its creation. */
  exists(path: string, options: ReadOptions = {}): Promise<Stat | undefined> {
    return this.#ask(requests.exists(path, options));
  }

  getData(path: string, options: ReadOptions = {}): Promise<NodeValue> {
    return this.#ask(requests.getData(path, options));
  }

  setData(path: string, data: NodeData, version = -1): Promise<Stat> {
    return this.#ask(requests.setData(path, data, version));
  }

  getACL(path: string): Promise<{ acl: ACL[]; stat: Stat }> {
    return this.#ask(requests.getACL(path));
  }

  /** `version` is compared with the Stat's `aversion`. */
  setACL(path: string, acl: readonly ACL[] = OPEN_ACL_UNSAFE, version = -1): Promise<Stat> {
    return this.#ask(requests.setACL(path, acl, version));
  }

  /** Names below a node, in no order. */
  getChildren(path: string, options: ReadOptions = {}): Promise<string[]> {
    return this.#ask(requests.getChildren(path, options));
  }

  getChildrenWithStat(path: string, options: ReadOptions = {}): Promise<{ children: string[]; stat: Stat }> {
    return this.#ask(requests.getChildrenWithStat(path, options));
  }

  /** Later reads of this client see all that was committed before. */
  sync(path = '/'): Promise<void> {
    return this.#ask(requests.sync(path));
  }

  /**
   * All of the operations, or none.
   * @throws MultiError with the code of each
   */
  multi(ops: readonly MultiOp[]): Promise<MultiResult[]> {
    return this.#ask(requests.multi(this.#chroot, ops));
  }

  /** A watch that stays (server 3.6 and later): on a node and its children, or on the whole subtree. */
  addWatch(path: string, watcher: Watcher, options: { readonly recursive?: boolean } = {}): Promise<void> {
    return this.#ask(requests.addWatch(path, watcher, options));
  }

  /** Removes this client's watches on a path (server 3.5 and later); their watchers are told. @throws NOWATCHER */
  removeWatches(path: string, which: RemovableWatches = 'Any'): Promise<void> {
    return this.#ask(requests.removeWatches(path, which, () => this.#forgetWatches(path, which)));
  }

  /** Paths of this session's ephemeral nodes under a prefix (server 3.6 and later). */
  getEphemerals(prefixPath = '/'): Promise<string[]> {
    return this.#ask(requests.getEphemerals(this.#chroot, prefixPath));
  }

  /** How many nodes are below a path, at any depth (server 3.6 and later). */
  getAllChildrenNumber(path: string): Promise<number> {
    return this.#ask(requests.getAllChildrenNumber(path));
  }

  /** The identities of this connection (server 3.7 and later). */
  whoAmI(): Promise<ClientInfo[]> {
    return this.#ask(requests.whoAmI());
  }

  /** The ensemble's membership, which no chroot hides (server 3.5 and later). */
  getConfig(options: ReadOptions = {}): Promise<NodeValue> {
    return this.#ask(requests.getConfig(options));
  }

  /** Changes the membership (server 3.5 and later): joining and leaving servers, or all `members`. Answers the new one. */
  reconfigure(change: Reconfiguration): Promise<NodeValue> {
    return this.#ask(requests.reconfigure(change));
  }

  #ask<T>(ask: Ask<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const { path } = ask;
      if (ask.validate !== undefined) ask.validate(path ?? '');
      else if (path !== undefined) validatePath(path);
      const serverPath = path === undefined ? '' : this.#chroot.serverPath(path);
      this.#session.submit({
        type: ask.type,
        path,
        writeBody: (to) => ask.write(to, serverPath),
        replied: (header, body) => settle(ask, { header, body, watches: this.#watches, resolve, reject }),
        failed: reject,
      });
    });
  }

  #notified(header: ReplyHeader, body: Reader): void {
    const event = WatcherEvent.read(body);
    const type = watchEventType(event.type);
    if (type === undefined) {
      this.#runtime.log.warn('an event of unknown type', { type: event.type, path: event.path });
      return;
    }
    const path = this.#chroot.clientPath(event.path);
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
