import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { Timer } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Address, Connection, ConnectionHandler } from '../../runtime/network.ts';
import type { ProcessFacts } from '../../runtime/process-facts.ts';
import { below } from '../../runtime/random.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { printHex, type Zxid } from '../jute/ids.ts';
import { DynamicConfigFiles, type StoredMembership } from '../quorum/dynamic-config.ts';
import { Elector } from '../quorum/elector.ts';
import type { Member } from '../quorum/member.ts';
import type { Membership } from '../quorum/membership.ts';
import { Memberships } from '../quorum/memberships.ts';
import type { PeerState } from '../quorum/notification.ts';
import { withOracle } from '../quorum/oracle-verifier.ts';
import { type QuorumAuth, quorumAuth } from '../quorum/quorum-auth.ts';
import { QuorumNetwork } from '../quorum/quorum-network.ts';
import type { ServerId } from '../quorum/quorum-verifier.ts';
import { listenAddresses } from '../quorum/server-addresses.ts';
import { WayCheck } from '../quorum/way-check.ts';
import type { AdminHost } from '../server/admin/admin-target.ts';
import { auditToLog } from '../server/audit/audit-event.ts';
import { AuditLog } from '../server/audit/audit-log.ts';
import type { SaslUsers } from '../server/auth/sasl-users.ts';
import { ClientListeners, type ClientPortKind } from '../server/client-listeners.ts';
import type { ZabState } from '../server/ensemble-view.ts';
import { Observers } from '../server/observers.ts';
import { ProcessFigures } from '../server/process-figures.ts';
import type { Role, RoleParts } from '../server/role.ts';
import type { ProcessView, ServerMode, ServerView } from '../server/server-view.ts';
import { ServingServer } from '../server/serving-server.ts';
import type { Session } from '../server/sessions.ts';
import type { StartOptions, ZookeeperServer } from '../server/zookeeper-server.ts';
import type { Database } from './database.ts';
import { IdleView } from './idle-view.ts';
import { LeaderTerm } from './leader-term.ts';
import { LearnerMasters } from './learner-masters.ts';
import { LearnerTerm } from './learner-term.ts';
import { MemberView } from './member-view.ts';
import { notServing } from './not-serving.ts';
import { PeerChanges } from './peer-changes.ts';
import { ReadOnlyService } from './read-only-service.ts';
import { Reconfigurator } from './reconfigurator.ts';
import type { Designation, Term, TermHost } from './term.ts';

export interface QuorumPeerOptions extends StartOptions {
  readonly runtime: Runtime;
  readonly config: ZooCfg;
  readonly memberships: StoredMembership;
  readonly member: Member;
  readonly database: Database;
  readonly saslUsers: SaslUsers | undefined;
  /** After the end: gives the data directories free. */
  readonly release: () => void;
}

/**
 * A member of an ensemble (QuorumPeer): it looks for a leader, has a term under it or as it, and looks again when the term is over.
 * Clients come to its port all the while.
 */
export class QuorumPeer implements ZookeeperServer, TermHost, AdminHost {
  readonly runtime: Runtime;
  readonly config: ZooCfg;
  readonly log: Log;
  readonly network: QuorumNetwork;
  readonly auth: QuorumAuth | undefined;
  readonly self: ServerId;
  readonly memberships: Memberships;
  readonly database: Database;
  readonly figures: ProcessFigures;
  readonly masters: LearnerMasters;
  readonly #options: QuorumPeerOptions;
  readonly #reconfigurator: Reconfigurator;
  readonly #elector: Elector;
  readonly #audit: AuditLog | undefined;
  readonly #readOnly: ReadOnlyService;
  #listeners: ClientListeners | undefined;
  #term: Term | undefined;
  /** Of the term. */
  #leader: ServerId | undefined;
  readonly #changes: PeerChanges;
  readonly #ensemble: MemberView;
  readonly #idle: IdleView;
  readonly #observers: Observers;
  #lookTimer: Timer | undefined;
  #state: ZookeeperServer['state'] = 'serving';
  #closing: Promise<void> | undefined;

  constructor(options: QuorumPeerOptions) {
    const { runtime, config, member, database } = options;
    this.#options = options;
    this.runtime = runtime;
    this.config = config;
    this.log = runtime.log.named('zookeeper');
    this.network = new QuorumNetwork({ runtime, log: this.log, tls: config.quorumTls });
    this.auth = quorumAuth(runtime, config.quorumSasl, this.log);
    this.self = member.id;
    this.memberships = this.#knownMemberships();
    this.#reconfigurator = this.#makeReconfigurator();
    this.database = database;
    this.masters = new LearnerMasters(config, runtime.random);
    this.#audit = config.auditEnabled ? new AuditLog(auditToLog(runtime.log), runtime.process.userName) : undefined;
    this.figures = new ProcessFigures(runtime, config);
    this.figures.metrics.observeFiles(database.files, database.recovered, this.figures.stats);
    const { log, figures, self } = this;
    this.#changes = new PeerChanges({ clock: runtime.clock, log, metrics: figures.metrics.quorum });
    this.#ensemble = new MemberView({
      self,
      membership: () => this.memberships.current,
      client: () => this.#reconfigurator.client,
      changes: this.#changes,
      term: () => this.#term,
    });
    this.#idle = new IdleView({ runtime, config, database, figures, ensemble: this.#ensemble });
    this.#observers = new Observers(runtime, this);
    this.#elector = this.#makeElector();
    this.#readOnly = new ReadOnlyService(this);
  }

  async start(): Promise<void> {
    const { runtime, log, database } = this;
    try {
      this.keepMembership();
      // As Apache at each start, unless the newest one holds it all.
      if (database.recovered.replayedCount > 0) database.files.startSnapshot(database.subject);
      const accept = this.#accept.bind(this);
      this.#listeners = await ClientListeners.open({
        runtime,
        config: this.#clientConfig,
        log,
        stats: this.figures.stats,
        accept,
      });
      await this.#observers.start();
      await this.#elector.start();
      this.#audit?.started();
      this.#look();
    } catch (error) {
      this.#audit?.startFailed();
      await this.close();
      throw error;
    }
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
    return this.#observers.adminAddress;
  }

  get metricsAddress(): Address | undefined {
    return this.#observers.metricsAddress;
  }

  get state(): ZookeeperServer['state'] {
    return this.#state;
  }

  /** LOOKING between two terms. */
  get peerState(): PeerState {
    return this.#term?.state ?? 'LOOKING';
  }

  /** Undefined while nobody is served. */
  get servingMode(): ServerMode | undefined {
    return this.server?.mode;
  }

  get server(): ServingServer | undefined {
    return (this.#term?.server ?? this.#readOnly.server)?.server;
  }

  get view(): ServerView {
    return this.server ?? this.#idle;
  }

  get process(): ProcessFacts {
    return this.runtime.process;
  }

  get host(): string {
    return this.runtime.network.hostname;
  }

  get metrics(): ProcessView['metrics'] {
    return this.figures.metrics;
  }

  get trace(): ProcessView['trace'] {
    return this.figures.trace;
  }

  // ---------------------------------------------------------------- for the term

  async serve(role: (parts: RoleParts) => Role, onSessionTouched?: (session: Session) => void): Promise<ServingServer> {
    const { runtime, config, database, self, figures } = this;
    const { saslUsers } = this.#options;
    const server = new ServingServer({
      ...{ runtime, config, role, saslUsers, onSessionTouched, figures },
      ensemble: this.#ensemble,
      files: database.files,
      recovered: database.recovered,
      audit: this.#audit,
      serverId: self,
      sessionServerId: self,
      listeners: this.#listeners,
      release: () => undefined,
      onFatal: (error) => this.fatal(error),
    });
    await server.start();
    return server;
  }

  entered(zabState: Exclude<ZabState, 'election'>): void {
    this.#changes.entered(zabState);
  }

  epochBegan(epoch: number): void {
    this.#elector.epochBegan(epoch);
  }

  activate(membership: Membership, designation?: Designation): Promise<boolean> {
    return this.#reconfigurator.activate(membership, designation);
  }

  /** Whatever a snapshot held. */
  keepMembership(): void {
    const { database, memberships, runtime } = this;
    const { text, version } = memberships.current;
    database.tree.setConfig(Buffer.from(text), version as Zxid, runtime.clock.wallMs());
  }

  over(term: Term, reason: string): void {
    if (term !== this.#term || this.#closing !== undefined) return;
    this.log.warn('the term is over', { state: term.state, reason });
    term.close().then(
      () => {
        if (this.#closing !== undefined) return;
        this.#term = undefined;
        this.#changes.lost();
        return this.#reconfigurator.settled().then(() => this.#goOn(term));
      },
      (error) => this.fatal(error),
    );
  }

  /** The disk failed, or an invariant broke: what we believe may be wrong. */
  fatal(error: unknown): void {
    if (this.#state !== 'serving') return;
    this.log.error('the server stops: no request is served any more', {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    this.#closing ??= this.#stop('failed');
    this.#options.onFatal?.(error);
  }

  // ---------------------------------------------------------------- elections

  #look(): void {
    const { database } = this;
    this.#leader = undefined;
    this.#changes.looking({ zxid: printHex(database.lastZxid), epoch: database.currentEpoch });
    this.#readOnly.begin();
    this.#elector.look(database.lastZxid, database.currentEpoch);
  }

  /** The next term: a reconfiguration may have said whose it is. */
  #goOn(term: Term): void {
    if (this.#closing !== undefined) return;
    const designation = this.#reconfigurator.takeDesignation();
    if (designation === undefined) return this.#lookAgain(term);
    const { leader, zxid } = designation;
    const isObserver = this.#reconfigurator.role === 'observer';
    const state = leader === this.self ? 'LEADING' : isObserver ? 'OBSERVING' : 'FOLLOWING';
    this.#elector.designated(state, leader, zxid);
    this.#decided(state, leader);
  }

  /** Observers come one after the other, or the voters would have all of them at once. */
  #lookAgain({ state }: Term): void {
    const { runtime, config } = this;
    const delayMs = state === 'OBSERVING' ? config.observerElectionDelayMs : 0;
    if (delayMs === 0) this.#look();
    else this.#lookTimer = runtime.clock.after(below(runtime.random, delayMs), () => this.#look());
  }

  #decided(state: Exclude<PeerState, 'LOOKING'>, leader: ServerId): void {
    if (this.#closing !== undefined) return;
    this.#changes.decided(state, leader);
    this.#readOnly.end().then(
      () => this.#beginTerm(state, leader),
      (error) => this.fatal(error),
    );
  }

  #beginTerm(state: Exclude<PeerState, 'LOOKING'>, leader: ServerId): void {
    if (this.#closing !== undefined) return;
    const term = state === 'LEADING' ? new LeaderTerm(this) : new LearnerTerm(this, state, leader);
    this.#leader = leader;
    this.#term = term;
    term.start();
  }

  /** In a notification. */
  #heardOf(membership: string): boolean {
    const isAnother = this.#reconfigurator.heardOf(membership);
    if (isAnother) this.#look();
    return isAnother;
  }

  #makeElector(): Elector {
    const { runtime, network, auth, config, self } = this;
    const reconfigurator = this.#reconfigurator;
    const addresses = reconfigurator.electionAddresses;
    const timeoutMs = config.reachabilityCheckTimeoutMs;
    const checksWays = config.multiAddressEnabled && config.reachabilityCheckEnabled;
    return new Elector({
      runtime: { ...runtime, network },
      election: {
        self,
        ...reconfigurator.electorate,
        minNotificationIntervalMs: config.minNotificationIntervalMs,
        maxNotificationIntervalMs: config.maxNotificationIntervalMs,
      },
      port: {
        addresses,
        multiAddress: config.multiAddressEnabled,
        listenAt: this.#listenAt(addresses),
        bindTries: config.electionPortBindRetries,
        addressesOf: (server) => reconfigurator.electionAddressesOf(server),
        wayCheck: checksWays ? new WayCheck({ network, clock: runtime.clock, timeoutMs }) : undefined,
        keepAlive: config.tcpKeepAlive,
        connectTimeoutMs: config.electionConnectTimeoutMs,
        helloTimeoutMs: config.electionHelloTimeoutMs,
        auth,
      },
      decided: (state, { leader }) => this.#decided(state, leader),
      heardOf: (membership) => this.#heardOf(membership),
      lookedAgain: (voter) => this.#term?.lookedAgain?.(voter),
      leaderLooks: () => this.#term?.leaderLooks?.(),
    });
  }

  #knownMemberships(): Memberships {
    const { config, runtime, self, log } = this;
    const { path } = config.source;
    return new Memberships({
      self,
      stored: this.#options.memberships,
      isDynamic: config.reconfigEnabled,
      decided: (membership) => withOracle(runtime.disk, config.oraclePath, membership),
      files: path === undefined ? undefined : new DynamicConfigFiles(runtime.disk, path),
      log,
      changed: () => this.#elector.reconfigured(this.#reconfigurator.electorate),
    });
  }

  #makeReconfigurator(): Reconfigurator {
    const { config, log, memberships } = this;
    return new Reconfigurator({
      ...{ config, log, memberships },
      member: this.#options.member,
      leader: () => this.#leader,
      keepMembership: () => this.keepMembership(),
      moveElectionPort: (to) => this.#elector.move(to, this.#listenAt(to)),
      moveClientPort: async (to) => {
        await this.#listeners?.movePlain({ host: to.host ?? '', port: to.port });
      },
    });
  }

  /** For the election port. */
  #listenAt(addresses: readonly Address[]): readonly Address[] {
    return listenAddresses(addresses, this.config.quorumListenOnAllIps);
  }

  // ---------------------------------------------------------------- clients

  #accept(connection: Connection, port: ClientPortKind): ConnectionHandler {
    const isForOthers = this.#term?.state === 'LEADING' && !this.config.leaderServes;
    const server = isForOthers ? undefined : this.server;
    return server?.accept(connection, port) ?? notServing(connection, this);
  }

  /** The `server.N` line may say where clients come. */
  get #clientConfig(): ZooCfg {
    const { client } = this.#options.member;
    if (client === undefined) return this.config;
    return { ...this.config, clientPort: client.port, clientPortAddress: client.host };
  }

  async #stop(state: 'failed' | 'closed'): Promise<void> {
    this.#state = state;
    this.#audit?.stopping();
    await this.#observers.close();
    this.#lookTimer?.cancel();
    await this.#elector.close();
    this.network.close();
    await this.#readOnly.end();
    await this.#term?.close();
    await this.#listeners?.close();
    await new Promise<void>((resolve) => this.database.files.close(() => resolve()));
    this.#options.release();
  }
}
