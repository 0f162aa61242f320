import type { Clock } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import type { Random } from '../../../runtime/random.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import type { Entry } from '../../replication/transaction-gate.ts';
import type { TransactionOperation, TransactionWriter } from '../../replication/transaction-verifier.ts';
import type { TransactionalLog } from '../coordinator-log.ts';
import type { Turns } from '../turns.ts';
import type { ConsumerConfig } from './consumer/consumer-config.ts';
import type { TopicImage } from './consumer/topic-image.ts';
import type { GroupConfig } from './group-config.ts';
import type { GroupPartition } from './group-partition.ts';
import type { ShareMembershipConfig } from './share/share-groups.ts';
import type { ShareStateKeeper } from './share/share-state-keeper.ts';
import type { StreamsConfig } from './streams/streams-config.ts';

export interface GroupCoordinatorOptions {
  readonly coordinatorLog: TransactionalLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly config: GroupConfig;
  /** Asks whether a transaction may write to a partition of `__consumer_offsets`; without it every one may. */
  readonly enterTransaction?: EnterTransaction;
  readonly consumers: ConsumerConfig;
  /** The topics that groups of the consumer protocol are assigned. */
  readonly image: TopicImage;
  /** `group.share.*` of members, and who keeps what is delivered to them. */
  readonly shares: ShareMembershipConfig;
  readonly keeper: ShareStateKeeper;
  /** `group.streams.*` */
  readonly streams: StreamsConfig;
}

export type EnterTransaction = (
  partition: number,
  writer: TransactionWriter,
  operation: TransactionOperation,
  done: (entry: Entry) => void,
) => void;

/** What the parts of the coordinator share. */
export interface GroupHost {
  readonly options: GroupCoordinatorOptions;
  readonly turns: Turns;
  isClosed(): boolean;
  /** Those that this broker leads. */
  partitions(): Iterable<GroupPartition>;
  /** The partition of `__consumer_offsets` that keeps a group. */
  partitionFor(groupId: string): number;
  partitionOf(groupId: string): GroupPartition | undefined;
  /** In a turn of its own, once no decision about the group is on its way into the log. */
  onGroup(groupId: string, turn: (partition: GroupPartition | undefined) => void): void;
}

/** What hinders a request; where nothing of the partition does, what the second check says. */
export function errorOf(partition: GroupPartition | undefined, andThen: () => number = () => ErrorCode.NONE): number {
  const errorCode = partition?.errorCode ?? ErrorCode.NOT_COORDINATOR;
  return errorCode === ErrorCode.NONE ? andThen() : errorCode;
}
