import { build, ZERO_UUID } from '../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/19-create-topics.ts';
import { AclOperation } from '../../security/acl.ts';
import { filtered } from '../../security/authorizer.ts';
import { type ApiHandler, apiHandler, type RequestContext } from '../api-handler.ts';
import { allowedTopics, everyName, mayOnCluster, type Names } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { describeTopicValues } from '../config/describe-config.ts';
import { asKafkaError } from '../request-errors.ts';
import type { Admit, CreatedTopic, NewTopic } from '../topic-admin.ts';
import { CLUSTER_METADATA_TOPIC } from '../topic-names.ts';
import { hasLeaders, waitForTopics } from '../topic-waiting.ts';

type Asked = CreateTopicsRequest['topics'][number];
type Result = CreateTopicsResponse['topics'][number];

/** Only the controller creates topics on request; it writes their znodes and waits until its own cache shows leaders. */
export function createTopicsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: CreateTopicsRequest,
    response: CreateTopicsResponse,
    versions: '0-7',
    handle(request, context, responder) {
      const quota = broker.quotas.mutations(context, 6);
      void createAll(broker, request, context, quota.record)
        .then((topics) => {
          responder.answer(build(CreateTopicsResponse, { topics, throttleTimeMs: quota.throttleMs() }));
        })
        .catch((error: unknown) => responder.close(String(error)));
    },
  });
}

async function createAll(
  broker: BrokerContext,
  request: CreateTopicsRequest,
  context: RequestContext,
  admit: Admit,
): Promise<Result[]> {
  if (!broker.controller.isActive) {
    return request.topics.map(({ name }) => refused(name, ErrorCode.NOT_CONTROLLER));
  }
  const names = request.topics.map(({ name }) => name);
  const rights = rightsTo(broker, context, names);
  const results = new Map<string, Result>();
  const created = new Map<string, CreatedTopic>();
  for (const topic of request.topics) {
    try {
      const refusal = refusalOf(topic.name, names, rights);
      if (refusal !== undefined) {
        results.set(topic.name, { ...failed(topic.name, refusal), ...configErrorOf(topic.name, rights) });
        continue;
      }
      const made = await broker.topics.create(newTopic(topic), request.validateOnly, admit);
      created.set(topic.name, made);
      const shown = succeeded(broker, topic, made, request.validateOnly);
      const isShown = rights.describable.has(topic.name);
      results.set(topic.name, isShown ? shown : { ...unseen(topic.name), ...configErrorOf(topic.name, rights) });
    } catch (error) {
      results.set(topic.name, failed(topic.name, asKafkaError(error)));
    }
  }
  if (!request.validateOnly) await waitForLeaders(broker, created, request.timeoutMs, results);
  return names.map((name) => results.get(name) as Result);
}

interface Rights {
  readonly creatable: Names;
  /** With their configuration. */
  readonly describable: Names;
}

/** The right to create any topic will do, or that to create each. */
function rightsTo(broker: BrokerContext, context: RequestContext, all: readonly string[]): Rights {
  const names = new Set(all.filter((name) => name !== CLUSTER_METADATA_TOPIC));
  const mayAll = mayOnCluster(broker, context, AclOperation.create, filtered);
  const creatable = mayAll ? everyName : allowedTopics(broker, context, AclOperation.create, names);
  const describable = allowedTopics(broker, context, AclOperation.describeConfigs, names, filtered);
  return { creatable, describable };
}

function refusalOf(name: string, names: readonly string[], { creatable }: Rights): KafkaError | undefined {
  if (name === CLUSTER_METADATA_TOPIC) {
    return new KafkaError(ErrorCode.INVALID_REQUEST, `Creation of internal topic ${name} is prohibited.`);
  }
  if (names.indexOf(name) !== names.lastIndexOf(name)) {
    return new KafkaError(ErrorCode.INVALID_REQUEST, 'Found multiple entries for this topic.');
  }
  return creatable.has(name)
    ? undefined
    : new KafkaError(ErrorCode.TOPIC_AUTHORIZATION_FAILED, 'Authorization failed.');
}

/** Why there is no configuration in the answer. */
function configErrorOf(name: string, { describable }: Rights): { readonly topicConfigErrorCode: number } {
  const isTold = name === CLUSTER_METADATA_TOPIC || describable.has(name);
  return { topicConfigErrorCode: isTold ? ErrorCode.NONE : ErrorCode.TOPIC_AUTHORIZATION_FAILED };
}

/** Created, and no more is told. */
const unseen = (name: string): Result => refused(name, ErrorCode.NONE);

/** The topic exists although its leaders are not seen in time: REQUEST_TIMED_OUT says so. */
async function waitForLeaders(
  broker: BrokerContext,
  created: ReadonlyMap<string, CreatedTopic>,
  timeoutMs: number,
  results: Map<string, Result>,
): Promise<void> {
  const late = await waitForTopics(broker, {
    topics: [...created.keys()],
    isDone: (name) => hasLeaders(broker.metadata, name, created.get(name)?.partitionCount ?? 0),
    timeoutMs,
  });
  for (const name of late) {
    const topicId = created.get(name)?.topicId ?? ZERO_UUID;
    results.set(name, { ...refused(name, ErrorCode.REQUEST_TIMED_OUT), topicId });
  }
}

function newTopic(asked: Asked): NewTopic {
  const missing = asked.configs.filter(({ value }) => value === null).map(({ name }) => name);
  if (missing.length > 0) {
    throw new KafkaError(ErrorCode.INVALID_CONFIG, `Null value not supported for topic configs: ${missing.join(',')}`);
  }
  return {
    name: asked.name,
    partitionCount: asked.numPartitions,
    replicationFactor: asked.replicationFactor,
    ...(asked.assignments.length === 0
      ? {}
      : { assignment: new Map(asked.assignments.map(({ partitionIndex, brokerIds }) => [partitionIndex, brokerIds])) }),
    config: new Map(asked.configs.map(({ name, value }) => [name, value ?? ''])),
  };
}

function succeeded(broker: BrokerContext, asked: Asked, made: CreatedTopic, validateOnly: boolean): Result {
  return {
    name: made.name,
    topicId: validateOnly ? ZERO_UUID : made.topicId,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    topicConfigErrorCode: ErrorCode.NONE,
    numPartitions: made.partitionCount,
    replicationFactor: made.replicationFactor,
    configs: describeTopicValues(broker.configs, new Map(asked.configs.map(({ name, value }) => [name, value ?? ''])), {
      keys: null,
      includeSynonyms: false,
      includeDocumentation: false,
    }),
  };
}

function failed(name: string, error: KafkaError): Result {
  const isThrottled = error.code === ErrorCode.THROTTLING_QUOTA_EXCEEDED;
  return { ...refused(name, error.code), errorMessage: isThrottled ? null : error.message };
}

/** Where Apache says no more than the code. */
function refused(name: string, errorCode: number): Result {
  return {
    name,
    topicId: ZERO_UUID,
    errorCode,
    errorMessage: null,
    topicConfigErrorCode: ErrorCode.NONE,
    numPartitions: -1,
    replicationFactor: -1,
    configs: [],
  };
}
