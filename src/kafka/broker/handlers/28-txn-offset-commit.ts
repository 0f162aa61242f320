import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from '../../protocol/messages/28-txn-offset-commit.ts';
import type { TransactionOperation } from '../../replication/transaction-verifier.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler, type RequestContext } from '../api-handler.ts';
import { mayOnGroup, mayOnTransaction } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { checkCommittedTopics, distinctPartitions, readableTopics } from '../committed-topics.ts';

/** Before, producers did not expect a coordinator that loads (KAFKA-7296). */
const KNOWS_LOADING_FROM = 2;
const KNOWS_ABORTABLE_FROM = 4;
/** From this version on the group's partition is added to the transaction here (KIP-890). */
const ADDS_PARTITIONS_FROM = 5;
/** From this version on topics go by id. */
const TOPIC_IDS_FROM = 6;

/** v3 tells the member that the offsets come from, which must still be in the group (KIP-447). */
export function txnOffsetCommitHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: TxnOffsetCommitRequest,
    response: TxnOffsetCommitResponse,
    versions: '0-6',
    handle(request, context, responder) {
      const { apiVersion } = context;
      const refusal = refusalOf(broker, context, request);
      if (refusal !== ErrorCode.NONE) {
        const topics = request.topics.map((topic) => ({
          ...topic,
          partitions: topic.partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: refusal })),
        }));
        return responder.answer(build(TxnOffsetCommitResponse, { topics }));
      }
      const byId = apiVersion >= TOPIC_IDS_FROM;
      const readable = readableTopics(broker, context, request.topics, byId);
      const asked = distinctPartitions(broker, request.topics, byId, readable);
      const checked = checkCommittedTopics(broker, asked, byId, readable);
      const answer = (errors: readonly (readonly number[])[]): void => {
        const codes = checked.codesWith(errors);
        const topics = asked.map(({ name, topicId, partitions }, topicIndex) => ({
          name,
          topicId,
          partitions: partitions.map(({ partitionIndex }, place) => ({
            partitionIndex,
            errorCode: expected(codes[topicIndex]![place]!, apiVersion),
          })),
        }));
        responder.answer(build(TxnOffsetCommitResponse, { topics }));
      };
      if (checked.topics.length === 0) answer([]);
      else {
        const accepted = { ...request, topics: [...checked.topics] };
        broker.groups.offsets.commitTransactional(accepted, operationOf(apiVersion), answer);
      }
    },
  });
}

function refusalOf(
  broker: BrokerContext,
  context: RequestContext,
  { transactionalId, groupId }: TxnOffsetCommitRequest,
): number {
  if (!mayOnTransaction(broker, context, AclOperation.write, transactionalId)) {
    return ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
  }
  return mayOnGroup(broker, context, AclOperation.read, groupId)
    ? ErrorCode.NONE
    : ErrorCode.GROUP_AUTHORIZATION_FAILED;
}

function operationOf(apiVersion: number): TransactionOperation {
  if (apiVersion >= ADDS_PARTITIONS_FROM) return 'add';
  return apiVersion >= KNOWS_ABORTABLE_FROM ? 'verify-abortable' : 'verify';
}

function expected(errorCode: number, apiVersion: number): number {
  const isUnexpected = apiVersion < KNOWS_LOADING_FROM && errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
  return isUnexpected ? ErrorCode.COORDINATOR_NOT_AVAILABLE : errorCode;
}
