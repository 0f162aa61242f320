import { build } from '../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { DescribeConfigsRequest, DescribeConfigsResponse } from '../../protocol/messages/32-describe-configs.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { ResourceType } from '../config/alter-config.ts';
import {
  type DescribeOptions,
  describeBrokerConfig,
  describeClusterConfig,
  describeTopicValues,
} from '../config/describe-config.ts';
import { asKafkaError } from '../request-errors.ts';
import { requireLegalTopicName } from '../topic-names.ts';

type Resource = DescribeConfigsRequest['resources'][number];
type Result = DescribeConfigsResponse['results'][number];

export function describeConfigsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: DescribeConfigsRequest,
    response: DescribeConfigsResponse,
    versions: '0-4',
    handle(request, _context, responder) {
      const described = request.resources.map((resource) => {
        const options = {
          keys: resource.configurationKeys,
          includeSynonyms: request.includeSynonyms,
          includeDocumentation: request.includeDocumentation,
        };
        return describeResource(broker, resource, options);
      });
      void Promise.all(described)
        .then((results) => responder.answer(build(DescribeConfigsResponse, { results })))
        .catch((error: unknown) => responder.close(String(error)));
    },
  });
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
      if (resourceName === String(broker.id)) return describeBrokerConfig(broker.configs, options);
      throw new KafkaError(
        ErrorCode.INVALID_REQUEST,
        `Unexpected broker id, expected ${broker.id} or empty string, but received ${resourceName}`,
      );
    case ResourceType.clientMetrics:
      throw new KafkaError(ErrorCode.INVALID_REQUEST, 'Config type client-metrics is only supported on KRaft clusters');
    default:
      throw new KafkaError(ErrorCode.INVALID_REQUEST);
  }
}
