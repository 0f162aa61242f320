import type { ControllerContext, TopicPartition } from './controller-context.ts';
import { electPreferred } from './elections.ts';

/** `auto.leader.rebalance.enable` and its limits. */
export interface LeaderBalanceConfig {
  readonly isEnabled: boolean;
  /** `leader.imbalance.check.interval.seconds`, in milliseconds. */
  readonly checkIntervalMs: number;
  /** `leader.imbalance.per.broker.percentage` */
  readonly imbalancePercentMax: number;
}

/** From the beginning of a controller's reign to its first look. */
export const FIRST_BALANCE_MS = 5000;

/**
 * Partitions that are to go back to their first replica: of each broker, when it leads so few of those that name it first that more
 * than the percentage is elsewhere, those that it can lead now (`KafkaController.checkAndTriggerAutoLeaderRebalance`).
 */
export function misplacedLeaders(context: ControllerContext, imbalancePercentMax: number): TopicPartition[] {
  const byPreferred = new Map<number, { count: number; readonly elsewhere: TopicPartition[] }>();
  for (const item of context.partitions()) {
    const [preferred] = context.replicas(item.topic, item.partition);
    if (preferred === undefined || context.topicsToDelete.has(item.topic)) continue;
    const of = byPreferred.get(preferred) ?? { count: 0, elsewhere: [] };
    byPreferred.set(preferred, of);
    of.count += 1;
    const state = context.state(item.topic, item.partition)?.state;
    if (state !== undefined && state.leader !== preferred) of.elsewhere.push(item);
  }
  return [...byPreferred.values()]
    .filter(({ count, elsewhere }) => elsewhere.length / count > imbalancePercentMax / 100)
    .flatMap(({ elsewhere }) => elsewhere.filter((item) => canGoBack(context, item)));
}

function canGoBack(context: ControllerContext, item: TopicPartition): boolean {
  const current = context.state(item.topic, item.partition);
  const replicas = context.replicas(item.topic, item.partition);
  return current !== undefined && electPreferred(replicas, current.state, context.online(item)) !== undefined;
}
