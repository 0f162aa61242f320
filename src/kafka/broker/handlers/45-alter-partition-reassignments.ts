import { build } from '../../../wire/schema.ts';
import type { Reign } from '../../controller/reign.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '../../protocol/messages/45-alter-partition-reassignments.ts';
import { ControllerMovedError } from '../../zk/controller-election.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
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
    handle(request, _context, responder) {
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

async function alterAll(reign: Reign, request: AlterPartitionReassignmentsRequest): Promise<TopicResult[]> {
  const topics = new Map<string, Map<number, PartitionResult>>();
  for (const { name, partitions } of request.topics) {
    const results = topics.get(name) ?? new Map<number, PartitionResult>();
    topics.set(name, results);
    for (const { partitionIndex, replicas } of partitions) {
      const error = await ask(reign, { topic: name, partition: partitionIndex }, replicas, request);
      results.set(partitionIndex, {
        partitionIndex,
        errorCode: error?.code ?? ErrorCode.NONE,
        errorMessage: error?.message ?? null,
      });
    }
  }
  return [...topics].map(([name, results]) => ({ name, partitions: [...results.values()] }));
}

async function ask(
  { reassignments }: Reign,
  item: { topic: string; partition: number },
  replicas: readonly number[] | null,
  { allowReplicationFactorChange }: AlterPartitionReassignmentsRequest,
): Promise<KafkaError | undefined> {
  try {
    await reassignments.ask(item, replicas, !allowReplicationFactorChange);
    return undefined;
  } catch (error) {
    if (error instanceof ControllerMovedError) throw error;
    if (error instanceof KafkaError) return error;
    throw error;
  }
}
