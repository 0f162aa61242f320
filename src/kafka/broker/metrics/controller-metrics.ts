import type { Summary } from '../../../base/metrics.ts';
import type { Chance } from '../../../base/reservoir.ts';
import type { Family } from '../../../observability/exposition.ts';
import type { Controller } from '../../controller/controller.ts';
import type { ControllerContext } from '../../controller/controller-context.ts';
import type { EventFigures } from '../../controller/event-queue.ts';
import { counter, gauge } from './family.ts';
import { histograms, newHistogram } from './histogram.ts';

const ofController = { group: 'controller', type: 'KafkaController' } as const;
const ofStats = { group: 'controller', type: 'ControllerStats' } as const;
const ofEvents = { group: 'controller', type: 'ControllerEventManager' } as const;

/** What Apache's controller calls what ours is busy with (`ControllerState`); whatever is not here it does not time. */
const timed: Readonly<Record<string, string>> = {
  startup: 'ControllerChange',
  reelect: 'ControllerChange',
  'controller change': 'ControllerChange',
  'session expired': 'ControllerChange',
  'broker change': 'LeaderElection',
  'topic change': 'TopicChange',
  'partition change': 'TopicChange',
  'topic deletion': 'TopicDeletion',
  'replicas deleted': 'TopicDeletion',
  'ISR change': 'IsrChange',
  'ISR request': 'IsrChange',
  'log dir event': 'LogDirChange',
  'replicas on a failed log dir': 'LeaderAndIsrResponseReceived',
  'election asked': 'ManualLeaderBalance',
  'leader election': 'ManualLeaderBalance',
  'leader balance': 'AutoLeaderBalance',
  reassignment: 'PartitionReassignment',
  'reassignment asked': 'PartitionReassignment',
  'reassignments listed': 'ListPartitionReassignment',
  'controlled shutdown': 'ControlledShutdown',
  'unclean election': 'TopicUncleanLeaderElectionEnable',
};

/** What the controller does and knows; of the cluster only while it is this broker's that reigns. */
export class ControllerMetrics implements EventFigures {
  readonly #queueTimes: Summary;
  readonly #times = new Map<string, Summary>();
  #uncleanElections = 0;

  constructor(chance: Chance) {
    this.#queueTimes = newHistogram(chance);
    for (const name of new Set(Object.values(timed))) this.#times.set(name, newHistogram(chance));
  }

  ran(event: string, waitedMs: number, tookMs: number): void {
    this.#queueTimes.add(Math.round(waitedMs));
    this.#times.get(timed[event] ?? '')?.add(tookMs);
  }

  electedUncleanly(): void {
    this.#uncleanElections += 1;
  }

  beginPeriod(): void {
    this.#queueTimes.beginPeriod();
    for (const times of this.#times.values()) times.beginPeriod();
  }

  *families(controller: Controller): Generator<Family> {
    for (const [name, value] of Object.entries(countsOf(controller))) yield gauge({ ...ofController, name }, value);
    yield gauge({ ...ofEvents, name: 'EventQueueSize' }, controller.waitingEvents);
    yield* histograms({ ...ofEvents, name: 'EventQueueTimeMs' }, () => [[[], this.#queueTimes]]);
    yield counter({ ...ofStats, name: 'UncleanLeaderElections' }, this.#uncleanElections);
    for (const [name, times] of this.#times) {
      yield* histograms({ ...ofStats, name: `${name}RateAndTimeMs` }, () => [[[], times]]);
    }
  }
}

function countsOf({ isActive, context }: Controller): Readonly<Record<string, number>> {
  const { offline, misplaced, total } = context === undefined ? nothing : countPartitions(context);
  const toDelete = [...(context?.topicsToDelete ?? [])];
  const replicas = (topic: string): number =>
    [...(context?.topics.get(topic)?.partitions.values() ?? [])].reduce((sum, one) => sum + one.replicas.length, 0);
  return {
    ActiveControllerCount: isActive ? 1 : 0,
    OfflinePartitionsCount: offline,
    PreferredReplicaImbalanceCount: misplaced,
    GlobalTopicCount: context?.topics.size ?? 0,
    GlobalPartitionCount: total,
    TopicsToDeleteCount: toDelete.length,
    ReplicasToDeleteCount: toDelete.reduce((sum, topic) => sum + replicas(topic), 0),
    ActiveBrokerCount: context?.brokers.size ?? 0,
    FencedBrokerCount: 0,
  };
}

const nothing = { offline: 0, misplaced: 0, total: 0 };

/** Topics that are being deleted have no leaders, and want none. */
function countPartitions(context: ControllerContext): typeof nothing {
  const counted = { ...nothing };
  for (const { topic, partition } of context.partitions()) {
    counted.total += 1;
    if (context.topicsToDelete.has(topic)) continue;
    const leader = context.state(topic, partition)?.state.leader;
    if (leader === undefined) continue;
    if (leader < 0 || !context.isOnline(leader, topic, partition)) counted.offline += 1;
    if (leader !== context.replicas(topic, partition)[0]) counted.misplaced += 1;
  }
  return counted;
}
