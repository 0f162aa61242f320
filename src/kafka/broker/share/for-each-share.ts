import type { ShareKey } from '../../coordinator/share/share-key.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { AclOperation } from '../../security/acl.ts';
import type { RequestContext } from '../api-handler.ts';
import { mayOnCluster } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { gather } from '../gather.ts';

interface AskedPartition {
  readonly partition: number;
}

interface AskedTopic<P extends AskedPartition> {
  readonly topicId: string;
  readonly partitions: readonly P[];
}

type ResultTopic<R> = { topicId: string; partitions: (R & { partition: number })[] };

/** Only brokers speak with share coordinators. With an error for each partition, where somebody else does. */
export function refuseShares<N extends object>(
  broker: BrokerContext,
  context: RequestContext,
  { topics }: { readonly topics: readonly AskedTopic<AskedPartition>[] },
  nothing: N,
): ResultTopic<N & { errorCode: number; errorMessage: string }>[] | undefined {
  if (mayOnCluster(broker, context, AclOperation.clusterAction)) return undefined;
  const { code, message } = new KafkaError(ErrorCode.CLUSTER_AUTHORIZATION_FAILED);
  return topics.map(({ topicId, partitions }) => ({
    topicId,
    partitions: partitions.map(({ partition }) => ({ ...nothing, partition, errorCode: code, errorMessage: message })),
  }));
}

/** Asks for each share partition of a request to the share coordinator. One that names no group or no partitions asks for none. */
export function forEachShare<P extends AskedPartition, R extends object>(
  request: { readonly groupId: string; readonly topics: readonly AskedTopic<P>[] },
  ask: (key: ShareKey, asked: P, done: (result: R) => void) => void,
  done: (results: ResultTopic<R>[]) => void,
): void {
  const { groupId, topics } = request;
  if (groupId === '' || topics.some(({ partitions }) => partitions.length === 0)) return done([]);
  gather<AskedTopic<P>, ResultTopic<R>>(
    topics,
    ({ topicId, partitions }, topicDone) =>
      gather<P, R & { partition: number }>(
        partitions,
        (asked, answer) =>
          ask({ groupId, topicId, partition: asked.partition }, asked, (result) =>
            answer({ ...result, partition: asked.partition }),
          ),
        (results) => topicDone({ topicId, partitions: results }),
      ),
    done,
  );
}
