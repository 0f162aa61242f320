import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { DescribeLogDirsRequest, DescribeLogDirsResponse } from '../../protocol/messages/35-describe-log-dirs.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnCluster } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { describeLogDir } from '../log-dir-description.ts';

/**
 * What the log dirs of this broker hold (KIP-113). v2 is flexible; v3 has an error of its own for the whole request; v4 tells the
 * bytes of the file system (KIP-827); v5 whether new replicas are kept away from a directory, which they never are here.
 */
export function describeLogDirsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: DescribeLogDirsRequest,
    response: DescribeLogDirsResponse,
    versions: '0-5',
    handle(request, context, responder) {
      if (!mayOnCluster(broker, context, AclOperation.describe)) {
        const refusal = { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED };
        return responder.answer(build(DescribeLogDirsResponse, refusal));
      }
      const asked = askedFor(request);
      const { disk } = broker.runtime;
      const results = broker.logs.directories.map((directory) =>
        describeLogDir(directory, { disk, replicas: broker.replicas, isAsked: asked }),
      );
      responder.answer(build(DescribeLogDirsResponse, { errorCode: ErrorCode.NONE, results }));
    },
  });
}

/** Null asks for all partitions, an empty list for none. */
function askedFor({ topics }: DescribeLogDirsRequest): (topic: string, partition: number) => boolean {
  if (topics === null) return () => true;
  const asked = new Map<string, Set<number>>();
  for (const { topic, partitions } of topics) {
    asked.set(topic, new Set([...(asked.get(topic) ?? []), ...partitions]));
  }
  return (topic, partition) => asked.get(topic)?.has(partition) === true;
}
