import { build } from '../../../wire/schema.ts';
import { ErrorCode, errorInfo, KafkaError } from '../../protocol/errors.ts';
import { DescribeConfigsRequest, DescribeConfigsResponse } from '../../protocol/messages/32-describe-configs.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import type { BrokerLoggers } from '../broker-loggers.ts';
import { ResourceType } from '../config/config-change.ts';
import {
  ConfigSource,
  type Described,
  type DescribeOptions,
  describeBrokerConfig,
  describeClusterConfig,
  describeTopicValues,
} from '../config/describe-config.ts';
import { describeGroupValues, requireGroupName } from '../config/describe-group-config.ts';
import { configRefusal } from '../config-rights.ts';
import { asKafkaError } from '../request-errors.ts';
import { requireLegalTopicName } from '../topic-names.ts';

type Resource = DescribeConfigsRequest['resources'][number];
type Result = DescribeConfigsResponse['results'][number];

export function describeConfigsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: DescribeConfigsRequest,
    response: DescribeConfigsResponse,
    versions: '0-4',
    handle(request, context, responder) {
      const refusalOf = (resource: Resource): number =>
        configRefusal(broker, context, AclOperation.describeConfigs, resource);
      const asked = request.resources.map((resource) => ({ resource, refusal: refusalOf(resource) }));
      const allowed = asked.filter(({ refusal }) => refusal === ErrorCode.NONE);
      const denied = asked.filter(({ refusal }) => refusal !== ErrorCode.NONE).map(refused);
      const described = allowed.map(({ resource }) => {
        const options = {
          keys: resource.configurationKeys,
          includeSynonyms: request.includeSynonyms,
          includeDocumentation: request.includeDocumentation,
        };
        return describeResource(broker, resource, options);
      });
      void Promise.all(described)
        .then((results) => responder.answer(build(DescribeConfigsResponse, { results: [...results, ...denied] })))
        .catch((error: unknown) => responder.close(String(error)));
    },
  });
}

function refused({ resource, refusal }: { readonly resource: Resource; readonly refusal: number }): Result {
  const { resourceType, resourceName } = resource;
  return { errorCode: refusal, errorMessage: errorInfo(refusal).message, resourceType, resourceName, configs: [] };
}

async function describeResource(broker: BrokerContext, resource: Resource, options: DescribeOptions): Promise<Result> {
  const result = {
    errorCode: 0,
    errorMessage: '',
    resourceType: resource.resourceType,
    resourceName: resource.resourceName,
  };
  try {
    return { ...result, configs: await configsOf(broker, resource, options) };
  } catch (error) {
    const { code, message } = asKafkaError(error);
    return { ...result, errorCode: code, errorMessage: message, configs: [] };
  }
}

async function configsOf(
  broker: BrokerContext,
  { resourceType, resourceName }: Resource,
  options: DescribeOptions,
): Promise<Result['configs']> {
  switch (resourceType) {
    case ResourceType.topic:
      requireLegalTopicName(resourceName);
      // Apache says no more than the code here.
      if (broker.metadata.topic(resourceName) === undefined) {
        throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, '');
      }
      // From ZooKeeper, as Apache's does: what was just altered shows, though the notification is still on its way.
      return describeTopicValues(broker.configs, await broker.zk.config('topics', resourceName), options);
    case ResourceType.broker:
      if (resourceName === '') return describeClusterConfig(broker.configs, options);
      requireUs(broker, resourceName, `expected ${broker.id} or empty string,`);
      return describeBrokerConfig(broker.configs, options);
    case ResourceType.brokerLogger:
      if (resourceName === '') throw new KafkaError(ErrorCode.INVALID_REQUEST, 'Broker id must not be empty');
      requireUs(broker, resourceName, `expected ${broker.id}`);
      return describeLoggers(broker.loggers, options);
    case ResourceType.clientMetrics:
      throw new KafkaError(
        ErrorCode.INVALID_REQUEST,
        resourceName === ''
          ? 'Client metrics subscription name must not be empty'
          : 'Config type client-metrics is only supported on KRaft clusters',
      );
    case ResourceType.group:
      requireGroupName(resourceName);
      return describeGroupValues(broker.configs, await broker.zk.groupConfig(resourceName), options);
    default:
      throw new KafkaError(ErrorCode.INVALID_REQUEST);
  }
}

function requireUs({ id }: BrokerContext, name: string, expected: string): void {
  if (!/^[+-]?\d+$/.test(name)) {
    throw new KafkaError(ErrorCode.INVALID_REQUEST, `Broker id must be an integer, but it is: ${name}`);
  }
  const text = `Unexpected broker id, ${expected} but received ${name}`;
  if (Number(name) !== id) throw new KafkaError(ErrorCode.INVALID_REQUEST, text);
}

function describeLoggers(loggers: BrokerLoggers, { keys }: DescribeOptions): Described[] {
  const found: Described[] = [];
  for (const [name, level] of loggers.all()) {
    if (keys !== null && keys.length > 0 && !keys.includes(name)) continue;
    found.push({
      name,
      value: level,
      readOnly: false,
      isDefault: false,
      configSource: ConfigSource.dynamicBrokerLogger,
      isSensitive: false,
      synonyms: [],
      configType: 0,
      documentation: '',
    });
  }
  return found;
}
