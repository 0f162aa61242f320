import { build } from '../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { DeleteRecordsRequest, DeleteRecordsResponse } from '../../protocol/messages/21-delete-records.ts';
import type { Partition } from '../../replication/partition.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { allowedTopics, type Names } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { gather } from '../gather.ts';
import { replicaHere } from '../led-partitions.ts';
import { isInternal } from '../topic-names.ts';

type Result = DeleteRecordsResponse['topics'][number]['partitions'][number];

/** The offset that stands for the high watermark. */
const HIGH_WATERMARK = -1;
const NO_LOW_WATERMARK = -1;

interface Deletion {
  readonly topic: string;
  readonly partitionIndex: number;
  readonly offset: number;
}

/** Moves the beginning of logs, and answers when every live replica has moved its own (KIP-107). */
export function deleteRecordsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: DeleteRecordsRequest,
    response: DeleteRecordsResponse,
    versions: '0-2',
    handle(request, context, responder) {
      const names = request.topics.map(({ name }) => name);
      const allowed = allowedTopics(broker, context, AclOperation.delete, names);
      const deletions = new Map<string, Deletion>();
      for (const { name: topic, partitions } of request.topics) {
        for (const { partitionIndex, offset } of partitions) {
          deletions.set(`${topic}-${partitionIndex}`, { topic, partitionIndex, offset });
        }
      }
      const asked = [...deletions.values()];
      gather<Deletion, Result>(
        asked,
        (deletion, done) => deleteRecords({ ...deletion, broker, allowed, timeoutMs: request.timeoutMs, done }),
        (results) => responder.answer(build(DeleteRecordsResponse, { topics: byTopic(asked, results) })),
      );
    },
  });
}

function byTopic(asked: readonly Deletion[], results: readonly Result[]): DeleteRecordsResponse['topics'] {
  const topics = new Map<string, Result[]>();
  results.forEach((result, index) => {
    const topic = asked[index]?.topic ?? '';
    topics.set(topic, [...(topics.get(topic) ?? []), result]);
  });
  return [...topics].map(([name, partitions]) => ({ name, partitions }));
}

interface DeletionUnderWay extends Deletion {
  readonly broker: BrokerContext;
  readonly allowed: Names;
  readonly timeoutMs: number;
  readonly done: (result: Result) => void;
}

function deleteRecords({ broker, allowed, topic, partitionIndex, offset, timeoutMs, done }: DeletionUnderWay): void {
  const finish = (errorCode: number, lowWatermark: number): void => done({ partitionIndex, lowWatermark, errorCode });
  try {
    if (!allowed.has(topic)) throw new KafkaError(ErrorCode.TOPIC_AUTHORIZATION_FAILED);
    if (broker.metadata.partition(topic, partitionIndex) === undefined) {
      throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }
    if (isInternal(topic)) throw new KafkaError(ErrorCode.INVALID_TOPIC_EXCEPTION);
    const partition = replicaHere(broker, topic, partitionIndex);
    const wanted = moveStart(partition, offset);
    const lowWatermark = (): number => lowWatermarkOf(broker, partition);
    broker.fetchPurgatory.watch(
      {
        tryComplete() {
          const reached = partition.isLeader && lowWatermark() >= wanted;
          if (reached) finish(ErrorCode.NONE, lowWatermark());
          return reached;
        },
        expire: () => finish(ErrorCode.REQUEST_TIMED_OUT, lowWatermark()),
      },
      [partition],
      timeoutMs,
    );
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    finish(error.code, NO_LOW_WATERMARK);
  }
}

/** Answers the offset that the log begins with from now on. @throws KafkaError */
function moveStart(partition: Partition, offset: number): number {
  const log = partition.leaderLog();
  // A compacted topic's records are not deleted by their age.
  if (!log.config.delete) throw new KafkaError(ErrorCode.POLICY_VIOLATION);
  const wanted = offset === HIGH_WATERMARK ? log.highWatermark : offset;
  if (wanted < 0) throw new KafkaError(ErrorCode.OFFSET_OUT_OF_RANGE);
  log.deleteRecords(wanted);
  return wanted;
}

/** Where the log of every live replica begins at the earliest. Of other brokers' replicas nothing is known: they do not fetch. */
function lowWatermarkOf({ id, metadata }: BrokerContext, { topic, index, log }: Partition): number {
  const replicas = metadata.partition(topic, index)?.replicas ?? [];
  const hasOthers = replicas.some((replica) => replica !== id && metadata.brokers.has(replica));
  return hasOthers ? NO_LOW_WATERMARK : (log?.logStartOffset ?? NO_LOW_WATERMARK);
}
