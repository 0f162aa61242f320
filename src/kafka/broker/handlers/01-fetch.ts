import { build } from '../../../wire/schema.ts';
import { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { FetchOperation, FIRST_VERSION_WITH_TOPIC_IDS } from '../fetch-operation.ts';
import type { FetchTarget } from '../fetch-sessions.ts';

/** Reads from each partition within the request's limits; waits for `minBytes` as long as `maxWaitMs` allows. */
export function fetchHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: FetchRequest,
    response: FetchResponse,
    versions: '0-18',
    handle(request, context, responder) {
      const usesTopicIds = context.apiVersion >= FIRST_VERSION_WITH_TOPIC_IDS;
      const outcome = broker.fetchSessions.resolve({
        sessionId: request.sessionId,
        // Before v7 there were no sessions.
        sessionEpoch: context.apiVersion < 7 ? -1 : request.sessionEpoch,
        usesTopicIds,
        nameOf: usesTopicIds ? (topicId) => broker.metadata.topicName(topicId) : undefined,
        targets: targetsOf(request),
        forgotten: request.forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
          partitions.map((partition) => ({ topic, topicId, partition })),
        ),
      });
      if (outcome.kind === 'error') return responder.answer(build(FetchResponse, { errorCode: outcome.errorCode }));
      new FetchOperation(broker, request, context, responder, outcome).start();
    },
  });
}

function targetsOf(request: FetchRequest): FetchTarget[] {
  return request.topics.flatMap(({ topic, topicId, partitions }) =>
    partitions.map((asked) => ({
      topic,
      topicId,
      partition: asked.partition,
      fetchOffset: asked.fetchOffset,
      partitionMaxBytes: asked.partitionMaxBytes,
      // Whatever is negative is none here; elsewhere -1 alone is.
      currentLeaderEpoch: Math.max(asked.currentLeaderEpoch, -1),
      lastFetchedEpoch: asked.lastFetchedEpoch,
    })),
  );
}
