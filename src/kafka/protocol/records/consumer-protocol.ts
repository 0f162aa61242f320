import { array, bytes, type Infer, int32, message, string, struct } from '../../../wire/schema.ts';

/** What consumers of a classic group tell each other through the broker, which only carries the bytes. */

const TopicPartition = struct({
  topic: { type: string, versions: '1+' },
  partitions: { type: array(int32), versions: '1+' },
});

export const ConsumerProtocolSubscription = message({
  name: 'ConsumerProtocolSubscription',
  apiKey: -1,
  versions: '0-3',
  flexible: 'none',
  fields: {
    topics: { type: array(string), versions: '0+' },
    userData: { type: bytes, versions: '0+', nullable: '0+', default: null },
    ownedPartitions: { type: array(TopicPartition), versions: '1+', ignorable: true },
    generationId: { type: int32, versions: '2+', default: -1, ignorable: true },
    rackId: { type: string, versions: '3+', nullable: '3+', default: null, ignorable: true },
  },
});
export type ConsumerProtocolSubscription = Infer<typeof ConsumerProtocolSubscription>;

const AssignedTopicPartition = struct({
  topic: { type: string, versions: '0+' },
  partitions: { type: array(int32), versions: '0+' },
});

export const ConsumerProtocolAssignment = message({
  name: 'ConsumerProtocolAssignment',
  apiKey: -1,
  versions: '0-3',
  flexible: 'none',
  fields: {
    assignedPartitions: { type: array(AssignedTopicPartition), versions: '0+' },
    userData: { type: bytes, versions: '0+', nullable: '0+', default: null },
  },
});
export type ConsumerProtocolAssignment = Infer<typeof ConsumerProtocolAssignment>;
