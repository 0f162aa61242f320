import { build } from '../../../wire/schema.ts';
import { partitionSet } from '../../coordinator/transaction/partition-set.ts';
import { AddOffsetsToTxnRequest, AddOffsetsToTxnResponse } from '../../protocol/messages/25-add-offsets-to-txn.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
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
    handle({ groupId, ...producer }, { apiVersion }, responder) {
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
