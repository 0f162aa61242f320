import type { Counter, Metrics, Summary, SummarySet } from '../../../base/metrics.ts';

/**
 * What members of an ensemble count, in every role the same names. Durations are whole milliseconds. Those of proposals begin at the
 * time in their header, which is the leader's wall clock: where two clocks differ they mean little, as in Apache's server.
 */
export class QuorumMetrics {
  readonly lookingCount: Counter;
  /** Of an election that ended in following or leading. */
  readonly electionTime: Summary;
  /** Until clients may come again. */
  readonly unavailableTime: Summary;
  readonly leaderUnavailableTime: Summary;
  readonly followerSyncTime: Summary;
  readonly observerSyncTime: Summary;
  readonly socketClosingTime: Summary;

  // Of a leader.
  readonly diffCount: Counter;
  readonly snapCount: Counter;
  /** How many are under way, at each begin and end of one. */
  readonly inflightDiffs: Summary;
  readonly inflightSnaps: Summary;
  readonly proposalCount: Counter;
  readonly commitCount: Counter;
  readonly revalidateCount: Counter;
  readonly quorumAckLatency: Summary;
  /** By server, of every thousandth zxid. */
  readonly ackLatency: SummarySet;
  /** Packets leave at the end of the turn that made them: no queue stands before a learner, the names are there. */
  readonly #packetQueueSize: SummarySet;
  readonly #packetQueueTime: SummarySet;

  // Of a learner.
  readonly proposalsReceived: Counter;
  readonly commitsReceived: Counter;
  readonly proposalLatency: Summary;
  readonly commitPropagationLatency: Summary;

  // Of all.
  readonly commitsQueued: Counter;
  /** Until the proposal is on our disk. */
  readonly proposalAckCreationLatency: Summary;

  constructor(all: Metrics) {
    this.lookingCount = all.counter('looking_count');
    this.electionTime = all.summary('election_time');
    this.unavailableTime = all.summary('unavailable_time');
    this.leaderUnavailableTime = all.summary('leader_unavailable_time');
    this.followerSyncTime = all.summary('follower_sync_time');
    this.observerSyncTime = all.summary('observer_sync_time');
    this.socketClosingTime = all.summary('socket_closing_time');
    this.diffCount = all.counter('diff_count');
    this.snapCount = all.counter('snap_count');
    this.inflightDiffs = all.summary('inflight_diff_count');
    this.inflightSnaps = all.summary('inflight_snap_count');
    this.proposalCount = all.counter('proposal_count');
    this.commitCount = all.counter('commit_count');
    this.revalidateCount = all.counter('revalidate_count');
    this.quorumAckLatency = all.summary('quorum_ack_latency', 'advanced');
    this.ackLatency = all.summarySet('ack_latency', 'advanced');
    this.#packetQueueSize = all.summarySet('learner_handler_qp_size');
    this.#packetQueueTime = all.summarySet('learner_handler_qp_time_ms', 'advanced');
    this.proposalsReceived = all.counter('learner_proposal_received_count');
    this.commitsReceived = all.counter('learner_commit_received_count');
    this.proposalLatency = all.summary('proposal_latency', 'advanced');
    this.commitPropagationLatency = all.summary('commit_propagation_latency', 'advanced');
    this.commitsQueued = all.counter('request_commit_queued');
    this.proposalAckCreationLatency = all.summary('proposal_ack_creation_latency', 'advanced');
  }

  /** Its figures have a name from now on. */
  learnerJoined(server: number): void {
    this.#packetQueueSize.of(String(server));
    this.#packetQueueTime.of(String(server));
  }
}

/** Of the time in a proposal's header until now; nothing where the clocks contradict each other. */
export function addLatency(summary: Summary, sinceMs: number, nowMs: number): void {
  if (nowMs >= sinceMs) summary.add(Math.floor(nowMs - sinceMs));
}
