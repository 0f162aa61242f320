import { build } from '../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { CreatePartitionsRequest, CreatePartitionsResponse } from '../../protocol/messages/37-create-partitions.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler, type RequestContext } from '../api-handler.ts';
import { allowedTopics } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { asKafkaError } from '../request-errors.ts';
import type { Admit } from '../topic-admin.ts';
import { hasLeaders, waitForTopics } from '../topic-waiting.ts';

type Result = CreatePartitionsResponse['results'][number];

export function createPartitionsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: CreatePartitionsRequest,
    response: CreatePartitionsResponse,
    versions: '0-3',
    handle(request, context, responder) {
      const quota = broker.quotas.mutations(context, 3);
      void growAll(broker, request, context, quota.record)
        .then((results) => {
          responder.answer(build(CreatePartitionsResponse, { results, throttleTimeMs: quota.throttleMs() }));
        })
        .catch((error: unknown) => responder.close(String(error)));
    },
  });
}

async function growAll(
  broker: BrokerContext,
  request: CreatePartitionsRequest,
  context: RequestContext,
  admit: Admit,
): Promise<Result[]> {
  const names = request.topics.map(({ name }) => name);
  if (!broker.controller.isActive) return names.map((name) => result(name, ErrorCode.NOT_CONTROLLER));
  const isRepeated = (name: string): boolean => names.indexOf(name) !== names.lastIndexOf(name);
  const allowed = allowedTopics(
    broker,
    context,
    AclOperation.alter,
    names.filter((name) => !isRepeated(name)),
  );
  const once = [...new Map(request.topics.map((topic) => [topic.name, topic])).values()];
  const results = await Promise.all(
    once.map(async ({ name, count, assignments }) => {
      try {
        if (isRepeated(name)) throw new KafkaError(ErrorCode.INVALID_REQUEST, 'Duplicate topic in request.');
        if (!allowed.has(name)) {
          throw new KafkaError(ErrorCode.TOPIC_AUTHORIZATION_FAILED, 'The topic authorization is failed.');
        }
        const replicas = assignments?.map(({ brokerIds }) => brokerIds) ?? null;
        await broker.topics.grow(name, count, replicas, request.validateOnly, admit);
        return result(name, ErrorCode.NONE);
      } catch (error) {
        const { code, message } = asKafkaError(error);
        return result(name, code, code === ErrorCode.THROTTLING_QUOTA_EXCEEDED ? null : message);
      }
    }),
  );
  if (request.validateOnly) return results;
  const counts = new Map(request.topics.map(({ name, count }) => [name, count]));
  const late = await waitForTopics(broker, {
    topics: results.flatMap(({ name, errorCode }) => (errorCode === ErrorCode.NONE ? [name] : [])),
    isDone: (name) => hasLeaders(broker.metadata, name, counts.get(name) ?? 0),
    timeoutMs: request.timeoutMs,
  });
  return results.map((one) => (late.includes(one.name) ? result(one.name, ErrorCode.REQUEST_TIMED_OUT) : one));
}

function result(name: string, errorCode: number, errorMessage: string | null = null): Result {
  return { name, errorCode, errorMessage };
}
