import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Address, Connection, ConnectionHandler } from '../../runtime/network.ts';
import type { ProcessFacts } from '../../runtime/process-facts.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { printHex, type SessionId, type Zxid } from '../jute/ids.ts';
import type { ConnectRequest } from '../jute/proto.ts';
import type { FileSnapLog, SnapshotSubject } from '../persistence/file-snap-log.ts';
import type { Recovered } from '../persistence/recovery.ts';
import type { DataTree } from '../tree/data-tree.ts';
import type { AdminHost, AdminTarget } from './admin/admin-target.ts';
import { Applier, type ApplyListener } from './applier.ts';
import type { AuditLog } from './audit/audit-log.ts';
import { Authentication } from './auth/authentication.ts';
import type { SaslUsers } from './auth/sasl-users.ts';
import { ClientConnection } from './client-connection.ts';
import { ClientListeners, type ClientListenersOptions, type ClientPortKind } from './client-listeners.ts';
import { ClientPort } from './client-port.ts';
import type { ConnectionHost } from './connection-host.ts';
import type { ConnectionThrottle } from './connection-throttle.ts';
import { ContainerManager } from './container-manager.ts';
import type { EnsembleView } from './ensemble-view.ts';
import type { LargeRequests } from './large-requests.ts';
import { registerGauges, unregisterGauges } from './metrics/server-gauges.ts';
import type { ServerMetrics } from './metrics/server-metrics.ts';
import { Observers } from './observers.ts';
import type { PendingRequest } from './pending-request.ts';
import type { ProcessFigures } from './process-figures.ts';
import { ReadRequests } from './reads.ts';
import { RequestCursor } from './request-cursor.ts';
import type { RequestThrottler } from './request-throttler.ts';
import { Restore } from './restore.ts';
import type { Role, RoleParts } from './role.ts';
import { ServerFiles } from './server-files.ts';
import { serverLimits } from './server-limits.ts';
import type { ServerStats } from './server-stats.ts';
import type { ServerMode, ServerView } from './server-view.ts';
import { SessionAdmission } from './session-admission.ts';
import { type Session, Sessions } from './sessions.ts';
import { answerWord } from './words/four-letter-words.ts';
import type { ZookeeperServer } from './zookeeper-server.ts';

export interface ServingServerOptions {
  readonly runtime: Runtime;
  readonly config: ZooCfg;
  readonly files: FileSnapLog;
  readonly recovered: Recovered;
  readonly figures: ProcessFigures;
  /** Undefined where there are no others. */
  readonly ensemble?: EnsembleView;
  /** Undefined: nobody wants to know. That a server starts and stops is told by whoever has the listeners. */
  readonly audit: AuditLog | undefined;
  readonly saslUsers: SaslUsers | undefined;
  /** Of a member of an ensemble; 0 of a server that is none. */
  readonly serverId: number;
  /** The top byte of the ids of new sessions. */
  readonly sessionServerId: number;
  readonly role: (parts: RoleParts) => Role;
  /** Hears of touches where another server judges sessions. */
  readonly onSessionTouched?: (session: Session) => void;
  /** Where clients come in, if that outlives this server, and so do those who look at it; its own listeners and observers otherwise. */
  readonly listeners?: ClientListeners;
  /** After the end: gives the data directories free. */
  readonly release: () => void;
  readonly onFatal: ((error: unknown) => void) | undefined;
}

/** The parts of a server that serves, in whatever role, put together: nothing here decides anything about the protocol. */
export class ServingServer implements ZookeeperServer, ConnectionHost, ApplyListener, AdminTarget, AdminHost {
  readonly config: ZooCfg;
  readonly clock: Clock;
  readonly log: Log;
  readonly tree: DataTree;
  readonly files: ServerFiles;
  readonly snapshotSubject: SnapshotSubject;
  readonly sessions: Sessions;
  readonly reads: ReadRequests;
  readonly stats: ServerStats;
  readonly metrics: ServerMetrics;
  readonly trace: ProcessFigures['trace'];
  readonly ensemble: EnsembleView | undefined;
  readonly authentication: Authentication;
  readonly cursor = new RequestCursor();
  readonly serverId: number;
  readonly applier: Applier;
  outstandingCount = 0;
  readonly throttler: RequestThrottler | undefined;
  readonly largeRequests: LargeRequests | undefined;
  readonly connectionThrottle: ConnectionThrottle | undefined;
  appliedMs = 0;
  readonly #options: ServingServerOptions;
  readonly #port: ClientPort;
  readonly #role: Role;
  readonly #admission: SessionAdmission;
  readonly #containers: ContainerManager;
  readonly #restore: Restore;
  readonly #startedMs: number;
  #listeners: ClientListeners | undefined;
  #observers: Observers | undefined;
  #state: ZookeeperServer['state'] = 'serving';
  #closing: Promise<void> | undefined;

  constructor(options: ServingServerOptions) {
    const { runtime, config, files, recovered, figures } = options;
    const { clock } = runtime;
    this.#options = options;
    this.config = config;
    this.serverId = options.serverId;
    this.clock = clock;
    this.log = runtime.log.named('zookeeper');
    this.tree = recovered.tree;
    const sessionTimeouts = recovered.sessions;
    this.snapshotSubject = { tree: this.tree, sessions: sessionTimeouts };
    this.#startedMs = clock.monotonicMs();
    const { metrics } = figures;
    this.metrics = metrics;
    this.stats = figures.stats;
    this.stats.begin();
    this.trace = figures.trace;
    this.ensemble = options.ensemble;
    this.#port = new ClientPort(config, this.log);
    const limits = serverLimits({
      limits: config.limits,
      runtime,
      stats: this.stats,
      inProgress: () => this.outstandingCount,
      throttleQueueTime: metrics.requestThrottleQueueTime,
    });
    this.throttler = limits.throttler;
    this.largeRequests = limits.largeRequests;
    this.connectionThrottle = limits.connectionThrottle;
    this.authentication = new Authentication({
      config: config.auth,
      random: runtime.random,
      stats: this.stats,
      saslUsers: options.saslUsers,
    });
    const { schemes } = this.authentication;
    this.reads = new ReadRequests(this.tree, config, this.cursor, schemes, metrics);
    this.sessions = new Sessions({
      clock,
      tickTimeMs: config.tickTimeMs,
      onExpired: (session) => this.#guarded(() => this.#expire(session)),
      onTouched: options.onSessionTouched,
      isHeldBack: ({ owner }) => this.#restore.isUnderWay || (owner instanceof ClientConnection && owner.waitsForUs),
    });
    this.applier = new Applier({
      tree: this.tree,
      clock,
      metrics,
      audit: options.audit,
      sessions: this.sessions,
      sessionTimeouts,
      listener: this,
    });
    const { tree, cursor, sessions, applier, snapshotSubject, log } = this;
    const parts = { tree, clock, config, schemes, cursor, metrics, sessions, applier, snapshotSubject, files, log };
    const role = options.role(parts);
    this.#role = role;
    this.#admission = new SessionAdmission({
      clock,
      log: this.log,
      config,
      metrics,
      tree: this.tree,
      sessions: this.sessions,
      serverId: options.sessionServerId,
      opensLocal: this.#opensLocalSessions,
      role,
      closeOwner: ({ owner }) => {
        if (owner instanceof ClientConnection) owner.destroy();
      },
    });
    this.#containers = new ContainerManager({
      clock,
      config,
      tree: this.tree,
      deleteContainer: (path) => this.#guarded(() => role.deleteContainer(path)),
    });
    this.files = new ServerFiles({
      runtime,
      config,
      log: this.log,
      files,
      recoveredSnapshot: recovered.snapshot,
      subject: this.snapshotSubject,
    });
    this.#restore = new Restore({
      clock,
      log: this.log,
      config,
      files,
      tree: this.tree,
      reads: this.reads,
      sessions: this.sessions,
      sessionTimeouts,
      port: this.#port,
      role,
      metrics,
      isServing: () => this.isServing,
    });
    this.tree.keepAccount(metrics);
    registerGauges(metrics.all, this);
    if (options.listeners === undefined) this.#observers = new Observers(runtime, this);
    // Every session that recovery found gets its full time again.
    for (const [id, timeoutMs] of recovered.sessions) this.sessions.add(id, timeoutMs);
  }

  /** Clients come from now on. */
  async start(): Promise<void> {
    const { config, log, stats } = this;
    const { runtime, listeners } = this.#options;
    const accept: ClientListenersOptions['accept'] = (connection, port) => this.accept(connection, port);
    this.#listeners = listeners ?? (await ClientListeners.open({ runtime, config, log, stats, accept }));
    const isJudge = this.#role.preparer !== undefined;
    if (isJudge || this.#opensLocalSessions) this.sessions.start();
    if (isJudge) this.#containers.start();
    this.files.startPurging();
    const { host, port } = this.clientAddress;
    const securePort = this.secureClientAddress?.port;
    const ports = { host, port, ...(securePort === undefined ? {} : { securePort }) };
    log.info('serving', {
      ...{ mode: this.mode, ...ports },
      zxid: printHex(this.tree.lastProcessedZxid),
      nodes: this.tree.nodeCount,
    });
    if (listeners === undefined) this.#options.audit?.started();
    await this.#observers?.start();
  }

  accept(connection: Connection, port: ClientPortKind): ConnectionHandler {
    return this.#port.accept(this, connection, port);
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

  get adminAddress(): Address | undefined {
    return this.#observers?.adminAddress;
  }

  get metricsAddress(): Address | undefined {
    return this.#observers?.metricsAddress;
  }

  get mode(): ServerMode {
    return this.#role.mode;
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

  get connectionDropChance(): number {
    return this.connectionThrottle?.dropChance ?? 0;
  }

  get globalSessions(): ReadonlyMap<SessionId, number> {
    return this.snapshotSubject.sessions;
  }

  get process(): ProcessFacts {
    return this.#options.runtime.process;
  }

  wallMs(): number {
    return this.clock.wallMs();
  }

  monotonicMs(): number {
    return this.clock.monotonicMs();
  }

  resetStats(): void {
    this.stats.reset();
    // As Apache's Prometheus provider, whose readers take a counter that falls for a restart.
    if (this.config.metricsProvider.kind !== 'prometheus') this.metrics.all.reset();
  }

  // ---------------------------------------------------------------- for the admin server

  get server(): this | undefined {
    return this.isServing ? this : undefined;
  }

  get isServing(): boolean {
    return this.#state === 'serving';
  }

  restore(snapshot: Uint8Array): Promise<Zxid> {
    return this.#restore.from(snapshot);
  }

  // ---------------------------------------------------------------- for connections

  get isOverloaded(): boolean {
    return this.outstandingCount + (this.throttler?.size ?? 0) >= this.config.globalOutstandingLimit;
  }

  submit(request: PendingRequest): void {
    this.#role.submit(request);
  }

  connect(request: ConnectRequest, connection: ClientConnection): void {
    const { stats } = this;
    if (this.connectionThrottle !== undefined) {
      const created = this.#opensLocalSessions ? 'local' : 'global';
      if (!this.connectionThrottle.admits(request.sessionId === 0n ? created : 'renewed')) {
        stats.connectionsRejected += 1;
        connection.destroy('closing a connection: too many sessions are asked for');
        return;
      }
    }
    this.metrics.connectionTokenDeficit.add(this.connectionThrottle?.deficit ?? 0);
    stats.connectionRequests += 1;
    this.#admission.connect(request, connection);
  }

  fourLetterWord(word: string, connection: ClientConnection, rest: Uint8Array): string | undefined {
    return answerWord(word, this, connection, rest);
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
    this.metrics.unrecoverableErrorCount.add();
    this.#closing ??= this.#stop('failed');
    this.#options.onFatal?.(error);
  }

  /** What a timer starts: a broken invariant stops this server, not its host. */
  #guarded(act: () => void): void {
    if (this.#state !== 'serving' || this.#restore.isUnderWay) return;
    try {
      act();
    } catch (error) {
      this.failed(error);
    }
  }

  #expire(session: Session): void {
    this.stats.sessionsExpired += 1;
    this.log.info(`Expiring session ${printHex(session.id)}, timeout of ${session.timeoutMs}ms exceeded`);
    if (session.scope !== 'local') {
      this.#role.expireSession(session.id);
      return;
    }
    this.sessions.remove(session.id);
    this.sessionClosed(session);
  }

  /** A server that is none among others has no use for them. */
  get #opensLocalSessions(): boolean {
    return this.config.localSessionsEnabled && this.mode !== 'standalone';
  }

  async #stop(state: 'failed' | 'closed'): Promise<void> {
    this.#state = state;
    if (this.#options.listeners === undefined) this.#options.audit?.stopping();
    this.sessions.close();
    this.#containers.close();
    this.throttler?.close();
    this.files.stopPurging();
    this.#port.close();
    unregisterGauges(this.metrics.all);
    await this.#observers?.close();
    if (this.#options.listeners === undefined) await this.#listeners?.close();
    await this.#role.close();
    this.#options.release();
  }
}
