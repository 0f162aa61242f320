import { build } from '../../../wire/schema.ts';
import type { InternalTopic } from '../../coordinator/group/streams/configured-topology.ts';
import { StatusCode } from '../../coordinator/group/streams/status.ts';
import { streamsGroupHeartbeat, streamsHeartbeatError } from '../../coordinator/group/streams/streams-requests.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  StreamsGroupHeartbeatRequest,
  StreamsGroupHeartbeatResponse,
} from '../../protocol/messages/88-streams-group-heartbeat.ts';
import { AclOperation } from '../../security/acl.ts';
import { filtered } from '../../security/authorizer.ts';
import { type ApiHandler, apiHandler, type RequestContext } from '../api-handler.ts';
import { allowedTopics, everyName, mayDescribeAll, mayOnCluster, mayOnGroup } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { groupClientOf } from '../group-client.ts';
import { topicNamesOf } from '../streams-topic-names.ts';
import { illegalTopicName, isInternal } from '../topic-names.ts';

/** Heartbeats for which a topic that could not be created is not tried again. */
const RETRY_HEARTBEATS = 2;
const FAILURES_TOLD = 3;

/** Joins, stays in and leaves a streams group (KIP-1071), and makes the topics that its topology lacks. */
export function streamsGroupHeartbeatHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: StreamsGroupHeartbeatRequest,
    response: StreamsGroupHeartbeatResponse,
    versions: '0-1',
    handle(request, context, responder) {
      const refuse = (errorCode: number): void => responder.answer(build(StreamsGroupHeartbeatResponse, { errorCode }));
      if (!mayOnGroup(broker, context, AclOperation.read, request.groupId)) {
        return refuse(ErrorCode.GROUP_AUTHORIZATION_FAILED);
      }
      const topics = topicsOf(request);
      const fault = topicNameFault(topics);
      if (fault !== undefined) {
        return responder.answer(streamsHeartbeatError(ErrorCode.STREAMS_INVALID_TOPOLOGY, fault));
      }
      if (!mayDescribeAll(broker, context, topics)) return refuse(ErrorCode.TOPIC_AUTHORIZATION_FAILED);
      const client = groupClientOf(broker, context);
      streamsGroupHeartbeat(broker.groups, request, client, (response, missing) => {
        if (missing.length > 0) provideAllowed(broker, { request, context, response, missing });
        responder.answer(response);
      });
    },
  });
}

function topicsOf({ topology }: StreamsGroupHeartbeatRequest): string[] {
  return [...new Set(topology?.subtopologies.flatMap(topicNamesOf))];
}

function topicNameFault(names: readonly string[]): string | undefined {
  const internal = names.filter(isInternal);
  if (internal.length > 0) {
    return `Use of Kafka internal topics ${internal.join(',')} in a Kafka Streams topology is prohibited.`;
  }
  const illegal = names.filter((name) => illegalTopicName(name) !== undefined);
  return illegal.length > 0 ? `Topic names ${illegal.join(',')} are not valid topic names.` : undefined;
}

interface Lacking {
  readonly request: StreamsGroupHeartbeatRequest;
  readonly context: RequestContext;
  readonly response: StreamsGroupHeartbeatResponse;
  readonly missing: readonly InternalTopic[];
}

/** Topics are made on the client's behalf: all of them, or none where it may not create one. */
function provideAllowed(broker: BrokerContext, { request, context, response, missing }: Lacking): void {
  const names = missing.map(({ name }) => name);
  const mayAll = mayOnCluster(broker, context, AclOperation.create, filtered);
  const allowed = mayAll ? everyName : allowedTopics(broker, context, AclOperation.create, names);
  const denied = names.filter((name) => !allowed.has(name));
  if (denied.length === 0) return provide(broker, request.groupId, response, missing);
  const text = `Unauthorized to CREATE on topics ${denied.join(', ')}.`;
  if (response.status?.some(isOfMissing)) return tellMore(response, text);
  const status = { statusCode: StatusCode.MISSING_INTERNAL_TOPICS, statusDetail: text };
  response.status = [...(response.status ?? []), status];
}

type Status = NonNullable<StreamsGroupHeartbeatResponse['status']>[number];

const isOfMissing = ({ statusCode }: Status): boolean => statusCode === StatusCode.MISSING_INTERNAL_TOPICS;

/** The status is its group's: what is said to one member alone stands in a copy. */
function tellMore(response: StreamsGroupHeartbeatResponse, text: string): void {
  const amended = (status: Status): Status =>
    isOfMissing(status) ? { ...status, statusDetail: `${status.statusDetail}; ${text}` } : status;
  response.status = response.status?.map(amended) ?? null;
}

function provide(
  { streamsTopics, groupConfigs }: BrokerContext,
  groupId: string,
  response: StreamsGroupHeartbeatResponse,
  missing: readonly InternalTopic[],
): void {
  streamsTopics.create(missing, RETRY_HEARTBEATS * groupConfigs.times('streams', groupId).heartbeatIntervalMs);
  const failures = streamsTopics.failures(missing);
  if (failures.length === 0) return;
  const more = failures.length > FAILURES_TOLD ? ` and ${failures.length - FAILURES_TOLD} more` : '';
  tellMore(response, `Creation failed: ${failures.slice(0, FAILURES_TOLD).join(', ')}${more}.`);
}
