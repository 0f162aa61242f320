import { array, type Infer, int16, int32, int64, message, string, struct, uuid } from '../../../wire/schema.ts';

/** TxnOffsetCommit: offsets that become visible when the transaction commits. */

const TxnOffsetCommitRequestPartition = struct({
  partitionIndex: { type: int32, versions: '0+' },
  committedOffset: { type: int64, versions: '0+' },
  committedLeaderEpoch: { type: int32, versions: '2+', default: -1, ignorable: true },
  committedMetadata: { type: string, versions: '0+', nullable: '0+' },
});

const TxnOffsetCommitRequestTopic = struct({
  name: { type: string, versions: '0-5', ignorable: true },
  topicId: { type: uuid, versions: '6+', ignorable: true },
  partitions: { type: array(TxnOffsetCommitRequestPartition), versions: '0+' },
});

export const TxnOffsetCommitRequest = message({
  name: 'TxnOffsetCommitRequest',
  apiKey: 28,
  versions: '0-6',
  flexible: '3+',
  fields: {
    transactionalId: { type: string, versions: '0+' },
    groupId: { type: string, versions: '0+' },
    producerId: { type: int64, versions: '0+' },
    producerEpoch: { type: int16, versions: '0+' },
    generationIdOrMemberEpoch: { type: int32, versions: '3+', default: -1 },
    memberId: { type: string, versions: '3+' },
    groupInstanceId: { type: string, versions: '3+', nullable: '3+', default: null },
    topics: { type: array(TxnOffsetCommitRequestTopic), versions: '0+' },
  },
});
export type TxnOffsetCommitRequest = Infer<typeof TxnOffsetCommitRequest>;

const TxnOffsetCommitResponsePartition = struct({
  partitionIndex: { type: int32, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
});

const TxnOffsetCommitResponseTopic = struct({
  name: { type: string, versions: '0-5', ignorable: true },
  topicId: { type: uuid, versions: '6+', ignorable: true },
  partitions: { type: array(TxnOffsetCommitResponsePartition), versions: '0+' },
});

export const TxnOffsetCommitResponse = message({
  name: 'TxnOffsetCommitResponse',
  apiKey: 28,
  versions: '0-6',
  flexible: '3+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    topics: { type: array(TxnOffsetCommitResponseTopic), versions: '0+' },
  },
});
export type TxnOffsetCommitResponse = Infer<typeof TxnOffsetCommitResponse>;
