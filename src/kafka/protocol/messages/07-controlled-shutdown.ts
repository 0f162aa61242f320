import { array, type Infer, int16, int32, int64, message, string, struct } from '../../../wire/schema.ts';

/** ControlledShutdown: a broker asks the controller to move its leaders away. v0 has request header v0. */

export const ControlledShutdownRequest = message({
  name: 'ControlledShutdownRequest',
  apiKey: 7,
  versions: '0-3',
  flexible: '3+',
  fields: {
    brokerId: { type: int32, versions: '0+' },
    brokerEpoch: { type: int64, versions: '2+', default: -1, ignorable: true },
  },
});
export type ControlledShutdownRequest = Infer<typeof ControlledShutdownRequest>;

const RemainingPartition = struct({
  topicName: { type: string, versions: '0+' },
  partitionIndex: { type: int32, versions: '0+' },
});

export const ControlledShutdownResponse = message({
  name: 'ControlledShutdownResponse',
  apiKey: 7,
  versions: '0-3',
  flexible: '3+',
  fields: {
    errorCode: { type: int16, versions: '0+' },
    remainingPartitions: { type: array(RemainingPartition), versions: '0+' },
  },
});
export type ControlledShutdownResponse = Infer<typeof ControlledShutdownResponse>;
