import type { Timer } from '../../runtime/clock.ts';
import type { Address } from '../../runtime/network.ts';
import { MalformedError } from '../../wire/errors.ts';
import { printHex, type Zxid } from '../jute/ids.ts';
import { RecoveryError, replayTxn } from '../persistence/recovery.ts';
import type { LoadedSnapshot } from '../persistence/snapshot-body.ts';
import { SnapshotStreamReader } from '../persistence/snapshot-stream.ts';
import { LearnerStart, type LearnerStartEffect, type LearnerStartEvent } from '../quorum/learner-start.ts';
import { PeerLink } from '../quorum/peer-link.ts';
import type { QuorumPacket } from '../quorum/quorum-packet.ts';
import type { ServerId } from '../quorum/quorum-verifier.ts';
import { treeOptionsOf } from '../server/restore.ts';
import type { ServingServer } from '../server/serving-server.ts';
import type { Session } from '../server/sessions.ts';
import { recordOf } from './database.ts';
import { LearnerRole } from './learner-role.ts';
import type { Term, TermHost } from './term.ts';

type Effect<K extends LearnerStartEffect['kind']> = Extract<LearnerStartEffect, { readonly kind: K }>;

/** Tries to reach a leader that was just elected: as long as five of Apache's, which come a tenth of a second apart. */
const CONNECT_TRIES = 10;
const FIRST_RETRY_MS = 5;

/**
 * A term under a leader (Follower.followLeader, Observer.observeLeader): it connects, takes over the leader's history, serves, and
 * ends when the leader is not heard any more.
 */
export class LearnerTerm implements Term {
  readonly state: 'FOLLOWING' | 'OBSERVING';
  /** Another server leads. */
  readonly leading = undefined;
  readonly #host: TermHost;
  readonly #leader: ServerId;
  readonly #start: LearnerStart;
  #link: PeerLink | undefined;
  #tries = 0;
  #server: ServingServer | undefined;
  #role: LearnerRole | undefined;
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
    const { self, database, membership, runtime } = host;
    this.state = state;
    this.#host = host;
    this.#leader = leader;
    this.#heardMs = runtime.clock.monotonicMs();
    this.#start = new LearnerStart({
      self,
      role: state === 'OBSERVING' ? 'observer' : 'participant',
      acceptedEpoch: database.acceptedEpoch,
      currentEpoch: database.currentEpoch,
      lastLoggedZxid: database.lastZxid,
      configVersion: membership.version,
    });
  }

  get server(): ServingServer | undefined {
    return this.#server;
  }

  start(): void {
    this.#host.entered('discovery');
    this.#connect();
    this.#watch();
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.#retryTimer?.cancel();
    this.#watchTimer?.cancel();
    this.#link?.close();
    if (this.#syncingMs !== undefined) this.#host.figures.metrics.quorum.socketClosingTime.add(0);
    await this.#work;
    await this.#server?.close();
    for (const proposal of this.#role?.unapplied ?? []) this.#host.database.replay(proposal);
  }

  // ---------------------------------------------------------------- the connection

  #connect(): void {
    const { runtime, network, auth, config, log } = this.#host;
    const address = this.#address();
    if (address === undefined) {
      this.#end(`server ${this.#leader} is not in the membership`);
      return;
    }
    this.#tries += 1;
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
        closed: (reason) => {
          const why = reason?.message ?? 'the leader closed the connection';
          // Who has just been elected is not ready at once, and what stands before it may take the connection and let it go.
          if (isHeard || this.#tries >= CONNECT_TRIES) this.#end(why);
          else this.#retry(why);
        },
      },
    });
    this.#link = link;
    log.info('connecting to the leader', { leader: this.#leader, host: address.host, port: address.port });
    const connection = network.connect(address, link);
    link.attach(connection, auth?.connecting(connection));
  }

  #address(): Address | undefined {
    const [first] = this.#host.membership.servers.get(this.#leader)?.addresses ?? [];
    return first === undefined ? undefined : { host: first.host, port: first.peerPort };
  }

  #retry(why: string): void {
    if (this.#isOver) return;
    const { runtime, config, log } = this.#host;
    log.warn('no connection to the leader', { leader: this.#leader, tries: this.#tries, reason: why });
    // Leader and followers find each other within milliseconds: the first tries come quickly.
    const delayMs = Math.min(config.leaderConnectRetryDelayMs, FIRST_RETRY_MS * 2 ** (this.#tries - 1));
    this.#retryTimer = runtime.clock.after(delayMs, () => {
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
    // While we work on our disk the leader waits for us.
    if (this.#start.isBusy) this.#heardMs = nowMs;
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
    if (await this.#host.database.truncate(zxid)) return;
    throw new RecoveryError(`the log cannot be truncated to ${printHex(zxid)}: no older snapshot is whole`);
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

  async #adoptHistory({ epoch, proposals }: Effect<'adoptHistory'>): Promise<void> {
    const { database } = this.#host;
    if (this.#received !== undefined) await database.install(this.#received);
    this.#received = undefined;
    await database.adopt(proposals);
    await database.beginEpoch(epoch);
  }

  #serve({ epoch, proposals, committed }: Effect<'serve'>): void {
    const { database, config } = this.#host;
    this.#host.epochBegan(epoch);
    const link = this.#link as PeerLink;
    this.#link?.hold();
    this.#work = this.#work.then(async () => {
      if (this.#isOver) return;
      try {
        this.#server = await this.#host.serve(
          (parts) => {
            this.#role = new LearnerRole(parts, {
              mode: this.state === 'OBSERVING' ? 'observer' : 'follower',
              link,
              database,
              logs: this.state === 'FOLLOWING' || config.observersSync,
              takeTouched: () => this.#takeTouched(),
            });
            return this.#role;
          },
          (session) => this.#touched.add(session),
        );
        this.#endSync();
        this.#guarded(() => this.#role?.begin(proposals, committed));
        link.release();
      } catch (error) {
        this.#failed(error);
      }
    });
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
    this.#link?.close();
    this.#host.over(this, reason);
  }
}
