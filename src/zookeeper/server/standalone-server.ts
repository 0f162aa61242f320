import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import { DiskError } from '../../runtime/disk.ts';
import type { Log } from '../../runtime/log.ts';
import type { Address } from '../../runtime/network.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { printHex, type SessionId } from '../jute/ids.ts';
import type { ConnectRequest } from '../jute/proto.ts';
import type { FileSnapLog, SnapshotSubject } from '../persistence/file-snap-log.ts';
import type { Recovered } from '../persistence/recovery.ts';
import type { DataTree } from '../tree/data-tree.ts';
import { Authentication } from './auth/authentication.ts';
import type { SaslUsers } from './auth/sasl-users.ts';
import { ClientConnection } from './client-connection.ts';
import { ClientListeners } from './client-listeners.ts';
import { ClientPort } from './client-port.ts';
import type { ConnectionHost } from './connection-host.ts';
import { ConnectionThrottle } from './connection-throttle.ts';
import { ContainerManager } from './container-manager.ts';
import { answerWord } from './four-letter-words.ts';
import { LargeRequests } from './large-requests.ts';
import type { PendingRequest } from './pending-request.ts';
import { Pipeline, type PipelineListener } from './pipeline.ts';
import { Preparer } from './prepare.ts';
import { ReadRequests } from './reads.ts';
import { RequestCursor } from './request-cursor.ts';
import { RequestThrottler } from './request-throttler.ts';
import { ServerStats } from './server-stats.ts';
import type { ServerView } from './server-view.ts';
import { SessionAdmission } from './session-admission.ts';
import { type Session, Sessions } from './sessions.ts';
import { StandaloneAgreement } from './standalone-agreement.ts';
import type { ZookeeperServer } from './zookeeper-server.ts';

/** The id in sessions of a server that is no member of an ensemble (ZooKeeperServer.createSessionTracker). */
const STANDALONE_SESSION_SERVER = 1;
const MS_PER_HOUR = 3_600_000;

export interface StandaloneServerOptions {
  readonly runtime: Runtime;
  readonly config: ZooCfg;
  readonly files: FileSnapLog;
  readonly recovered: Recovered;
  readonly saslUsers: SaslUsers | undefined;
  /** Gives the data directories free. */
  readonly release: () => void;
  readonly onFatal: ((error: unknown) => void) | undefined;
}

/** The parts of a standalone server, put together: nothing here decides anything about the protocol. */
export class StandaloneServer implements ZookeeperServer, ConnectionHost, PipelineListener, ServerView {
  readonly config: ZooCfg;
  readonly clock: Clock;
  readonly log: Log;
  readonly tree: DataTree;
  readonly sessions: Sessions;
  readonly reads: ReadRequests;
  readonly stats = new ServerStats();
  readonly authentication: Authentication;
  readonly cursor = new RequestCursor();
  readonly mode = 'standalone';
  readonly serverId = 0;
  outstandingCount = 0;
  readonly throttler: RequestThrottler | undefined;
  readonly largeRequests: LargeRequests | undefined;
  readonly connectionThrottle: ConnectionThrottle | undefined;
  appliedMs = 0;
  readonly #options: StandaloneServerOptions;
  readonly #port: ClientPort;
  readonly #pipeline: Pipeline;
  readonly #admission: SessionAdmission;
  readonly #containers: ContainerManager;
  readonly #sessionTimeouts: Map<SessionId, number>;
  readonly #startedMs: number;
  #listeners: ClientListeners | undefined;
  #purgeTimer: Timer | undefined;
  #state: ZookeeperServer['state'] = 'serving';
  #closing: Promise<void> | undefined;

  constructor(options: StandaloneServerOptions) {
    const { runtime, config, files, recovered } = options;
    const { clock } = runtime;
    this.#options = options;
    this.config = config;
    this.clock = clock;
    this.log = runtime.log.named('zookeeper');
    this.tree = recovered.tree;
    this.#sessionTimeouts = recovered.sessions;
    this.stats.digestMismatchesCount = recovered.digestMismatches;
    this.#startedMs = clock.monotonicMs();
    this.#port = new ClientPort(config, this.log);
    const { limits } = config;
    if (limits.throttleMaxRequests > 0) {
      const inProgress = (): number => this.outstandingCount;
      this.throttler = new RequestThrottler({ limits, clock, stats: this.stats, inProgress });
    }
    if (limits.largeRequestThreshold >= 0) this.largeRequests = new LargeRequests(limits, this.stats);
    if (limits.connections.tokens > 0) {
      this.connectionThrottle = new ConnectionThrottle(limits.connections, clock, runtime.random);
    }
    this.authentication = new Authentication({
      config: config.auth,
      random: runtime.random,
      stats: this.stats,
      saslUsers: options.saslUsers,
    });
    const { schemes } = this.authentication;
    this.reads = new ReadRequests(this.tree, config, this.cursor, schemes);
    this.sessions = new Sessions({
      clock,
      tickTimeMs: config.tickTimeMs,
      onExpired: (session) => this.#guarded(() => this.#expire(session)),
      isHeldBack: ({ owner }) => owner instanceof ClientConnection && owner.waitsForUs,
    });
    this.#pipeline = new Pipeline({
      tree: this.tree,
      sessions: this.sessions,
      sessionTimeouts: this.#sessionTimeouts,
      preparer: new Preparer({
        tree: this.tree,
        clock,
        config,
        schemes,
        cursor: this.cursor,
        lastZxid: recovered.lastZxid,
      }),
      listener: this,
      agree: (listener) =>
        new StandaloneAgreement({
          clock,
          flushDelayMs: config.flushDelayMs,
          maxBatchSize: config.maxBatchSize,
          listener,
          log: {
            append: (record) => {
              if (files.append(record)) files.startSnapshot(this.snapshotSubject);
            },
            flush: (done) => files.log.flush(done),
            close: (done) => files.close(done),
          },
        }),
    });
    this.#admission = new SessionAdmission({
      clock,
      log: this.log,
      config,
      tree: this.tree,
      sessions: this.sessions,
      serverId: STANDALONE_SESSION_SERVER,
      submit: (request) => this.#pipeline.submit(request),
      closeOwner: ({ owner }) => {
        if (owner instanceof ClientConnection) owner.destroy();
      },
    });
    this.#containers = new ContainerManager({
      clock,
      config,
      tree: this.tree,
      deleteContainer: (path) => this.#guarded(() => this.#pipeline.deleteContainer(path)),
    });
    // Every session that recovery found gets its full time again.
    for (const [id, timeoutMs] of recovered.sessions) this.sessions.add(id, timeoutMs);
  }

  /** Clients come from now on. */
  async start(): Promise<void> {
    const { config, log, stats } = this;
    const { runtime } = this.#options;
    const accept = this.#port.accept.bind(this.#port, this);
    this.#listeners = await ClientListeners.open({ runtime, config, log, stats, accept });
    this.sessions.start();
    this.#containers.start();
    if (this.config.purgeIntervalHours > 0) this.#purge();
    const { host, port } = this.clientAddress;
    const securePort = this.secureClientAddress?.port;
    const ports = { host, port, ...(securePort === undefined ? {} : { securePort }) };
    this.log.info('serving', { ...ports, zxid: printHex(this.tree.lastProcessedZxid), nodes: this.tree.nodeCount });
  }

  close(): Promise<void> {
    this.#closing ??= this.#stop('closed');
    return this.#closing;
  }

  // ---------------------------------------------------------------- what others see

  get clientAddress(): Address {
    return this.#listeners?.plainAddress ?? this.secureClientAddress ?? { host: '', port: 0 };
  }

  get secureClientAddress(): Address | undefined {
    return this.#listeners?.secureAddress;
  }

  get state(): ZookeeperServer['state'] {
    return this.#state;
  }

  get view(): ServerView {
    return this;
  }

  get connections(): ReadonlySet<ClientConnection> {
    return this.#port.connections;
  }

  get clientPort(): number {
    return this.#listeners?.plainAddress?.port ?? -1;
  }

  get secureClientPort(): number {
    return this.secureClientAddress?.port ?? -1;
  }

  get uptimeMs(): number {
    return this.clock.monotonicMs() - this.#startedMs;
  }

  get host(): string {
    return this.#options.runtime.network.hostname;
  }

  get snapshotDirectory(): string {
    return this.#options.files.snapshotDirectory;
  }

  get logDirectory(): string {
    return this.#options.files.logDirectory;
  }

  get snapshotSubject(): SnapshotSubject {
    return { tree: this.tree, sessions: this.#sessionTimeouts };
  }

  wallMs(): number {
    return this.clock.wallMs();
  }

  monotonicMs(): number {
    return this.clock.monotonicMs();
  }

  directorySize(directory: string): number {
    const { disk } = this.#options.runtime;
    let size = 0;
    try {
      for (const { name } of disk.list(directory)) size += disk.stat(`${directory}/${name}`)?.size ?? 0;
    } catch (error) {
      // Who asks for a figure must not end a server whose disk is about to fail.
      if (!(error instanceof DiskError)) throw error;
    }
    return size;
  }

  // ---------------------------------------------------------------- for connections

  get isOverloaded(): boolean {
    return this.outstandingCount + (this.throttler?.size ?? 0) >= this.config.globalOutstandingLimit;
  }

  submit(request: PendingRequest): void {
    this.#pipeline.submit(request);
  }

  connect(request: ConnectRequest, connection: ClientConnection): void {
    const { stats } = this;
    if (this.connectionThrottle !== undefined) {
      if (!this.connectionThrottle.admits(request.sessionId === 0n)) {
        stats.connectionsRejected += 1;
        connection.destroy('closing a connection: too many sessions are asked for');
        return;
      }
      stats.connectionTokenDeficit = this.connectionThrottle.deficit;
    }
    stats.connectionRequests += 1;
    this.#admission.connect(request, connection);
  }

  fourLetterWord(word: string, connection: ClientConnection): string | undefined {
    return answerWord(word, this, connection);
  }

  hasOutput(connection: ClientConnection): void {
    this.#port.hasOutput(connection);
  }

  isHeldBack(connection: ClientConnection): void {
    this.#port.isHeldBack(connection);
  }

  connectionEnding(connection: ClientConnection): void {
    this.#port.ending(connection);
  }

  connectionClosed(connection: ClientConnection): void {
    this.tree.watches.removeWatcher(connection);
    this.#port.removed(connection);
  }

  fatal(error: unknown): void {
    this.failed(error);
  }

  // ---------------------------------------------------------------- for the pipeline

  sessionClosed({ id, owner }: Session): void {
    this.log.debug('session closed', { session: printHex(id) });
    if (owner instanceof ClientConnection) owner.endAfterFlush();
  }

  groupBegins(): void {
    this.appliedMs = this.clock.monotonicMs();
  }

  groupApplied(): void {
    this.throttler?.drain();
    this.#port.groupApplied();
  }

  /** Nothing is acknowledged any more and nobody is served: what the disk holds, or what we believe, may be wrong. */
  failed(error: unknown): void {
    if (this.#state !== 'serving') return;
    this.log.error('the server stops: no request is served any more', {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    this.#closing ??= this.#stop('failed');
    this.#options.onFatal?.(error);
  }

  /** What a timer starts: a broken invariant stops this server, not its host. */
  #guarded(act: () => void): void {
    if (this.#state !== 'serving') return;
    try {
      act();
    } catch (error) {
      this.failed(error);
    }
  }

  #expire(session: Session): void {
    this.stats.sessionsExpired += 1;
    this.log.info(`Expiring session ${printHex(session.id)}, timeout of ${session.timeoutMs}ms exceeded`);
    this.#pipeline.expireSession(session.id);
  }

  #purge(): void {
    try {
      this.#options.files.purge(this.config.snapRetainCount);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.log.warn('old snapshots and logs could not be removed', { error: error.message });
    }
    this.#purgeTimer = this.clock.after(this.config.purgeIntervalHours * MS_PER_HOUR, () => this.#purge());
  }

  async #stop(state: 'failed' | 'closed'): Promise<void> {
    this.#state = state;
    this.sessions.close();
    this.#containers.close();
    this.throttler?.close();
    this.#purgeTimer?.cancel();
    this.#port.close();
    await this.#listeners?.close();
    await this.#pipeline.close();
    this.#options.release();
  }
}
