import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { OffsetCommitRequest, OffsetCommitResponse } from '../../protocol/messages/08-offset-commit.ts';
import { AclOperation } from '../../security/acl.ts';
import { LegacyOffsets } from '../../zk/legacy-offsets.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnGroup } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { checkCommittedTopics, distinctPartitions, mergedTopics, readableTopics } from '../committed-topics.ts';
import { asKafkaError } from '../request-errors.ts';

type Topic = OffsetCommitRequest['topics'][number];
type Partition = Topic['partitions'][number];

/** From this version on topics go by id. */
const TOPIC_IDS_FROM = 10;

/** v0 stores in ZooKeeper, where consumers of 0.8 look, and answers for a partition as often as it is named. */
export function offsetCommitHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: OffsetCommitRequest,
    response: OffsetCommitResponse,
    versions: '0-10',
    handle(request, context, responder) {
      const { apiVersion } = context;
      if (!mayOnGroup(broker, context, AclOperation.read, request.groupId)) {
        const codes = request.topics.map(({ partitions }) =>
          partitions.map((): number => ErrorCode.GROUP_AUTHORIZATION_FAILED),
        );
        return responder.answer(build(OffsetCommitResponse, { topics: describe(request.topics, codes) }));
      }
      const byId = apiVersion >= TOPIC_IDS_FROM;
      const readable = readableTopics(broker, context, request.topics, byId);
      const asked =
        apiVersion === 0
          ? mergedTopics(request.topics, byId)
          : distinctPartitions(broker, request.topics, byId, readable);
      const checked = checkCommittedTopics(broker, asked, byId, readable);
      const topics = [...checked.topics];
      const answer = (errors: readonly (readonly number[])[]): void => {
        responder.answer(build(OffsetCommitResponse, { topics: describe(asked, checked.codesWith(errors)) }));
      };
      if (topics.length === 0) answer([]);
      else if (apiVersion > 0) broker.groups.offsets.commit({ ...request, topics }, answer, apiVersion);
      else {
        void commitToZookeeper(broker, request.groupId, topics)
          .then(answer)
          .catch((error: unknown) => responder.close(String(error)));
      }
    },
  });
}

function describe(topics: readonly Topic[], codes: readonly (readonly number[])[]): OffsetCommitResponse['topics'] {
  return topics.map(({ name, topicId, partitions }, topicIndex) => ({
    name,
    topicId,
    partitions: partitions.map(({ partitionIndex }, place) => ({
      partitionIndex,
      errorCode: codes[topicIndex]![place]!,
    })),
  }));
}

function commitToZookeeper(broker: BrokerContext, group: string, topics: readonly Topic[]): Promise<number[][]> {
  const offsets = new LegacyOffsets(broker.zk.client);
  const metadataLengthMax = broker.config.number('offset.metadata.max.bytes');
  const commit = async (topic: string, partition: Partition): Promise<number> => {
    const { partitionIndex, committedOffset, committedMetadata } = partition;
    if ((committedMetadata ?? '').length > metadataLengthMax) return ErrorCode.OFFSET_METADATA_TOO_LARGE;
    if (!Number.isSafeInteger(committedOffset)) return ErrorCode.INVALID_COMMIT_OFFSET_SIZE;
    try {
      await offsets.put(group, topic, partitionIndex, committedOffset);
      return ErrorCode.NONE;
    } catch (error) {
      return asKafkaError(error).code;
    }
  };
  return Promise.all(
    topics.map(({ name, partitions }) => Promise.all(partitions.map((partition) => commit(name, partition)))),
  );
}
