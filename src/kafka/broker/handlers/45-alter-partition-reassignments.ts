import { build } from '../../../wire/schema.ts';
import type { TopicPartition } from '../../controller/controller-context.ts';
import type { Reign } from '../../controller/reign.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '../../protocol/messages/45-alter-partition-reassignments.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { clusterRefusal, mayOnCluster } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { asKafkaError } from '../request-errors.ts';

type TopicResult = AlterPartitionReassignmentsResponse['responses'][number];
type PartitionResult = TopicResult['partitions'][number];

/**
 * Starts and cancels moves of partitions (KIP-455).
 *
 * v1  may refuse to change how many replicas there are (KIP-860)
 */
export function alterPartitionReassignmentsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: AlterPartitionReassignmentsRequest,
    response: AlterPartitionReassignmentsResponse,
    versions: '0-1',
    handle(request, context, responder) {
      if (!mayOnCluster(broker, context, AclOperation.alter)) {
        return responder.answer(refusal(request, clusterRefusal(context)));
      }
      broker.controller
        .request('reassignment', (reign) => alterAll(reign, request))
        .then(
          (responses) =>
            responder.answer(
              build(AlterPartitionReassignmentsResponse, {
                responses,
                allowReplicationFactorChange: request.allowReplicationFactorChange,
              }),
            ),
          (error: unknown) => {
            const { code, message } = asKafkaError(error);
            responder.answer(build(AlterPartitionReassignmentsResponse, { errorCode: code, errorMessage: message }));
          },
        );
    },
  });
}

/** Every partition is refused as well as the whole. */
function refusal(
  { topics }: AlterPartitionReassignmentsRequest,
  { code, message }: KafkaError,
): AlterPartitionReassignmentsResponse {
  const error = { errorCode: code, errorMessage: message };
  const responses = topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, ...error })),
  }));
  return build(AlterPartitionReassignmentsResponse, { ...error, responses });
}

/** A partition that is named twice goes where it is sent last. */
async function alterAll(reign: Reign, request: AlterPartitionReassignmentsRequest): Promise<TopicResult[]> {
  const asked = new Map<string, Map<number, readonly number[] | null>>();
  for (const { name, partitions } of request.topics) {
    const targets = asked.get(name) ?? new Map<number, readonly number[] | null>();
    asked.set(name, targets);
    for (const { partitionIndex, replicas } of partitions) targets.set(partitionIndex, replicas);
  }
  const responses: TopicResult[] = [];
  for (const [name, targets] of asked) {
    const partitions: PartitionResult[] = [];
    for (const [partitionIndex, replicas] of targets) {
      const item = { topic: name, partition: partitionIndex };
      const error = await ask(reign, item, replicas, !request.allowReplicationFactorChange);
      const { code = ErrorCode.NONE, message = null } = error ?? {};
      partitions.push({ partitionIndex, errorCode: code, errorMessage: message });
    }
    responses.push({ name, partitions });
  }
  return responses;
}

async function ask(
  { reassignments }: Reign,
  item: TopicPartition,
  replicas: readonly number[] | null,
  keepFactor: boolean,
): Promise<KafkaError | undefined> {
  try {
    await reassignments.ask(item, replicas, keepFactor);
    return undefined;
  } catch (error) {
    if (error instanceof KafkaError) return error;
    throw error;
  }
}
