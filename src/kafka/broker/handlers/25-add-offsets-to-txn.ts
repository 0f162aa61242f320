import { build } from '../../../wire/schema.ts';
import { partitionSet } from '../../coordinator/transaction/partition-set.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { AddOffsetsToTxnRequest, AddOffsetsToTxnResponse } from '../../protocol/messages/25-add-offsets-to-txn.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnGroup, mayOnTransaction } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { asOldClientsKnow } from '../request-errors.ts';
import { OFFSETS_TOPIC } from '../topic-names.ts';

const PRODUCER_FENCED_FROM = 2;

/** A transaction will commit offsets of a group: the group's partition of `__consumer_offsets` becomes part of it. */
export function addOffsetsToTxnHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: AddOffsetsToTxnRequest,
    response: AddOffsetsToTxnResponse,
    versions: '0-4',
    handle({ groupId, ...producer }, context, responder) {
      const refuse = (errorCode: number): void => responder.answer(build(AddOffsetsToTxnResponse, { errorCode }));
      if (!mayOnTransaction(broker, context, AclOperation.write, producer.transactionalId)) {
        return refuse(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
      }
      if (!mayOnGroup(broker, context, AclOperation.read, groupId)) {
        return refuse(ErrorCode.GROUP_AUTHORIZATION_FAILED);
      }
      const { apiVersion } = context;
      const partition = broker.groups.partitionFor(groupId);
      const partitions = partitionSet([{ topic: OFFSETS_TOPIC, partitions: [partition] }]);
      broker.transactions.addPartitions({ ...producer, partitions }, 0, (errorCode) =>
        responder.answer(
          build(AddOffsetsToTxnResponse, { errorCode: asOldClientsKnow(errorCode, apiVersion, PRODUCER_FENCED_FROM) }),
        ),
      );
    },
  });
}
