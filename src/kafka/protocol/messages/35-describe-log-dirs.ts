import { array, bool, type Infer, int16, int32, int64, message, string, struct } from '../../../wire/schema.ts';

/** DescribeLogDirs: sizes of logs and directories of a broker (KIP-113). */

const DescribableLogDirTopic = struct({
  topic: { type: string, versions: '0+' },
  partitions: { type: array(int32), versions: '0+' },
});

export const DescribeLogDirsRequest = message({
  name: 'DescribeLogDirsRequest',
  apiKey: 35,
  versions: '0-5',
  flexible: '2+',
  fields: {
    topics: { type: array(DescribableLogDirTopic), versions: '0+', nullable: '0+' },
  },
});
export type DescribeLogDirsRequest = Infer<typeof DescribeLogDirsRequest>;

const DescribeLogDirsPartition = struct({
  partitionIndex: { type: int32, versions: '0+' },
  partitionSize: { type: int64, versions: '0+' },
  offsetLag: { type: int64, versions: '0+' },
  isFutureKey: { type: bool, versions: '0+' },
});

const DescribeLogDirsTopic = struct({
  name: { type: string, versions: '0+' },
  partitions: { type: array(DescribeLogDirsPartition), versions: '0+' },
});

const DescribeLogDirsResult = struct({
  errorCode: { type: int16, versions: '0+' },
  logDir: { type: string, versions: '0+' },
  topics: { type: array(DescribeLogDirsTopic), versions: '0+' },
  totalBytes: { type: int64, versions: '4+', default: -1, ignorable: true },
  usableBytes: { type: int64, versions: '4+', default: -1, ignorable: true },
  isCordoned: { type: bool, versions: '5+', ignorable: true },
});

export const DescribeLogDirsResponse = message({
  name: 'DescribeLogDirsResponse',
  apiKey: 35,
  versions: '0-5',
  flexible: '2+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    errorCode: { type: int16, versions: '3+', ignorable: true },
    results: { type: array(DescribeLogDirsResult), versions: '0+' },
  },
});
export type DescribeLogDirsResponse = Infer<typeof DescribeLogDirsResponse>;
