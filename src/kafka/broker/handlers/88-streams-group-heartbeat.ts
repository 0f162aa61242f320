import type { InternalTopic } from '../../coordinator/group/streams/configured-topology.ts';
import { StatusCode } from '../../coordinator/group/streams/status.ts';
import { streamsGroupHeartbeat, streamsHeartbeatError } from '../../coordinator/group/streams/streams-requests.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  StreamsGroupHeartbeatRequest,
  StreamsGroupHeartbeatResponse,
} from '../../protocol/messages/88-streams-group-heartbeat.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
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
    handle(request, { clientId, clientAddress, apiVersion }, responder) {
      const fault = topicNameFault(request);
      if (fault !== undefined) {
        return responder.answer(streamsHeartbeatError(ErrorCode.STREAMS_INVALID_TOPOLOGY, fault));
      }
      const client = { id: clientId, host: clientAddress, apiVersion };
      streamsGroupHeartbeat(broker.groups, request, client, (response, missing) => {
        if (missing.length > 0) provide(broker, request.groupId, response, missing);
        responder.answer(response);
      });
    },
  });
}

function topicNameFault({ topology }: StreamsGroupHeartbeatRequest): string | undefined {
  const names = new Set(
    topology?.subtopologies.flatMap((one) => [
      ...one.sourceTopics,
      ...one.repartitionSinkTopics,
      ...one.repartitionSourceTopics.map(({ name }) => name),
      ...one.stateChangelogTopics.map(({ name }) => name),
    ]),
  );
  const internal = [...names].filter(isInternal);
  if (internal.length > 0) {
    return `Use of Kafka internal topics ${internal.join(',')} in a Kafka Streams topology is prohibited.`;
  }
  const illegal = [...names].filter((name) => illegalTopicName(name) !== undefined);
  return illegal.length > 0 ? `Topic names ${illegal.join(',')} are not valid topic names.` : undefined;
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
  const text = `; Creation failed: ${failures.slice(0, FAILURES_TOLD).join(', ')}${more}.`;
  response.status =
    response.status?.map((status) =>
      status.statusCode === StatusCode.MISSING_INTERNAL_TOPICS
        ? { ...status, statusDetail: status.statusDetail + text }
        : status,
    ) ?? null;
}
