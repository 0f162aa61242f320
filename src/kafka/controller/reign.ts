import type { ControllerEpoch } from '../zk/controller-election.ts';
import type { BrokerLinks } from './broker-links.ts';
import type { ControllerContext } from './controller-context.ts';
import type { Leaderships } from './leaderships.ts';
import type { PartitionStates } from './partition-states.ts';
import type { Reassignments } from './reassignments.ts';
import type { RequestBatch } from './request-batch.ts';
import type { TopicDeletions } from './topic-deletions.ts';

/** The reign of one controller: what it holds from its election to its resignation. */
export interface Reign {
  readonly epoch: ControllerEpoch;
  readonly context: ControllerContext;
  readonly states: PartitionStates;
  readonly links: BrokerLinks;
  readonly leaderships: Leaderships;
  readonly deletions: TopicDeletions;
  readonly reassignments: Reassignments;
  /** Tells the brokers, without waiting for them. */
  readonly send: (batch: RequestBatch) => void;
}
