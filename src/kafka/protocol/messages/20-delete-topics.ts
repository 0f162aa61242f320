import { array, type Infer, int16, int32, message, string, struct, uuid } from '../../../wire/schema.ts';

/** DeleteTopics: by name, from v6 by name or id. */

const DeleteTopicState = struct({
  name: { type: string, versions: '6+', nullable: '6+', default: null },
  topicId: { type: uuid, versions: '6+' },
});

export const DeleteTopicsRequest = message({
  name: 'DeleteTopicsRequest',
  apiKey: 20,
  versions: '0-6',
  flexible: '4+',
  fields: {
    topics: { type: array(DeleteTopicState), versions: '6+' },
    topicNames: { type: array(string), versions: '0-5', ignorable: true },
    timeoutMs: { type: int32, versions: '0+' },
  },
});
export type DeleteTopicsRequest = Infer<typeof DeleteTopicsRequest>;

const DeletableTopicResult = struct({
  name: { type: string, versions: '0+', nullable: '6+' },
  topicId: { type: uuid, versions: '6+', ignorable: true },
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '5+', nullable: '5+', default: null, ignorable: true },
});

export const DeleteTopicsResponse = message({
  name: 'DeleteTopicsResponse',
  apiKey: 20,
  versions: '0-6',
  flexible: '4+',
  fields: {
    throttleTimeMs: { type: int32, versions: '1+', ignorable: true },
    responses: { type: array(DeletableTopicResult), versions: '0+' },
  },
});
export type DeleteTopicsResponse = Infer<typeof DeleteTopicsResponse>;
