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
  describeTopicConfig,
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
      const results = request.resources.map((resource) => {
        const options = {
          keys: resource.configurationKeys,
          includeSynonyms: request.includeSynonyms,
          includeDocumentation: request.includeDocumentation,
        };
        return describeResource(broker, resource, options);
      });
      responder.answer(build(DescribeConfigsResponse, { results }));
    },
  });
}

function describeResource(broker: BrokerContext, resource: Resource, options: DescribeOptions): Result {
  const result = {
    errorCode: 0,
    errorMessage: '',
    resourceType: resource.resourceType,
    resourceName: resource.resourceName,
  };
  try {
    return { ...result, configs: configsOf(broker, resource, options) };
  } catch (error) {
    const { code, message } = asKafkaError(error);
    return { ...result, errorCode: code, errorMessage: message, configs: [] };
  }
}

function configsOf(
  broker: BrokerContext,
  { resourceType, resourceName }: Resource,
  options: DescribeOptions,
): Result['configs'] {
  switch (resourceType) {
    case ResourceType.topic:
      requireLegalTopicName(resourceName);
      // Apache says no more than the code here.
      if (broker.metadata.topic(resourceName) === undefined) {
        throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, '');
      }
      return describeTopicConfig(broker.configs, resourceName, options);
    case ResourceType.broker:
      if (resourceName === '') return describeClusterConfig(broker.configs, options);
      if (resourceName === String(broker.id)) return describeBrokerConfig(broker.configs, options);
      throw new KafkaError(
        ErrorCode.INVALID_REQUEST,
        `Unexpected broker id, expected ${broker.id} or empty string, but received ${resourceName}`,
      );
    default:
      throw new KafkaError(ErrorCode.INVALID_REQUEST, `Unsupported resource type: ${resourceType}`);
  }
}
