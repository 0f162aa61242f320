import { noSlices, type Slices } from '../../base/slices.ts';
import { ErrorCode } from '../protocol/errors.ts';
import type { ProduceRequest } from '../protocol/messages/00-produce.ts';
import { type BatchHeader, beginsTransactional, readBatchHeader } from '../records/batch.ts';
import { CorruptBatchError } from '../records/errors.ts';
import { AclOperation } from '../security/acl.ts';
import { everythingAllowed } from '../security/authorizer.ts';
import type { RequestContext } from './api-handler.ts';
import { allowedTopics, everyName, mayOnTransaction, type Names } from './authorization.ts';
import type { BrokerContext } from './broker-context.ts';

type TopicData = ProduceRequest['topicData'][number];
type PartitionData = TopicData['partitionData'][number];

const FIRST_VERSION_OF_BATCHES = 3;
const FIRST_VERSION_WITH_ZSTD = 7;

/** Why a whole request is refused. */
export interface Rejection {
  readonly code: number;
  readonly message: string | null;
}

/**
 * What Apache finds before it looks at any partition alone. Transactional records are looked for first of all
 * (`RequestUtils.hasTransactionalRecords`), until the first: a header that cannot be read before it refuses the whole request. So
 * does, where zstd is looked for, a codec that nobody knows.
 */
export function rejectWhole(
  broker: BrokerContext,
  context: RequestContext,
  request: ProduceRequest,
  writable: Names,
): Rejection | undefined {
  try {
    if (hasTransactional(request.topicData) && !mayUseTransactions(broker, context, request.transactionalId)) {
      return { code: ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, message: null };
    }
  } catch (error) {
    if (error instanceof CorruptBatchError) return { code: ErrorCode.CORRUPT_MESSAGE, message: error.message };
    throw error;
  }
  const { apiVersion: version } = context;
  const looksForZstd = version >= FIRST_VERSION_OF_BATCHES && version < FIRST_VERSION_WITH_ZSTD;
  return looksForZstd && hasUnknownCodec(broker, request, writable)
    ? { code: ErrorCode.UNKNOWN_SERVER_ERROR, message: null }
    : undefined;
}

function mayUseTransactions(broker: BrokerContext, context: RequestContext, transactionalId: string | null): boolean {
  return transactionalId !== null && mayOnTransaction(broker, context, AclOperation.write, transactionalId);
}

/** From version 13 on topics go by id. */
const TOPIC_IDS_FROM = 13;

/** The topics that the client may write to. */
export function writableTopics(broker: BrokerContext, context: RequestContext, topics: readonly TopicData[]): Names {
  // Most brokers have no authorizer, and this is asked with every append.
  if (broker.authorizer === everythingAllowed) return everyName;
  const byId = context.apiVersion >= TOPIC_IDS_FROM;
  const names = topics.flatMap(({ name, topicId }) => (byId ? (broker.metadata.topicName(topicId) ?? []) : name));
  return allowedTopics(broker, context, AclOperation.write, names);
}

function hasTransactional(topics: readonly TopicData[]): boolean {
  for (const { partitionData } of topics) {
    for (const { records } of partitionData) if (records !== null && beginsTransactional(records)) return true;
  }
  return false;
}

function hasUnknownCodec({ metadata }: BrokerContext, { topicData }: ProduceRequest, writable: Names): boolean {
  return topicData.some(({ name, partitionData }) =>
    partitionData.some(({ index, records }) => {
      if (!writable.has(name) || metadata.partition(name, index) === undefined) return false;
      const header = readableHeader(records);
      return header?.magic === 2 && header.codec === undefined;
    }),
  );
}

/** Undefined also for a header that cannot be read: behind a transactional batch it is its partition's own trouble. */
function readableHeader(records: Slices | null): BatchHeader | undefined {
  try {
    return firstHeader(records);
  } catch (error) {
    if (error instanceof CorruptBatchError) return undefined;
    throw error;
  }
}

/** Undefined where there is no whole batch. @throws CorruptBatchError */
function firstHeader(records: Slices | null): BatchHeader | undefined {
  const { size } = records ?? noSlices;
  const header = readBatchHeader(records ?? noSlices);
  return header === undefined || header.sizeInBytes > size ? undefined : header;
}

/** Of records that begin with a transactional batch of a producer; from version 3 on there is no other batch behind it. */
export function transactionalHeader(records: Slices): BatchHeader | undefined {
  const header = readableHeader(records);
  return header?.isTransactional === true && header.producerId >= 0 ? header : undefined;
}

/** Where a partition is named twice the last counts, in the place of the first. */
export function distinctPartitions(topics: readonly TopicData[]): readonly TopicData[] {
  const isPlain =
    areDistinct(topics.map(keyOf)) &&
    topics.every(({ partitionData }) => areDistinct(partitionData.map(({ index }) => index)));
  return isPlain ? topics : merged(topics);
}

const keyOf = ({ name, topicId }: TopicData): string => (name === '' ? topicId : name);

/** So many are compared with each other; more are merged, which changes nothing where none is named twice. */
const COMPARED_MAX = 32;

function areDistinct(keys: readonly (string | number)[]): boolean {
  return keys.length <= COMPARED_MAX && keys.every((key, place) => keys.indexOf(key) === place);
}

function merged(topics: readonly TopicData[]): readonly TopicData[] {
  const known = new Map<string, Map<number, PartitionData>>();
  return topics
    .map((topic) => {
      const key = keyOf(topic);
      const isFirst = !known.has(key);
      const partitions = known.get(key) ?? new Map<number, PartitionData>();
      known.set(key, partitions);
      for (const data of topic.partitionData) partitions.set(data.index, data);
      return { topic, partitions, isFirst };
    })
    .filter(({ isFirst }) => isFirst)
    .map(({ topic, partitions }) => ({ ...topic, partitionData: [...partitions.values()] }));
}
