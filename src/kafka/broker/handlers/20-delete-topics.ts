import { build, ZERO_UUID } from '../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { asKafkaError } from '../request-errors.ts';
import type { Admit } from '../topic-admin.ts';
import { waitForTopics } from '../topic-waiting.ts';

type Result = DeleteTopicsResponse['responses'][number];

/** Asks for the deletion in ZooKeeper and waits until the metadata cache has forgotten the topics. */
export function deleteTopicsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: DeleteTopicsRequest,
    response: DeleteTopicsResponse,
    versions: '0-6',
    handle(request, context, responder) {
      const quota = broker.quotas.mutations(context, 5);
      void deleteAll(broker, request, { version: context.apiVersion, admit: quota.record })
        .then((responses) => {
          responder.answer(build(DeleteTopicsResponse, { responses, throttleTimeMs: quota.throttleMs() }));
        })
        .catch((error: unknown) => responder.close(String(error)));
    },
  });
}

async function deleteAll(
  broker: BrokerContext,
  request: DeleteTopicsRequest,
  { version, admit }: { readonly version: number; readonly admit: Admit },
): Promise<Result[]> {
  const asked = [
    ...request.topicNames.map((name) => ({ name, topicId: ZERO_UUID })),
    ...request.topics.map(({ name, topicId }) => ({
      name: name ?? broker.metadata.topicName(topicId) ?? null,
      topicId,
    })),
  ];
  const results = await Promise.all(
    asked.map(async ({ name, topicId }) => {
      try {
        if (!broker.controller.isActive) throw new KafkaError(ErrorCode.NOT_CONTROLLER);
        if (name === null) throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_ID);
        // Before v3 there was no code for it.
        if (version < 3 && !broker.config.boolean('delete.topic.enable'))
          throw new KafkaError(ErrorCode.INVALID_REQUEST);
        const id = broker.metadata.topicId(name);
        await broker.topics.delete(name, admit);
        return result(name, id, undefined);
      } catch (error) {
        return result(name, topicId, asKafkaError(error));
      }
    }),
  );
  const late = await waitForTopics(broker, {
    topics: results.flatMap(({ name, errorCode }) => (name !== null && errorCode === ErrorCode.NONE ? [name] : [])),
    isDone: (name) => broker.metadata.topic(name) === undefined,
    timeoutMs: request.timeoutMs,
  });
  return results.map((one) =>
    one.name !== null && late.includes(one.name)
      ? result(one.name, one.topicId, new KafkaError(ErrorCode.REQUEST_TIMED_OUT))
      : one,
  );
}

/** Apache's ZooKeeper brokers say no more than the code. */
function result(name: string | null, topicId: string, error: KafkaError | undefined): Result {
  return { name, topicId, errorCode: error?.code ?? ErrorCode.NONE, errorMessage: null };
}
