import { ConfigError } from '../../config/config-error.ts';
import type { Timer } from '../../runtime/clock.ts';
import { type Connection, type ConnectionHandler, NetworkError } from '../../runtime/network.ts';
import { MalformedError } from '../../wire/errors.ts';
import { printHex, type Zxid } from '../jute/ids.ts';
import { replayTxn } from '../persistence/recovery.ts';
import type { LoadedSnapshot } from '../persistence/snapshot-body.ts';
import { SnapshotStreamReader } from '../persistence/snapshot-stream.ts';
import { FirstConnection } from '../quorum/first-connection.ts';
import { LearnerStart, type LearnerStartEffect, type LearnerStartEvent } from '../quorum/learner-start.ts';
import { type Membership, parseMembership } from '../quorum/membership.ts';
import { PeerLink } from '../quorum/peer-link.ts';
import type { QuorumPacket } from '../quorum/quorum-packet.ts';
import type { ServerId } from '../quorum/quorum-verifier.ts';
import { treeOptionsOf } from '../server/restore.ts';
import type { ServingServer } from '../server/serving-server.ts';
import type { Session } from '../server/sessions.ts';
import { DataTree } from '../tree/data-tree.ts';
import { recordOf } from './database.ts';
import type { LearnerHandler } from './learner-handler.ts';
import { type LearnerMaster, leaderOf } from './learner-masters.ts';
import { LearnerRole } from './learner-role.ts';
import { ObserverMaster } from './observer-master.ts';
import type { Term, TermHost } from './term.ts';

type Effect<K extends LearnerStartEffect['kind']> = Extract<LearnerStartEffect, { readonly kind: K }>;

/** Tries to reach a leader that was just elected: as long as five of Apache's, which come a tenth of a second apart. */
const CONNECT_TRIES = 10;
const FIRST_RETRY_MS = 5;

/**
 * A term under a leader (Follower.followLeader, Observer.observeLeader): it connects, takes over the leader's history, serves, and
 * ends when the leader is not heard any more. For an observer a follower may stand in the leader's place.
 */
export class LearnerTerm implements Term {
  readonly state: 'FOLLOWING' | 'OBSERVING';
  /** Another server leads. */
  readonly leading = undefined;
  readonly #host: TermHost;
  readonly #master: LearnerMaster;
  readonly #start: LearnerStart;
  #attempt: FirstConnection | undefined;
  #link: PeerLink | undefined;
  #tries = 0;
  /** Of all tries to connect, monotonic. */
  #connectUntilMs = 0;
  #limitTimer: Timer | undefined;
  #server: ServingServer | undefined;
  #role: LearnerRole | undefined;
  #observerMaster: ObserverMaster | undefined;
  /** Sessions that were heard since the last ping. */
  #touched = new Set<Session>();
  /** A leader's database, until it is on our disk. */
  #received: LoadedSnapshot | undefined;
  #heardMs: number;
  /** Since when it is brought to the leader's history. */
  #syncingMs: number | undefined;
  #retryTimer: Timer | undefined;
  #watchTimer: Timer | undefined;
  #isOver = false;
  #work: Promise<void> = Promise.resolve();

  constructor(host: TermHost, state: 'FOLLOWING' | 'OBSERVING', leader: ServerId) {
    const { self, database, memberships, runtime, masters } = host;
    const { current } = memberships;
    this.state = state;
    this.#host = host;
    this.#master = state === 'OBSERVING' ? masters.forObserver(current, leader) : leaderOf(current, leader);
    this.#heardMs = runtime.clock.monotonicMs();
    this.#start = new LearnerStart({
      self,
      role: state === 'OBSERVING' ? 'observer' : 'participant',
      acceptedEpoch: database.acceptedEpoch,
      currentEpoch: database.currentEpoch,
      lastLoggedZxid: database.lastZxid,
      configVersion: current.version,
      needsAll: database.needsAll,
    });
  }

  get server(): ServingServer | undefined {
    return this.#server;
  }

  get master(): ServerId {
    return this.#master.server;
  }

  /** Observers under us. */
  get learners(): Iterable<LearnerHandler> {
    return this.#observerMaster?.observers ?? [];
  }

  start(): void {
    this.#host.entered('discovery');
    const { runtime, config, log } = this.#host;
    const { server, addresses, delayMs } = this.#master;
    if (addresses.length === 0) {
      this.#end(`server ${server} is not in the membership`);
      return;
    }
    const limitMs = config.connectToLeaderLimitTicks * config.tickTimeMs;
    const begin = (): void => {
      this.#connectUntilMs = runtime.clock.monotonicMs() + limitMs;
      this.#limitTimer = runtime.clock.after(limitMs, () => {
        if (this.#start.phase === 'connecting') this.#end(`no connection in ${limitMs} ms`);
      });
      this.#connect();
    };
    this.#watch();
    if (delayMs === 0) return begin();
    log.info('waiting before the connection', { server, ms: delayMs });
    this.#retryTimer = runtime.clock.after(delayMs, begin);
  }

  /** Once connected we hear from itself how it is. */
  leaderLooks(): void {
    if (!this.#isOver && this.#start.phase === 'connecting') this.#end('the leader looks for a leader itself');
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.#retryTimer?.cancel();
    this.#watchTimer?.cancel();
    this.#limitTimer?.cancel();
    this.#attempt?.close();
    this.#link?.close();
    if (this.#syncingMs !== undefined) this.#host.figures.metrics.quorum.socketClosingTime.add(0);
    await this.#work;
    await this.#observerMaster?.close();
    await this.#server?.close();
    for (const proposal of this.#role?.unapplied ?? []) this.#host.database.replay(proposal);
  }

  // ---------------------------------------------------------------- the connection

  #connect(): void {
    const { network, log } = this.#host;
    const { server, addresses } = this.#master;
    this.#tries += 1;
    log.info('connecting to the leader', { server, addresses: addresses.map(({ host, port }) => `${host}:${port}`) });
    this.#attempt = new FirstConnection({
      network,
      addresses,
      opened: (connection) => this.#opened(connection),
      failed: (reason) => this.#lost(reason?.message ?? 'no connection', false),
    });
  }

  #opened(connection: Connection): ConnectionHandler {
    const { runtime, auth, config } = this.#host;
    let isHeard = false;
    const link = new PeerLink({
      clock: runtime.clock,
      sizeMax: config.juteMaxBuffer + config.juteMaxBufferExtra,
      events: {
        connected: () => {
          this.#heardMs = runtime.clock.monotonicMs();
          this.#guarded(() => this.#step({ kind: 'connected' }));
        },
        received: (packet) => {
          isHeard = true;
          this.#guarded(() => this.#packet(packet));
        },
        faulty: (error) => this.#end(`leaving the leader after a bad packet: ${error.message}`),
        closed: (reason) => this.#lost(reason?.message ?? 'the leader closed the connection', isHeard),
      },
    });
    this.#link = link;
    link.attach(connection, auth?.connecting(connection));
    return link;
  }

  /** Who has just been elected is not ready at once, and what stands before it may take the connection and let it go. */
  #lost(reason: string, isHeard: boolean): void {
    if (this.#isOver) return;
    const { runtime, config, log } = this.#host;
    const { clock } = runtime;
    // Leader and followers find each other within milliseconds: the first tries come quickly.
    const delayMs = Math.min(config.leaderConnectRetryDelayMs, FIRST_RETRY_MS * 2 ** (this.#tries - 1));
    const isLast = this.#tries >= CONNECT_TRIES || clock.monotonicMs() + delayMs >= this.#connectUntilMs;
    if (isHeard || isLast) {
      this.#end(reason);
      return;
    }
    log.warn('no connection to the leader', { server: this.#master.server, tries: this.#tries, reason });
    this.#retryTimer = clock.after(delayMs, () => {
      if (!this.#isOver) this.#connect();
    });
  }

  /** The leader pings twice a tick. */
  #watch(): void {
    const { runtime, config } = this.#host;
    const { clock } = runtime;
    this.#watchTimer = clock.after(config.tickTimeMs / 2, () => {
      const nowMs = clock.monotonicMs();
      // What it sent while we stalled may wait in the kernel: hear it first.
      clock.afterPoll(() => this.#judge(nowMs));
      this.#watch();
    });
  }

  #judge(nowMs: number): void {
    const { syncLimitTicks, initLimitTicks, tickTimeMs } = this.#host.config;
    const isInSync = this.#start.phase === 'waiting' || this.#start.phase === 'active';
    const patienceMs = (isInSync ? syncLimitTicks : initLimitTicks) * tickTimeMs;
    // While we work on our disk the leader waits for us, and connecting has a limit of its own.
    if (this.#start.isBusy || this.#start.phase === 'connecting') this.#heardMs = nowMs;
    if (nowMs - this.#heardMs > patienceMs) this.#end(`the leader was not heard for ${patienceMs} ms`);
  }

  // ---------------------------------------------------------------- its packets

  #packet(packet: QuorumPacket): void {
    this.#heardMs = this.#host.runtime.clock.monotonicMs();
    if (this.#role === undefined) this.#step({ kind: 'received', packet });
    else this.#role.received(packet);
  }

  #step(event: LearnerStartEvent): void {
    if (this.#isOver) return;
    for (const effect of this.#start.step(event)) this.#perform(effect);
    if (this.#start.phase === 'choosing') this.#beginSync();
  }

  /** Once it has promised the epoch. */
  #beginSync(): void {
    if (this.#syncingMs !== undefined) return;
    this.#syncingMs = this.#host.runtime.clock.monotonicMs();
    this.#host.entered('synchronization');
  }

  #endSync(): void {
    const { runtime, figures } = this.#host;
    const tookMs = Math.floor(runtime.clock.monotonicMs() - (this.#syncingMs ?? runtime.clock.monotonicMs()));
    const { followerSyncTime, observerSyncTime } = figures.metrics.quorum;
    this.#host.entered('broadcast');
    (this.state === 'FOLLOWING' ? followerSyncTime : observerSyncTime).add(tookMs);
  }

  #perform(effect: LearnerStartEffect): void {
    switch (effect.kind) {
      case 'send':
        this.#link?.send(effect.packet);
        break;
      case 'acceptEpoch':
        this.#busy(() => this.#host.database.acceptEpoch(effect.epoch));
        break;
      case 'receiveSnapshot':
        this.#receiveSnapshot(effect.zxid);
        break;
      case 'truncate':
        this.#busy(() => this.#truncate(effect.zxid));
        break;
      case 'receiveNothing':
        this.#received = this.#emptyDatabase();
        break;
      case 'apply': {
        const { tree, sessions } = this.#received as LoadedSnapshot;
        replayTxn(recordOf(effect.proposal.bytes), tree, sessions);
        break;
      }
      case 'adoptHistory':
        this.#busy(() => this.#adoptHistory(effect));
        break;
      case 'serve':
        this.#serve(effect);
        break;
      default:
        effect satisfies never;
    }
  }

  /** On the disk, packets wait meanwhile. */
  #busy(work: () => Promise<void>): void {
    this.#link?.hold();
    this.#work = this.#work.then(async () => {
      if (this.#isOver) return;
      try {
        await work();
        this.#done();
      } catch (error) {
        this.#failed(error);
      }
    });
  }

  #done(): void {
    if (this.#isOver) return;
    this.#heardMs = this.#host.runtime.clock.monotonicMs();
    this.#guarded(() => this.#step({ kind: 'done' }));
    this.#link?.release();
  }

  async #truncate(zxid: Zxid): Promise<void> {
    const last = await this.#host.database.truncate(zxid);
    if (last === zxid) return;
    if (last !== undefined)
      this.#end(`the log has no ${printHex(zxid)} and ends at ${printHex(last)}: asking from there`);
    else
      this.#end(`the log cannot be truncated to ${printHex(zxid)}, no older snapshot is whole: asking for everything`);
  }

  #emptyDatabase(): LoadedSnapshot {
    const { config, memberships, runtime } = this.#host;
    const { text, version } = memberships.current;
    const tree = DataTree.create(treeOptionsOf(config));
    tree.setConfig(Buffer.from(text), version as Zxid, runtime.clock.wallMs());
    return { tree, sessions: new Map(), lastProcessedZxid: undefined, writtenUntil: tree.lastProcessedZxid };
  }

  #receiveSnapshot(zxid: Zxid): void {
    const reader = new SnapshotStreamReader(zxid, treeOptionsOf(this.#host.config));
    this.#host.log.info('getting a snapshot from the leader', { zxid: printHex(zxid) });
    this.#link?.receiveRaw((chunk) => {
      this.#heardMs = this.#host.runtime.clock.monotonicMs();
      const rest = reader.push(chunk);
      if (rest === undefined) return undefined;
      this.#received = reader.loaded;
      this.#guarded(() => this.#step({ kind: 'done' }));
      return rest;
    });
  }

  async #adoptHistory({ epoch, proposals, config }: Effect<'adoptHistory'>): Promise<void> {
    const { database, memberships } = this.#host;
    const membership = this.#membershipOfLeader(config);
    if (membership !== undefined) await memberships.saw(membership);
    if (this.#received !== undefined) await database.install(this.#received);
    this.#received = undefined;
    this.#host.keepMembership();
    await database.adopt(proposals, this.#logs);
    await database.beginEpoch(epoch);
  }

  /** `syncEnabled=false`: an observer does without a log. */
  get #logs(): boolean {
    return this.state === 'FOLLOWING' || this.#host.config.observersSync;
  }

  #serve({ epoch, config: membership, proposals, committed }: Effect<'serve'>): void {
    const { database, masters } = this.#host;
    const link = this.#link as PeerLink;
    this.#link?.hold();
    this.#work = this.#work.then(async () => {
      if (this.#isOver) return;
      try {
        if (await this.#isReplaced(membership)) return this.#end('the membership has changed');
        this.#host.epochBegan(epoch);
        masters.reached();
        if (!this.#logs) database.leaveLogBehind();
        this.#server = await this.#host.serve(
          (parts) => {
            this.#role = new LearnerRole(parts, {
              mode: this.state === 'OBSERVING' ? 'observer' : 'follower',
              link,
              database,
              logs: this.#logs,
              takeTouched: () => this.#takeTouched(),
              saw: async (text) => {
                await this.#host.memberships.saw(this.#membershipIn(text));
              },
              activate: async (text, designated, zxid) =>
                this.#host.activate(this.#membershipIn(text), { leader: designated, zxid }),
              reconfigured: () => this.#end('the membership has changed'),
              failed: (error) => this.#failed(error),
            });
            return this.#role;
          },
          (session) => this.#touched.add(session),
        );
        this.#endSync();
        if (this.#isOver) return;
        await this.#role?.begin(proposals, committed);
        await this.#takeObservers(epoch);
        link.release();
      } catch (error) {
        this.#failed(error);
      }
    });
  }

  /** The membership of NEWLEADER is in force now; whether it makes another server of us, or of our leader. */
  async #isReplaced(config: Uint8Array | null): Promise<boolean> {
    const membership = this.#membershipOfLeader(config);
    return membership !== undefined && (await this.#host.activate(membership));
  }

  /** Undefined where memberships do not change, and for what cannot be read: as Apache we go on with our own. */
  #membershipOfLeader(config: Uint8Array | null): Membership | undefined {
    if (!this.#host.config.reconfigEnabled || config === null || config.length <= 1) return undefined;
    try {
      return this.#membershipIn(Buffer.from(config).toString());
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      this.#host.log.warn('the leader has another idea of memberships', { reason: error.message });
      return undefined;
    }
  }

  /** @throws MalformedError */
  #membershipIn(text: string): Membership {
    try {
      return parseMembership(text, this.#host.config);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      throw new MalformedError(`a membership that cannot be read: ${error.message}`);
    }
  }

  async #takeObservers(epoch: number): Promise<void> {
    const { observerMasterPort: port } = this.#host.config;
    if (this.state !== 'FOLLOWING' || port === undefined || this.#isOver || this.#role === undefined) return;
    this.#observerMaster = new ObserverMaster({ host: this.#host, port, epoch, role: this.#role });
    try {
      await this.#observerMaster.start();
    } catch (error) {
      // Apache's follower gives up following then.
      if (!(error instanceof NetworkError)) throw error;
      this.#host.log.error('no observers can come to this follower', { port, error: error.message });
    }
  }

  #takeTouched(): Iterable<Session> {
    const touched = this.#touched;
    this.#touched = new Set();
    return touched;
  }

  // ---------------------------------------------------------------- the end

  /** What the leader got wrong ends the term, anything else is a fault of ours. */
  #guarded(act: () => void): void {
    if (this.#isOver) return;
    try {
      act();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (error instanceof MalformedError) this.#end(`leaving the leader after a bad packet: ${error.message}`);
    else this.#host.fatal(error);
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#attempt?.close();
    this.#link?.close();
    this.#host.over(this, reason);
  }
}
