import { present } from '../../base/assert.ts';
import { Deque } from '../../base/deque.ts';
import { Writer } from '../../wire/writer.ts';
import type { Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import { type TxnRecord, writeTxnRecord } from '../jute/txn.ts';
import { commitPacket, informPacket } from '../quorum/commit-packets.ts';
import { LeaderBroadcast } from '../quorum/leader-broadcast.ts';
import type { BroadcastProposal, LeaderEffect, LeaderEvent } from '../quorum/leader-events.ts';
import type { LearnerId } from '../quorum/leader-start.ts';
import type { LogWriter } from '../quorum/log-writer.ts';
import type { Membership } from '../quorum/membership.ts';
import { encodePacket, PacketType, type QuorumPacket } from '../quorum/quorum-packet.ts';
import type { ServerId } from '../quorum/quorum-verifier.ts';
import type { Agreement, Proposal } from '../server/agreement.ts';
import { addLatency } from '../server/metrics/quorum-metrics.ts';
import type { RoleParts } from '../server/role.ts';
import type { SizeStats } from '../server/size-stats.ts';
import type { LearnerHandler } from './learner-handler.ts';
import { memberLog } from './member-log.ts';
import type { TermHost } from './term.ts';

/** A proposal of this leader that is not committed, with whom it is for. */
export interface OutstandingProposal extends Proposal, BroadcastProposal {
  readonly txn: TxnRecord;
  /** Header, body, digest: in the log, on the wire and for learners that come later alike. */
  readonly bytes: Uint8Array;
}

export interface LeaderAgreementOptions {
  readonly host: Pick<TermHost, 'self' | 'runtime' | 'config' | 'memberships' | 'database'>;
  /** The one that opens the epoch; a later one where a test wants to see the end of the epoch. */
  readonly lastZxid: Zxid;
  readonly learners: ReadonlyMap<LearnerId, LearnerHandler>;
  /** It is in force with its leader, here too. Resolves when that is on the disk. */
  readonly activate: (membership: Membership, leader: ServerId) => Promise<unknown>;
  readonly resign: (reason: string) => void;
}

/** What it takes to serve. */
interface Serving {
  readonly parts: RoleParts;
  readonly log: LogWriter;
  readonly proposalSizes: SizeStats;
}

interface Unlogged {
  readonly zxid: Zxid;
  readonly timeMs: number;
}

type Event = LeaderEvent<OutstandingProposal, Proposal>;
type Effect = LeaderEffect<OutstandingProposal, Proposal>;
type Commit = Extract<Effect, { readonly kind: 'commit' }>;

/** `leader.ackLoggingFrequency` */
const ACKS_PER_SAMPLE = 1000n;

/** Agreement of a leader with a quorum, which `LeaderBroadcast` decides on: this is its log, its learners and its clock. */
export class LeaderAgreement implements Agreement {
  readonly #options: LeaderAgreementOptions;
  readonly #broadcast: LeaderBroadcast<OutstandingProposal, Proposal>;
  #serving: Serving | undefined;
  /** On their way to our disk, oldest first. */
  readonly #unlogged = new Deque<Unlogged>();
  #isScheduled = false;

  constructor(options: LeaderAgreementOptions) {
    this.#options = options;
    this.#broadcast = new LeaderBroadcast(options.host.self, options.lastZxid);
  }

  /** From now on it may be proposed to. */
  serve(parts: RoleParts, proposalSizes: SizeStats): void {
    const log = memberLog(parts, this.#options.host.database, (zxid) => this.#durable(zxid));
    this.#serving = { parts, log, proposalSizes };
  }

  get lastProposed(): Zxid {
    return this.#broadcast.lastProposed;
  }

  get pendingCount(): number {
    return this.#broadcast.outstandingCount + this.#broadcast.markCount;
  }

  /** Syncs that wait for what was proposed before them. */
  get syncCount(): number {
    return this.#broadcast.markCount;
  }

  /** Oldest first. */
  get outstanding(): Iterable<OutstandingProposal> {
    return this.#broadcast.outstanding;
  }

  propose(proposal: Proposal): void {
    const { txn, changeCount, request } = proposal;
    if (txn === undefined) return this.step({ kind: 'sync', mark: proposal });
    const { current: before, lastSeen: next, verifiers } = this.#options.host.memberships;
    const change = txn.txn.type === OpCode.reconfig ? { before, next } : undefined;
    const outstanding = { zxid: txn.header.zxid, bytes: encode(txn), change, txn, changeCount, request };
    this.step({ kind: 'propose', proposal: outstanding, verifiers });
  }

  /** @param learner whose connection says so; undefined where it is our own log */
  acknowledge(zxid: Zxid, from: ServerId, learner: LearnerId | undefined): void {
    if (zxid % ACKS_PER_SAMPLE === 0n) this.#sampleAck(zxid, from);
    this.step({ kind: 'acknowledged', zxid, from, learner });
  }

  async close(): Promise<void> {
    this.step({ kind: 'end' });
    await this.#serving?.log.close();
  }

  step(event: Event): void {
    for (const effect of this.#broadcast.step(event)) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'propose':
        this.#propose(effect.proposal, effect.to);
        break;
      case 'append':
        this.#append(effect.proposal);
        break;
      case 'count':
        this.#schedule();
        break;
      case 'activate':
        this.#activate(effect.next, effect.leader);
        break;
      case 'commit':
        this.#commit(effect);
        break;
      case 'deliver':
        this.#own.parts.applier.committed(effect.items);
        break;
      case 'owe': {
        const learner = this.#options.learners.get(effect.learner);
        for (const { zxid, bytes } of effect.proposals) learner?.send(PacketType.PROPOSAL, zxid, bytes);
        break;
      }
      case 'ping':
        for (const id of effect.to) this.#options.learners.get(id)?.ping(effect.zxid);
        break;
      case 'resign':
        this.#options.resign(effect.reason);
        break;
      default:
        effect satisfies never;
    }
  }

  get #own(): Serving {
    return present(this.#serving, 'nothing is proposed before the leader serves');
  }

  // ---------------------------------------------------------------- our own log

  #append({ zxid, bytes, txn, change }: OutstandingProposal): void {
    const { parts, log } = this.#own;
    parts.metrics.logged.add();
    this.#unlogged.push({ zxid, timeMs: txn.header.time });
    if (change !== undefined) log.holdUntil(this.#options.host.memberships.written);
    log.append(zxid, bytes);
  }

  #durable(upTo: Zxid): void {
    const { metrics, clock } = this.#own.parts;
    for (let next = this.#unlogged.peek(); next !== undefined && next.zxid <= upTo; next = this.#unlogged.peek()) {
      this.#unlogged.shift();
      addLatency(metrics.quorum.proposalAckCreationLatency, next.timeMs, clock.wallMs());
    }
    this.acknowledge(upTo, this.#options.host.self, undefined);
  }

  #sampleAck(zxid: Zxid, from: ServerId): void {
    for (const proposal of this.#broadcast.outstanding) {
      if (proposal.zxid !== zxid) continue;
      const { metrics, clock } = this.#own.parts;
      addLatency(metrics.quorum.ackLatency.of(String(from)), proposal.txn.header.time, clock.wallMs());
    }
  }

  /** Acknowledgements of one poll are counted together. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#options.host.runtime.clock.soon(this.#count);
  }

  readonly #count = (): void => {
    this.#isScheduled = false;
    this.step({ kind: 'count' });
  };

  #activate(next: Membership, leader: ServerId): void {
    const { runtime, config } = this.#options.host;
    this.#options.activate(next, leader).then(
      () => {
        const handOverUntilMs = runtime.clock.monotonicMs() + config.initLimitTicks * config.tickTimeMs;
        this.step({ kind: 'activated', handOverUntilMs });
      },
      (error) => this.#own.parts.applier.failed(error),
    );
  }

  // ---------------------------------------------------------------- to learners

  #propose({ zxid, bytes }: OutstandingProposal, to: readonly LearnerId[]): void {
    const { parts, proposalSizes } = this.#own;
    proposalSizes.add(bytes.length);
    parts.metrics.quorum.proposalCount.add();
    if (to.length === 0) return;
    const packet = encodePacket({ type: PacketType.PROPOSAL, zxid, data: bytes, authinfo: null });
    for (const id of to) {
      const learner = this.#options.learners.get(id);
      learner?.sendPrepared(zxid, packet);
      learner?.proposed(zxid);
    }
  }

  #commit({ proposals, leader, followers, observers }: Commit): void {
    const { metrics, clock } = this.#own.parts;
    for (const { zxid, bytes, txn } of proposals) {
      metrics.quorum.commitCount.add();
      metrics.quorum.commitsQueued.add();
      addLatency(metrics.quorum.quorumAckLatency, txn.header.time, clock.wallMs());
      if (followers.length > 0) this.#tell(followers, zxid, commitPacket(zxid, leader));
      if (observers.length > 0) this.#tell(observers, zxid, informPacket(zxid, bytes, leader));
      this.#options.host.database.committed.add(zxid, bytes);
    }
  }

  #tell(learners: readonly LearnerId[], zxid: Zxid, packet: QuorumPacket): void {
    const encoded = encodePacket(packet);
    for (const id of learners) this.#options.learners.get(id)?.sendPrepared(zxid, encoded);
  }
}

function encode({ header, txn, digest }: TxnRecord): Uint8Array {
  const to = new Writer(256);
  writeTxnRecord(to, header, txn, digest);
  return to.finishFlat();
}
