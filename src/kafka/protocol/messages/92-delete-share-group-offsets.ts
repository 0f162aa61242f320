import { array, type Infer, int16, int32, message, string, struct, uuid } from '../../../wire/schema.ts';

/** DeleteShareGroupOffsets (KIP-932). */

const DeleteShareGroupOffsetsRequestTopic = struct({
  topicName: { type: string, versions: '0+' },
});

export const DeleteShareGroupOffsetsRequest = message({
  name: 'DeleteShareGroupOffsetsRequest',
  apiKey: 92,
  versions: '0',
  flexible: '0+',
  fields: {
    groupId: { type: string, versions: '0+' },
    topics: { type: array(DeleteShareGroupOffsetsRequestTopic), versions: '0+' },
  },
});
export type DeleteShareGroupOffsetsRequest = Infer<typeof DeleteShareGroupOffsetsRequest>;

const DeleteShareGroupOffsetsResponseTopic = struct({
  topicName: { type: string, versions: '0+' },
  topicId: { type: uuid, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
});

export const DeleteShareGroupOffsetsResponse = message({
  name: 'DeleteShareGroupOffsetsResponse',
  apiKey: 92,
  versions: '0',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    errorCode: { type: int16, versions: '0+' },
    errorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
    responses: { type: array(DeleteShareGroupOffsetsResponseTopic), versions: '0+' },
  },
});
export type DeleteShareGroupOffsetsResponse = Infer<typeof DeleteShareGroupOffsetsResponse>;
