import { build, ZERO_UUID } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler, type RequestContext } from '../api-handler.ts';
import { allowedTopics } from '../authorization.ts';
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
      void deleteAll(broker, request, context, quota.record)
        .then((responses) => {
          responder.answer(build(DeleteTopicsResponse, { responses, throttleTimeMs: quota.throttleMs() }));
        })
        .catch((error: unknown) => responder.close(String(error)));
    },
  });
}

interface Asked {
  readonly name: string | null;
  readonly topicId: string;
}

async function deleteAll(
  broker: BrokerContext,
  request: DeleteTopicsRequest,
  context: RequestContext,
  admit: Admit,
): Promise<Result[]> {
  const asked: Asked[] = [...request.topicNames.map((name) => ({ name, topicId: ZERO_UUID })), ...request.topics];
  const refuseAll = (errorCode: number): Result[] => asked.map((topic) => result(topic, errorCode));
  if (!broker.controller.isActive) return refuseAll(ErrorCode.NOT_CONTROLLER);
  if (!broker.config.boolean('delete.topic.enable')) {
    // Before v3 there was no code for it.
    return refuseAll(context.apiVersion < 3 ? ErrorCode.INVALID_REQUEST : ErrorCode.TOPIC_DELETION_DISABLED);
  }
  if (asked.some(({ name, topicId }) => name !== null && topicId !== ZERO_UUID)) {
    return refuseAll(ErrorCode.INVALID_REQUEST);
  }
  const named = asked.map(({ name, topicId }) => ({
    name: name ?? broker.metadata.topicName(topicId) ?? null,
    topicId,
  }));
  const names = named.flatMap(({ name }) => name ?? []);
  const describable = allowedTopics(broker, context, AclOperation.describe, names);
  const deletable = allowedTopics(broker, context, AclOperation.delete, names);
  const isHidden = ({ name, topicId }: Asked): boolean =>
    name !== null && topicId !== ZERO_UUID && !describable.has(name);
  const doomed = named.filter((topic) => topic.name !== null && !isHidden(topic) && deletable.has(topic.name));
  const outcomes = await deleteOnce(broker, new Set(doomed.map(({ name }) => name)), admit);
  const isGone = (name: string): boolean => broker.metadata.topic(name) === undefined;
  const topics = [...outcomes].flatMap(([name, errorCode]) => (errorCode === ErrorCode.NONE ? [name] : []));
  const late = await waitForTopics(broker, { topics, isDone: isGone, timeoutMs: request.timeoutMs });
  return named.map((topic) => {
    // Apache takes a topic that has neither name nor id for one that the client may not see.
    if (topic.name === null) {
      const hasId = topic.topicId !== ZERO_UUID;
      return result(topic, hasId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.TOPIC_AUTHORIZATION_FAILED);
    }
    // The name of what a client may not see is not told, its id it knows.
    if (isHidden(topic)) return result({ ...topic, name: null }, ErrorCode.TOPIC_AUTHORIZATION_FAILED);
    if (!deletable.has(topic.name)) return result(topic, ErrorCode.TOPIC_AUTHORIZATION_FAILED);
    const isLate = late.includes(topic.name);
    return result(topic, isLate ? ErrorCode.REQUEST_TIMED_OUT : (outcomes.get(topic.name) ?? ErrorCode.NONE));
  });
}

async function deleteOnce(
  broker: BrokerContext,
  names: ReadonlySet<string | null>,
  admit: Admit,
): Promise<Map<string, number>> {
  const outcomes = new Map<string, number>();
  await Promise.all(
    [...names].map(async (name) => {
      if (name === null) return;
      try {
        await broker.topics.delete(name, admit);
        outcomes.set(name, ErrorCode.NONE);
      } catch (error) {
        outcomes.set(name, asKafkaError(error).code);
      }
    }),
  );
  return outcomes;
}

/** Apache's ZooKeeper brokers say no more than the code, and give back the id that they were given. */
function result({ name, topicId }: Asked, errorCode: number): Result {
  return { name, topicId, errorCode, errorMessage: null };
}
