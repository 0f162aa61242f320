import { build } from '../../../../wire/schema.ts';
import {
  ConsumerGroupHeartbeatRequest,
  type ConsumerGroupHeartbeatResponse,
} from '../../../protocol/messages/68-consumer-group-heartbeat.ts';
import type { DescribedConsumerGroup } from '../consumer/describe-consumer.ts';
import type { TopicFilter } from '../join.ts';
import { groupClient } from './group-client.ts';
import { GROUP, GroupWorld, type Pending } from './group-world.ts';

export type Beat = Partial<Omit<ConsumerGroupHeartbeatRequest, 'topicPartitions'>> & {
  /** Partitions by topic name; null: not told. */
  readonly owned?: Readonly<Record<string, readonly number[]>> | null;
  readonly version?: number;
  readonly describable?: TopicFilter;
};

/** A coordinator whose topic `t` has four partitions, and members of the consumer protocol. */
export class ConsumerWorld extends GroupWorld {
  constructor(...given: ConstructorParameters<typeof GroupWorld>) {
    super(...given);
    this.image.set('t', 4);
  }

  /** A member joins with epoch 0, subscribes to `t` unless told otherwise, and says all about itself; later it says only what is given. */
  beat(memberId: string, given: Beat = {}): Pending<ConsumerGroupHeartbeatResponse> {
    const { owned, version = 1, describable, ...fields } = given;
    const isJoin = (given.memberEpoch ?? 0) === 0;
    const told = owned === undefined ? (isJoin ? {} : null) : owned;
    const request = build(ConsumerGroupHeartbeatRequest, {
      groupId: GROUP,
      memberId,
      rebalanceTimeoutMs: isJoin ? 30_000 : -1,
      subscribedTopicNames: isJoin ? ['t'] : null,
      ...fields,
      topicPartitions:
        told &&
        Object.entries(told).map(([name, partitions]) => ({
          topicId: this.image.topic(name)?.id ?? name,
          partitions: [...partitions],
        })),
    });
    const pending: Pending<ConsumerGroupHeartbeatResponse> = { answer: undefined, count: 0, loadCount: 0 };
    const client = groupClient({ apiVersion: version, ...(describable && { describable }) });
    this.coordinator.consumerGroupHeartbeat(request, client, (response) => {
      pending.answer = response;
      pending.count += 1;
    });
    return pending;
  }

  /** Epoch and partitions by topic name, or the error code. */
  told(pending: Pending<ConsumerGroupHeartbeatResponse>): unknown {
    const { answer } = pending;
    if (answer === undefined || answer.errorCode !== 0) return answer?.errorCode;
    const { memberEpoch, assignment } = answer;
    return assignment === null ? [memberEpoch] : [memberEpoch, this.named(assignment.topicPartitions)];
  }

  named(
    partitions: readonly { readonly topicId: string; readonly partitions: readonly number[] }[],
  ): Record<string, number[]> {
    return Object.fromEntries(
      partitions.map(({ topicId, partitions: list }) => [this.image.nameOf(topicId) ?? topicId, [...list].sort()]),
    );
  }

  describeConsumers(group = GROUP): DescribedConsumerGroup {
    let answer: DescribedConsumerGroup | undefined;
    this.coordinator.admin.describeConsumer(group, (described) => {
      answer = described;
    });
    return answer as DescribedConsumerGroup;
  }
}
