/**
 * Leader election as a step machine (FastLeaderElection): events in, effects out, in the order in which they are to be done.
 *
 *   ┌──────────── look ────────────┐
 *   ▼                              │
 * LOOKING ─ a quorum votes alike ─▶ finalizing ─ all do, or 200 ms without a better vote ─▶ LEADING, FOLLOWING, OBSERVING
 *   ▲  │                           │                                              ▲
 *   │  └─ a quorum follows a leader that leads ──────────────────────────────────┘
 *   └──────── a better vote ───────┘
 */
import type { Zxid } from '../jute/ids.ts';
import { NOTIFICATION_VERSION, type Notification, type PeerState, type Vote } from './notification.ts';
import type { QuorumVerifier, ServerId } from './quorum-verifier.ts';

/** Who elects, as the memberships say it. */
export interface Electorate {
  /** Our own. A server that is in no membership yet follows without a vote: a participant. */
  readonly role: 'participant' | 'observer';
  /** The membership in force and, while it is being replaced, the next one: a decision needs a quorum of each. */
  readonly verifiers: readonly [QuorumVerifier, ...QuorumVerifier[]];
  /** The membership in force as text: every notification carries it. */
  readonly config: string;
}

export interface ElectionOptions extends Electorate {
  readonly self: ServerId;
  /** `zookeeper.fastleader.minNotificationInterval` and its maximum: how long the first silence is borne, doubled each time. */
  readonly minNotificationIntervalMs?: number;
  readonly maxNotificationIntervalMs?: number;
}

export type ElectionEvent =
  /** Look for a leader, from a log that ends at `lastZxid` and a current epoch. */
  | { readonly kind: 'look'; readonly lastZxid: Zxid; readonly currentEpoch: number }
  | { readonly kind: 'notified'; readonly from: ServerId; readonly notification: Notification }
  /** The time of the latest `wait` is over; `delivered`: everything sent so far has left for every server. */
  | { readonly kind: 'timeout'; readonly delivered: boolean }
  /** Nobody listens where the server should be. */
  | { readonly kind: 'gone'; readonly server: ServerId }
  /** The leader that was elected has begun this epoch: later joiners shall see one vote (QuorumPeer.updateElectionVote). */
  | { readonly kind: 'epochBegan'; readonly epoch: number }
  /** The membership has changed; who looks has to look anew. */
  | { readonly kind: 'reconfigured'; readonly electorate: Electorate }
  /** A reconfiguration has named the leader: nobody votes (QuorumPeer.updateVote, updateServerState). */
  | {
      readonly kind: 'designated';
      readonly state: Exclude<PeerState, 'LOOKING'>;
      readonly leader: ServerId;
      readonly zxid: Zxid;
    };

export type ElectionEffect =
  | { readonly kind: 'send'; readonly to: ServerId; readonly notification: Notification }
  /** Connections to all voters, where there are none. */
  | { readonly kind: 'connectAll' }
  /** A `timeout` after so long, unless another `wait` or the decision comes first. */
  | { readonly kind: 'wait'; readonly ms: number }
  /** A voter that elected us looks for a leader again. */
  | { readonly kind: 'lookedAgain'; readonly server: ServerId }
  /** The leader that we found looks for one itself, in a later round than ours: it does not lead by the votes that we saw. */
  | { readonly kind: 'leaderLooks' }
  | { readonly kind: 'decided'; readonly state: Exclude<PeerState, 'LOOKING'>; readonly vote: Vote };

/** A server that may not be elected votes for nobody: the least number of all. */
const NOBODY = Number(-(2n ** 63n));
const LEAST = -(2n ** 63n);
const FINALIZE_WAIT_MS = 200;
const NO_VOTE: Vote = { leader: -1, zxid: -1n as Zxid, electionEpoch: -1n, peerEpoch: -1n };

/** A vote as it was received: from a server that looks, or that has found. */
interface Cast extends Vote {
  readonly state: PeerState;
  readonly version: number;
}

export class Election {
  readonly #self: ServerId;
  #electorate: Electorate;
  readonly #minIntervalMs: number;
  readonly #maxIntervalMs: number;
  #state: PeerState = 'LOOKING';
  /** The round. */
  #logicalClock = 0n;
  /** In which the leader that we found looks: our next round is not before it. */
  #leaderRound = 0n;
  #initial: Vote = NO_VOTE;
  #proposal: Vote = NO_VOTE;
  /** What was decided last, ourselves before the first time; others hear of it. */
  #decided: Vote = NO_VOTE;
  /** Votes of this round. */
  readonly #received = new Map<ServerId, Cast>();
  /** Votes of servers that follow or lead, of any round. */
  readonly #settled = new Map<ServerId, Cast>();
  /** Servers that were there once and, since this look began, are not: no vote of theirs is under way. */
  readonly #gone = new Set<ServerId>();
  readonly #known = new Set<ServerId>();
  /** Who voted as we decided. */
  #electors: ReadonlySet<ServerId> = new Set();
  #intervalMs = 0;
  #isFinalizing = false;
  #effects: ElectionEffect[] = [];

  constructor(options: ElectionOptions) {
    this.#self = options.self;
    this.#electorate = options;
    this.#minIntervalMs = options.minNotificationIntervalMs ?? 200;
    this.#maxIntervalMs = options.maxNotificationIntervalMs ?? 60_000;
  }

  get state(): PeerState {
    return this.#state;
  }

  get logicalClock(): bigint {
    return this.#logicalClock;
  }

  step(event: ElectionEvent): ElectionEffect[] {
    this.#effects = [];
    switch (event.kind) {
      case 'look':
        this.#look(event.lastZxid, event.currentEpoch);
        break;
      case 'notified':
        this.#notified(event.from, event.notification);
        break;
      case 'timeout':
        this.#timedOut(event.delivered);
        break;
      case 'gone':
        this.#lost(event.server);
        break;
      case 'epochBegan':
        this.#decided = { ...this.#decided, peerEpoch: BigInt(event.epoch) };
        break;
      case 'reconfigured':
        this.#electorate = event.electorate;
        break;
      case 'designated':
        this.#state = event.state;
        this.#electors = new Set();
        this.#decided = { leader: event.leader, zxid: event.zxid, electionEpoch: -1n, peerEpoch: -1n };
        break;
      default:
        return event satisfies never;
    }
    return this.#effects;
  }

  #look(lastZxid: Zxid, currentEpoch: number): void {
    const { role, verifiers } = this.#electorate;
    const self = this.#self;
    const isParticipant = role === 'participant';
    this.#state = 'LOOKING';
    this.#logicalClock += 1n;
    if (this.#leaderRound > this.#logicalClock) this.#logicalClock = this.#leaderRound;
    this.#leaderRound = 0n;
    this.#received.clear();
    this.#settled.clear();
    this.#gone.clear();
    this.#isFinalizing = false;
    this.#intervalMs = this.#minIntervalMs;
    this.#initial = {
      leader: verifiers[0].voters.has(self) ? self : NOBODY,
      zxid: isParticipant ? lastZxid : (LEAST as Zxid),
      electionEpoch: this.#logicalClock,
      peerEpoch: isParticipant ? BigInt(currentEpoch) : LEAST,
    };
    if (this.#decided === NO_VOTE) this.#decided = { ...this.#initial, leader: self, electionEpoch: -1n };
    this.#propose(this.#initial);
    this.#wait();
  }

  /** One that never was there may be about to start: it is waited for like one that is slow. */
  #lost(server: ServerId): void {
    if (this.#state !== 'LOOKING' || !this.#known.has(server)) return;
    this.#gone.add(server);
    if (this.#isFinalizing) this.#finalizeIfAgreed();
  }

  #notified(from: ServerId, notification: Notification): void {
    this.#known.add(from);
    this.#gone.delete(from);
    if (!this.#isVoter(from)) {
      // An observer, or a server that has not joined yet: it hears what we know, its own vote says nothing.
      const { leader, zxid, peerEpoch } = this.#decided;
      this.#send(from, { leader, zxid, peerEpoch, electionEpoch: this.#logicalClock });
      return;
    }
    if (this.#state !== 'LOOKING') {
      if (notification.state !== 'LOOKING') return;
      this.#send(from, this.#decided);
      if (this.#state === 'LEADING' && this.#electors.has(from)) {
        this.#effects.push({ kind: 'lookedAgain', server: from });
      }
      // It may need more votes than we knew of, for a membership that we have not heard of, and all of them in one round.
      if (from === this.#decided.leader && notification.electionEpoch > this.#decided.electionEpoch) {
        this.#leaderRound = notification.electionEpoch;
        this.#effects.push({ kind: 'leaderLooks' });
      }
      return;
    }
    const isBehind = notification.state === 'LOOKING' && notification.electionEpoch < this.#logicalClock;
    // Who has no vote need not bring others up: they would answer it, and it them, without end.
    if (isBehind && this.#isVoter(this.#self)) this.#send(from, this.#proposal);
    if (this.#isFinalizing && !this.#beats(notification, this.#proposal)) {
      this.#countLate(from, notification);
      this.#wait();
      return;
    }
    this.#isFinalizing = false;
    if (this.#isVoter(notification.leader)) this.#consider(from, notification);
    else if (notification.state === 'LOOKING' && notification.electionEpoch > this.#logicalClock) {
      // It may not be elected itself, and votes in the next membership alone: it never comes back to an earlier round, so we go to it.
      this.#logicalClock = notification.electionEpoch;
      this.#received.clear();
      this.#propose(this.#initial);
    }
    this.#wait();
  }

  /** A quorum votes alike already; perhaps this makes it everybody. Who was quicker has found what we are about to. */
  #countLate(from: ServerId, vote: Notification): void {
    if (vote.state === 'OBSERVING' || vote.electionEpoch !== this.#logicalClock) return;
    this.#received.set(from, { ...voteOf(vote), state: vote.state, version: 0 });
    this.#finalizeIfAgreed();
  }

  #consider(from: ServerId, notification: Notification): void {
    switch (notification.state) {
      case 'LOOKING':
        this.#countLooking(from, notification);
        break;
      case 'FOLLOWING':
      case 'LEADING':
        this.#countSettled(from, notification);
        break;
      case 'OBSERVING':
        break;
      default:
        notification.state satisfies never;
    }
  }

  #countLooking(from: ServerId, vote: Notification): void {
    // A server whose database is not loaded has nothing to say.
    if (this.#initial.zxid === -1n || vote.zxid === -1n) return;
    if (vote.electionEpoch < this.#logicalClock) return;
    if (vote.electionEpoch > this.#logicalClock) {
      this.#logicalClock = vote.electionEpoch;
      this.#received.clear();
      this.#propose(this.#beats(vote, this.#initial) ? vote : this.#initial);
    } else if (this.#beats(vote, this.#proposal)) {
      this.#propose(vote);
    }
    this.#received.set(from, { ...voteOf(vote), state: 'LOOKING', version: 0 });
    this.#finalizeIfAgreed();
  }

  #countSettled(from: ServerId, notification: Notification): void {
    const { verifiers } = this.#electorate;
    const cast: Cast = { ...voteOf(notification), state: notification.state, version: notification.version };
    if (notification.electionEpoch === this.#logicalClock) {
      this.#received.set(from, { ...cast, version: 0 });
      if (this.#isFollowed(this.#received, cast, verifiers)) return this.#decide(cast);
    }
    this.#settled.set(from, cast);
    // A quorum goes on without us. What was proposed to us and came to nothing must not keep us away: it is theirs to know of it.
    const mayFollow = cast.state === 'LEADING' && verifiers[0].defersToOther === true;
    if (!this.#isFollowed(this.#settled, cast, [verifiers[0]]) && !mayFollow) return;
    this.#logicalClock = cast.electionEpoch;
    this.#decide(cast);
  }

  /** A quorum votes so, and the leader itself says that it leads: or servers would elect again and again one that has crashed. */
  #isFollowed(votes: ReadonlyMap<ServerId, Cast>, vote: Cast, verifiers: readonly QuorumVerifier[]): boolean {
    if (!this.#isAgreed(votes, vote, verifiers)) return false;
    if (vote.leader === this.#self) return vote.electionEpoch === this.#logicalClock;
    return votes.get(vote.leader)?.state === 'LEADING';
  }

  #finalizeIfAgreed(): void {
    const mine: Cast = { ...this.#proposal, state: 'LOOKING', version: 0 };
    if (!this.#isAgreed(this.#received, mine, this.#electorate.verifiers)) return;
    this.#isFinalizing = true;
    // Unlike Apache we wait for no better vote where nobody is left who could cast one.
    if (this.#isUnanimous(mine)) this.#decide(this.#proposal);
  }

  #isUnanimous(vote: Cast): boolean {
    return this.#voters().every((server) => {
      const cast = this.#received.get(server);
      return cast === undefined ? this.#gone.has(server) : isSameVote(cast, vote);
    });
  }

  #voters(): ServerId[] {
    return [...new Set(this.#electorate.verifiers.flatMap(({ voters }) => [...voters]))];
  }

  #isAgreed(votes: ReadonlyMap<ServerId, Cast>, vote: Cast, verifiers: readonly QuorumVerifier[]): boolean {
    const alike = [...votes].filter(([, cast]) => isSameVote(cast, vote)).map(([server]) => server);
    const isAgreed = verifiers.every((verifier) => verifier.isQuorum(alike));
    if (isAgreed) this.#electors = new Set(alike);
    return isAgreed;
  }

  #timedOut(delivered: boolean): void {
    if (this.#state !== 'LOOKING') return;
    if (this.#isFinalizing) {
      this.#decide(this.#proposal);
      return;
    }
    if (delivered) this.#sendToAll();
    else this.#effects.push({ kind: 'connectAll' });
    // An oracle may have spoken meanwhile.
    if (this.#state === 'LOOKING') this.#finalizeIfAgreed();
    this.#intervalMs = Math.min(this.#intervalMs * 2, this.#maxIntervalMs);
    this.#wait();
  }

  #decide({ leader, zxid, electionEpoch, peerEpoch }: Vote): void {
    const { role } = this.#electorate;
    const state = leader === this.#self ? 'LEADING' : role === 'observer' ? 'OBSERVING' : 'FOLLOWING';
    this.#state = state;
    this.#isFinalizing = false;
    this.#decided = { leader, zxid, electionEpoch, peerEpoch };
    this.#effects.push({ kind: 'decided', state, vote: this.#decided });
  }

  #propose({ leader, zxid, peerEpoch }: Vote): void {
    this.#proposal = { leader, zxid, peerEpoch, electionEpoch: this.#logicalClock };
    this.#sendToAll();
  }

  #sendToAll(): void {
    const self = this.#self;
    const voters = this.#voters();
    for (const server of voters) if (server !== self) this.#send(server, this.#proposal);
    if (!voters.includes(self) || this.#initial.zxid === -1n) return;
    // Our own vote needs no way through the network.
    this.#received.set(self, { ...this.#proposal, state: 'LOOKING', version: 0 });
    this.#finalizeIfAgreed();
  }

  #send(to: ServerId, { leader, zxid, electionEpoch, peerEpoch }: Vote): void {
    const { config } = this.#electorate;
    const version = NOTIFICATION_VERSION;
    const notification = { state: this.#state, leader, zxid, electionEpoch, peerEpoch, version, config };
    this.#effects.push({ kind: 'send', to, notification });
  }

  #wait(): void {
    if (this.#state === 'LOOKING')
      this.#effects.push({ kind: 'wait', ms: this.#isFinalizing ? FINALIZE_WAIT_MS : this.#intervalMs });
  }

  #isVoter(server: ServerId): boolean {
    return this.#electorate.verifiers.some(({ voters }) => voters.has(server));
  }

  /** FastLeaderElection.totalOrderPredicate: the newer epoch, then the longer log, then the higher id. */
  #beats(vote: Vote, other: Vote): boolean {
    if (this.#electorate.verifiers[0].weightOf(vote.leader) === 0) return false;
    if (vote.peerEpoch !== other.peerEpoch) return vote.peerEpoch > other.peerEpoch;
    if (vote.zxid !== other.zxid) return vote.zxid > other.zxid;
    return vote.leader > other.leader;
  }
}

function voteOf({ leader, zxid, electionEpoch, peerEpoch }: Vote): Vote {
  return { leader, zxid, electionEpoch, peerEpoch };
}

/**
 * Of servers that have settled, zxid and round may differ although they follow the same leader, since each learned of it in its
 * own way (ZOOKEEPER-1805); a server before 3.4.6 also has another idea of the epoch (ZOOKEEPER-1732).
 */
function isSameVote(one: Cast, other: Cast): boolean {
  if (one.leader !== other.leader) return false;
  if (one.state === 'LOOKING' || other.state === 'LOOKING') {
    return one.zxid === other.zxid && one.electionEpoch === other.electionEpoch && one.peerEpoch === other.peerEpoch;
  }
  const onlyOneIsOld = one.version > 0 !== other.version > 0;
  return onlyOneIsOld || one.peerEpoch === other.peerEpoch;
}
