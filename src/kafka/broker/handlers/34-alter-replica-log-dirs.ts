import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  AlterReplicaLogDirsRequest,
  AlterReplicaLogDirsResponse,
} from '../../protocol/messages/34-alter-replica-log-dirs.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnCluster } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';

type Result = AlterReplicaLogDirsResponse['results'][number];

interface Wish {
  readonly topic: string;
  readonly partition: number;
  readonly path: string;
}

/**
 * Begins to move replicas of this broker to other log dirs (KIP-113); they are not waited for. v2 is flexible. Apache dropped v0 in
 * 4.0, which differs from v1 in nothing but quotas.
 */
export function alterReplicaLogDirsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: AlterReplicaLogDirsRequest,
    response: AlterReplicaLogDirsResponse,
    versions: '0-2',
    handle(request, context, responder) {
      if (!mayOnCluster(broker, context, AclOperation.alter)) {
        const results = request.dirs.flatMap(({ topics }) => topics.map(refused));
        return responder.answer(build(AlterReplicaLogDirsResponse, { results }));
      }
      const moved = wishes(request).map(async ({ topic, partition, path }) => ({
        topic,
        partitionIndex: partition,
        errorCode: await broker.logDirMoves.move({ topic, partition }, path),
      }));
      void Promise.all(moved)
        .then((outcomes) => {
          const byTopic = new Map<string, Result['partitions']>();
          for (const { topic, partitionIndex, errorCode } of outcomes) {
            byTopic.set(topic, [...(byTopic.get(topic) ?? []), { partitionIndex, errorCode }]);
          }
          const results = [...byTopic].map(([topicName, partitions]) => ({ topicName, partitions }));
          responder.answer(build(AlterReplicaLogDirsResponse, { results }));
        })
        .catch((error: unknown) => responder.close(String(error)));
    },
  });
}

function refused({ name, partitions }: AlterReplicaLogDirsRequest['dirs'][number]['topics'][number]): Result {
  const errorCode = ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
  return { topicName: name, partitions: partitions.map((partitionIndex) => ({ partitionIndex, errorCode })) };
}

/** A partition that is named for several directories goes to the last. */
function wishes({ dirs }: AlterReplicaLogDirsRequest): Wish[] {
  const found = new Map<string, Wish>();
  for (const { path, topics } of dirs) {
    for (const { name, partitions } of topics) {
      for (const partition of partitions) found.set(`${name}-${partition}`, { topic: name, partition, path });
    }
  }
  return [...found.values()];
}
