import { array, type Infer, int16, int32, int64, message, string, struct, uint16, uuid } from '../../../wire/schema.ts';

/**
 * Control records: the key is a versioned ControlRecordTypeSchema, the value depends on the type. Only EndTxnMarker (versioned;
 * types 0 abort, 1 commit) occurs in a ZooKeeper cluster; the others carry their version as a field.
 */

export const ControlRecordTypeSchema = message({
  name: 'ControlRecordTypeSchema',
  apiKey: -1,
  versions: '0',
  flexible: 'none',
  fields: {
    type: { type: int16, versions: '0+' },
  },
});
export type ControlRecordTypeSchema = Infer<typeof ControlRecordTypeSchema>;

export const EndTxnMarker = message({
  name: 'EndTxnMarker',
  apiKey: -1,
  versions: '0',
  flexible: 'none',
  fields: {
    coordinatorEpoch: { type: int32, versions: '0+' },
  },
});
export type EndTxnMarker = Infer<typeof EndTxnMarker>;

const Voter = struct({
  voterId: { type: int32, versions: '0+' },
  voterDirectoryId: { type: uuid, versions: '1+' },
});

export const LeaderChangeMessage = message({
  name: 'LeaderChangeMessage',
  apiKey: -1,
  versions: '0-1',
  flexible: '0+',
  fields: {
    version: { type: int16, versions: '0+' },
    leaderId: { type: int32, versions: '0+' },
    voters: { type: array(Voter), versions: '0+' },
    grantingVoters: { type: array(Voter), versions: '0+' },
  },
});
export type LeaderChangeMessage = Infer<typeof LeaderChangeMessage>;

export const SnapshotHeaderRecord = message({
  name: 'SnapshotHeaderRecord',
  apiKey: -1,
  versions: '0',
  flexible: '0+',
  fields: {
    version: { type: int16, versions: '0+' },
    lastContainedLogTimestamp: { type: int64, versions: '0+' },
  },
});
export type SnapshotHeaderRecord = Infer<typeof SnapshotHeaderRecord>;

export const SnapshotFooterRecord = message({
  name: 'SnapshotFooterRecord',
  apiKey: -1,
  versions: '0',
  flexible: '0+',
  fields: {
    version: { type: int16, versions: '0+' },
  },
});
export type SnapshotFooterRecord = Infer<typeof SnapshotFooterRecord>;

export const KRaftVersionRecord = message({
  name: 'KRaftVersionRecord',
  apiKey: -1,
  versions: '0',
  flexible: '0+',
  fields: {
    version: { type: int16, versions: '0+' },
    kRaftVersion: { type: int16, versions: '0+' },
  },
});
export type KRaftVersionRecord = Infer<typeof KRaftVersionRecord>;

const Endpoint = struct({
  name: { type: string, versions: '0+' },
  host: { type: string, versions: '0+' },
  port: { type: uint16, versions: '0+' },
});

const KRaftVersionFeature = struct({
  minSupportedVersion: { type: int16, versions: '0+' },
  maxSupportedVersion: { type: int16, versions: '0+' },
});

const RaftVoter = struct({
  voterId: { type: int32, versions: '0+' },
  voterDirectoryId: { type: uuid, versions: '0+' },
  endpoints: { type: array(Endpoint), versions: '0+' },
  kRaftVersionFeature: { type: KRaftVersionFeature, versions: '0+' },
});

export const VotersRecord = message({
  name: 'VotersRecord',
  apiKey: -1,
  versions: '0',
  flexible: '0+',
  fields: {
    version: { type: int16, versions: '0+' },
    voters: { type: array(RaftVoter), versions: '0+' },
  },
});
export type VotersRecord = Infer<typeof VotersRecord>;
