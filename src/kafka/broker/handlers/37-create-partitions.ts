import { build } from '../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { CreatePartitionsRequest, CreatePartitionsResponse } from '../../protocol/messages/37-create-partitions.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
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
      void growAll(broker, request, quota.record)
        .then((results) => {
          responder.answer(build(CreatePartitionsResponse, { results, throttleTimeMs: quota.throttleMs() }));
        })
        .catch((error: unknown) => responder.close(String(error)));
    },
  });
}

async function growAll(broker: BrokerContext, request: CreatePartitionsRequest, admit: Admit): Promise<Result[]> {
  const names = request.topics.map(({ name }) => name);
  const results = await Promise.all(
    request.topics.map(async ({ name, count, assignments }) => {
      try {
        if (!broker.controller.isActive) throw new KafkaError(ErrorCode.NOT_CONTROLLER);
        if (names.indexOf(name) !== names.lastIndexOf(name)) {
          throw new KafkaError(ErrorCode.INVALID_REQUEST, 'Duplicate topic in request.');
        }
        const replicas = assignments?.map(({ brokerIds }) => brokerIds) ?? null;
        await broker.topics.grow(name, count, replicas, request.validateOnly, admit);
        return result(name, undefined);
      } catch (error) {
        return result(name, asKafkaError(error));
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
  return results.map((one) =>
    late.includes(one.name) ? result(one.name, new KafkaError(ErrorCode.REQUEST_TIMED_OUT)) : one,
  );
}

function result(name: string, error: KafkaError | undefined): Result {
  return {
    name,
    errorCode: error?.code ?? ErrorCode.NONE,
    errorMessage: error === undefined || error.code === ErrorCode.THROTTLING_QUOTA_EXCEEDED ? null : error.message,
  };
}
