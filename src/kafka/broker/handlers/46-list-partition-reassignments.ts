import { build } from '../../../wire/schema.ts';
import type { ControllerContext, TopicPartition } from '../../controller/controller-context.ts';
import { isBeingReassigned } from '../../controller/reassignment-plan.ts';
import {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from '../../protocol/messages/46-list-partition-reassignments.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { clusterRefusal, mayOnCluster } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { asKafkaError } from '../request-errors.ts';

type Topic = ListPartitionReassignmentsResponse['topics'][number];

/** The moves that are under way, of all partitions or of those asked for; what does not move is left out. */
export function listPartitionReassignmentsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: ListPartitionReassignmentsRequest,
    response: ListPartitionReassignmentsResponse,
    versions: '0',
    handle(request, context, responder) {
      if (!mayOnCluster(broker, context, AclOperation.describe)) {
        const { code, message } = clusterRefusal(context);
        const topics = (request.topics ?? []).map(unmoved);
        const refusal = { errorCode: code, errorMessage: message, topics };
        return responder.answer(build(ListPartitionReassignmentsResponse, refusal));
      }
      broker.controller
        .request('reassignments listed', ({ context }) => Promise.resolve(list(context, request)))
        .then(
          (topics) => responder.answer(build(ListPartitionReassignmentsResponse, { topics })),
          (error: unknown) => {
            const { code, message } = asKafkaError(error);
            responder.answer(build(ListPartitionReassignmentsResponse, { errorCode: code, errorMessage: message }));
          },
        );
    },
  });
}

/** A refusal names what was asked for. */
function unmoved({ name, partitionIndexes }: NonNullable<ListPartitionReassignmentsRequest['topics']>[number]): Topic {
  const none = { replicas: [], addingReplicas: [], removingReplicas: [] };
  return { name, partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, ...none })) };
}

function list(context: ControllerContext, { topics }: ListPartitionReassignmentsRequest): Topic[] {
  const asked: Iterable<TopicPartition> =
    topics === null
      ? context.partitions()
      : topics.flatMap(({ name, partitionIndexes }) =>
          [...new Set(partitionIndexes)].map((partition) => ({ topic: name, partition })),
        );
  const moving = new Map<string, Topic>();
  for (const { topic, partition } of asked) {
    const assignment = context.assignment(topic, partition);
    if (assignment === undefined || !isBeingReassigned(assignment)) continue;
    const found = moving.get(topic) ?? { name: topic, partitions: [] };
    moving.set(topic, found);
    found.partitions.push({
      partitionIndex: partition,
      replicas: [...assignment.replicas],
      addingReplicas: [...assignment.addingReplicas],
      removingReplicas: [...assignment.removingReplicas],
    });
  }
  return [...moving.values()];
}
