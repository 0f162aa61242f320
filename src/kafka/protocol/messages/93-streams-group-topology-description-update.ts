import { array, type Infer, int8, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/** StreamsGroupTopologyDescriptionUpdate: hands in the topology's description of a streams group. */

const TopologyDescriptionNode = struct({
  name: { type: string, versions: '0+' },
  nodeType: { type: int8, versions: '0+' },
  sourceTopics: { type: array(string), versions: '0+' },
  sinkTopic: { type: string, versions: '0+', nullable: '0+', default: null },
  stores: { type: array(string), versions: '0+' },
  successors: { type: array(string), versions: '0+' },
});

const TopologyDescriptionSubtopology = struct({
  subtopologyId: { type: string, versions: '0+' },
  nodes: { type: array(TopologyDescriptionNode), versions: '0+' },
});

const TopologyDescriptionGlobalStore = struct({
  source: { type: TopologyDescriptionNode, versions: '0+' },
  processor: { type: TopologyDescriptionNode, versions: '0+' },
});

const TopologyDescription = struct({
  subtopologies: { type: array(TopologyDescriptionSubtopology), versions: '0+' },
  globalStores: { type: array(TopologyDescriptionGlobalStore), versions: '0+' },
});

export const StreamsGroupTopologyDescriptionUpdateRequest = message({
  name: 'StreamsGroupTopologyDescriptionUpdateRequest',
  apiKey: 93,
  versions: '0',
  flexible: '0+',
  fields: {
    groupId: { type: string, versions: '0+' },
    memberId: { type: string, versions: '0+' },
    topologyEpoch: { type: int32, versions: '0+' },
    topologyDescription: { type: TopologyDescription, versions: '0+' },
  },
});
export type StreamsGroupTopologyDescriptionUpdateRequest = Infer<typeof StreamsGroupTopologyDescriptionUpdateRequest>;

export const StreamsGroupTopologyDescriptionUpdateResponse = message({
  name: 'StreamsGroupTopologyDescriptionUpdateResponse',
  apiKey: 93,
  versions: '0',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    errorCode: { type: int16, versions: '0+' },
    errorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
  },
});
export type StreamsGroupTopologyDescriptionUpdateResponse = Infer<typeof StreamsGroupTopologyDescriptionUpdateResponse>;
