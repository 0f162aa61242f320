/** Every schema of src/kafka/protocol. */
import { apis } from '../../../src/kafka/protocol/apis.ts';
import { RequestHeader, ResponseHeader } from '../../../src/kafka/protocol/headers.ts';
import * as consumerGroup from '../../../src/kafka/protocol/records/consumer-group.ts';
import * as consumerProtocol from '../../../src/kafka/protocol/records/consumer-protocol.ts';
import * as controlRecords from '../../../src/kafka/protocol/records/control-records.ts';
import * as defaultPrincipal from '../../../src/kafka/protocol/records/default-principal.ts';
import * as groupMetadata from '../../../src/kafka/protocol/records/group-metadata.ts';
import * as logFiles from '../../../src/kafka/protocol/records/log-files.ts';
import * as offsetCommit from '../../../src/kafka/protocol/records/offset-commit.ts';
import * as remoteLog from '../../../src/kafka/protocol/records/remote-log.ts';
import * as shareGroup from '../../../src/kafka/protocol/records/share-group.ts';
import * as shareState from '../../../src/kafka/protocol/records/share-state.ts';
import * as streamsGroup from '../../../src/kafka/protocol/records/streams-group.ts';
import * as transactionLog from '../../../src/kafka/protocol/records/transaction-log.ts';
import type { Fields, Message } from '../../../src/wire/schema.ts';
import { bounds } from '../../../src/wire/versions.ts';

const recordModules: readonly Readonly<Record<string, Message<Fields>>>[] = [
  consumerGroup,
  consumerProtocol,
  controlRecords,
  defaultPrincipal,
  groupMetadata,
  logFiles,
  offsetCommit,
  remoteLog,
  shareGroup,
  shareState,
  streamsGroup,
  transactionLog,
];

export const requestSchemas: readonly Message<Fields>[] = [...apis.values()].flatMap(({ request, response }) => [
  request,
  response,
]);
export const recordSchemas: readonly Message<Fields>[] = recordModules.flatMap((module) => Object.values(module));
export const schemas: readonly Message<Fields>[] = [RequestHeader, ResponseHeader, ...requestSchemas, ...recordSchemas];

export function versionsOf(schema: Message<Fields>): number[] {
  const [first, last] = bounds(schema.versions);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
