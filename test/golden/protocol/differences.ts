/**
 * Where our schemas differ from Apache's definitions, and why: the reviewed list. Where the two releases disagree, 4.4.0 wins
 * and 3.9.1 fills the versions that 4.4.0 dropped. The conformance test fails on a difference that is not here, and on an
 * entry that no longer is one.
 */
import type { Release } from './apache-definitions.ts';

export interface Absence {
  readonly why: string;
  /** Without `Request` and `Response`, where both are meant. */
  readonly names: readonly string[];
}
export const absences: readonly Absence[] = [
  {
    why: 'KRaft controllers alone serve these; there is none in a ZooKeeper cluster',
    names: [
      'Vote',
      'BeginQuorumEpoch',
      'EndQuorumEpoch',
      'DescribeQuorum',
      'FetchSnapshot',
      'BrokerRegistration',
      'BrokerHeartbeat',
      'UnregisterBroker',
      'ControllerRegistration',
      'AssignReplicasToDirs',
      'AddRaftVoter',
      'RemoveRaftVoter',
      'UpdateRaftVoter',
      'UnregisterController',
    ],
  },
  { why: '4.4.0 calls it ListConfigResources; version 0 has the same bytes', names: ['ListClientMetricsResources'] },
  {
    why: 'key type 9 was in development in 3.9.1 and is not read by any later release',
    names: ['ShareGroupPartitionMetadataKey', 'ShareGroupPartitionMetadataValue'],
  },
];

export interface Difference {
  readonly why: string;
  readonly release: Release;
  readonly findings: readonly string[];
}
export const differences: readonly Difference[] = [
  {
    why: 'request header v0 has no client id; 4.4.0 dropped that version and with it the flag',
    release: '4.4.0',
    findings: ['RequestHeader.clientId ignorable: theirs false, ours true'],
  },
  {
    why: 'a hash uses all 64 bits, so it is a bigint',
    release: '4.4.0',
    findings: [
      'ConsumerGroupMetadataValue.metadataHash type: theirs int64, ours bigint64',
      'ShareGroupMetadataValue.metadataHash type: theirs int64, ours bigint64',
      'StreamsGroupMetadataValue.metadataHash type: theirs int64, ours bigint64',
    ],
  },
  {
    why: '4.4.0 renamed the field (KIP-848)',
    release: '3.9.1',
    findings: [
      'TxnOffsetCommitRequest.generationId is missing in v3,4',
      'TxnOffsetCommitRequest.generationIdOrMemberEpoch is ours alone in v3,4',
    ],
  },
  {
    why: 'newer versions go by topic id, so 4.4.0 lets a topic name be dropped',
    release: '3.9.1',
    findings: [
      'OffsetCommitRequest.topics.name ignorable: theirs false, ours true',
      'OffsetCommitResponse.topics.name ignorable: theirs false, ours true',
      'OffsetFetchRequest.groups.topics.name ignorable: theirs false, ours true',
      'OffsetFetchResponse.groups.topics.name ignorable: theirs false, ours true',
      'ProduceRequest.topicData.name ignorable: theirs false, ours true',
      'ProduceResponse.responses.name ignorable: theirs false, ours true',
      'TxnOffsetCommitRequest.topics.name ignorable: theirs false, ours true',
      'TxnOffsetCommitResponse.topics.name ignorable: theirs false, ours true',
    ],
  },
  {
    why: 'version 2 answers without results, so 4.4.0 lets them be dropped',
    release: '3.9.1',
    findings: ['UpdateFeaturesResponse.results ignorable: theirs false, ours true'],
  },
  {
    why: '4.x added tagged fields to versions that 3.9.1 has: not written while they hold their defaults, skipped by 3.9.1',
    release: '3.9.1',
    findings: [
      'ConsumerGroupCurrentMemberAssignmentValue.assignedPartitions.assignmentEpochs is ours alone in v0',
      'ConsumerGroupCurrentMemberAssignmentValue.partitionsPendingRevocation.assignmentEpochs is ours alone in v0',
      'ConsumerGroupMetadataValue.metadataHash is ours alone in v0',
      'ConsumerGroupTargetAssignmentMetadataValue.assignmentTimestamp is ours alone in v0',
      'OffsetCommitValue.topicId is ours alone in v4',
      'RemoteLogSegmentMetadataRecord.txnIndexEmpty is ours alone in v0',
      'RemoteLogSegmentMetadataSnapshotRecord.txnIndexEmpty is ours alone in v0',
      'TransactionLogValue.clientTransactionVersion is ours alone in v1',
      'TransactionLogValue.nextProducerEpoch is ours alone in v1',
      'TransactionLogValue.nextProducerId is ours alone in v1',
      'TransactionLogValue.previousProducerId is ours alone in v1',
    ],
  },
  {
    why: 'share groups were in development in 3.9.1: their records of that release are not compatible with any later one',
    release: '3.9.1',
    findings: ['ShareGroupMetadataValue.metadataHash is ours alone in v0'],
  },
];
