import { build } from '../../../wire/schema.ts';
import { type ElectionOutcome, type ElectionType, electLeaders } from '../../controller/leader-requests.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { ElectLeadersRequest, ElectLeadersResponse } from '../../protocol/messages/43-elect-leaders.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler, type RequestContext } from '../api-handler.ts';
import { mayOnCluster } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { asKafkaError } from '../request-errors.ts';

type TopicResult = ElectLeadersResponse['replicaElectionResults'][number];

interface Row {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

const types: readonly ElectionType[] = ['preferred', 'unclean'];

/**
 * The controller elects, and the answer comes when this broker's own metadata shows the leaders (`DelayedElectLeader`).
 *
 * v0  preferred leaders only
 * v1  unclean elections too, and an error of the whole (KIP-460)
 */
export function electLeadersHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: ElectLeadersRequest,
    response: ElectLeadersResponse,
    versions: '0-2',
    handle(request, context, responder) {
      void elect(broker, request, context)
        .then(({ errorCode, rows }) => {
          const replicaElectionResults = byTopic(rows);
          const whole = context.apiVersion >= 1 ? { errorCode } : {};
          responder.answer(build(ElectLeadersResponse, { ...whole, replicaElectionResults }));
        })
        .catch((error: unknown) => responder.close(String(error)));
    },
  });
}

async function elect(
  broker: BrokerContext,
  request: ElectLeadersRequest,
  context: RequestContext,
): Promise<{ errorCode: number; rows: readonly Row[] }> {
  if (!mayOnCluster(broker, context, AclOperation.alter)) {
    const errorCode = ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
    const named = request.topicPartitions === null ? [] : partitionsOf(broker, request);
    return { errorCode, rows: named.map((item) => ({ ...item, errorCode, errorMessage: null })) };
  }
  const asked = partitionsOf(broker, request);
  const refuseAll = (errorCode: number): Row[] => asked.map((item) => ({ ...item, errorCode, errorMessage: null }));
  const type = types[request.electionType];
  if (type === undefined) {
    const errorCode = ErrorCode.UNKNOWN_SERVER_ERROR;
    return { errorCode, rows: refuseAll(errorCode) };
  }
  try {
    const outcomes = await broker.controller.request('leader election', (reign) => electLeaders(reign, asked, type));
    const rows = await waitForLeaders(broker, outcomes, request.timeoutMs);
    // Whoever asks for all partitions wants to hear of those that changed or could not.
    const told = rows.filter(
      ({ errorCode }) => request.topicPartitions !== null || errorCode !== ErrorCode.ELECTION_NOT_NEEDED,
    );
    return { errorCode: ErrorCode.NONE, rows: told };
  } catch (error) {
    return { errorCode: ErrorCode.NONE, rows: refuseAll(asKafkaError(error).code) };
  }
}

function partitionsOf(
  broker: BrokerContext,
  { topicPartitions }: ElectLeadersRequest,
): { topic: string; partition: number }[] {
  if (topicPartitions === null) {
    return [...broker.metadata.topics()].flatMap(({ name, partitions }) =>
      [...partitions.keys()].map((partition) => ({ topic: name, partition })),
    );
  }
  const distinct = new Map<string, { topic: string; partition: number }>();
  for (const { topic, partitions } of topicPartitions) {
    for (const partition of partitions) distinct.set(`${topic}-${partition}`, { topic, partition });
  }
  return [...distinct.values()];
}

function waitForLeaders(
  broker: BrokerContext,
  outcomes: readonly ElectionOutcome[],
  timeoutMs: number,
): Promise<Row[]> {
  const isSeen = ({ topic, partition, result }: ElectionOutcome): boolean =>
    result instanceof KafkaError || broker.metadata.partition(topic, partition)?.leader === result;
  const rows = (): Row[] =>
    outcomes.map(({ topic, partition, result }) => {
      if (result instanceof KafkaError) {
        return { topic, partition, errorCode: result.code, errorMessage: result.message };
      }
      const errorCode = isSeen({ topic, partition, result }) ? ErrorCode.NONE : ErrorCode.REQUEST_TIMED_OUT;
      return { topic, partition, errorCode, errorMessage: null };
    });
  return new Promise((resolve) => {
    broker.topicPurgatory.watch(
      {
        tryComplete() {
          if (!outcomes.every(isSeen)) return false;
          resolve(rows());
          return true;
        },
        expire: () => resolve(rows()),
      },
      outcomes.map(({ topic }) => topic),
      timeoutMs,
    );
  });
}

function byTopic(rows: readonly Row[]): TopicResult[] {
  const topics = new Map<string, TopicResult>();
  for (const { topic, partition, errorCode, errorMessage } of rows) {
    let result = topics.get(topic);
    if (result === undefined) {
      result = { topic, partitionResult: [] };
      topics.set(topic, result);
    }
    result.partitionResult.push({ partitionId: partition, errorCode, errorMessage });
  }
  return [...topics.values()];
}
