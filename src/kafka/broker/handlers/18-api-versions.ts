import { build } from '../../../wire/schema.ts';
import { bounds } from '../../../wire/versions.ts';
import { namesItself } from '../../protocol/client-software.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { ApiVersionsRequest, ApiVersionsResponse } from '../../protocol/messages/18-api-versions.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { FinalizedFeature } from '../features.ts';

/** Advertises exactly the handlers that are registered, and of each the versions that it honours. */
export function apiVersionsHandler(
  handlers: ReadonlyMap<number, ApiHandler>,
  finalized: () => readonly FinalizedFeature[],
): ApiHandler {
  let advertised: ApiVersionsResponse['apiKeys'] | undefined;
  return apiHandler({
    request: ApiVersionsRequest,
    response: ApiVersionsResponse,
    versions: '0-4',
    handle(request, context, responder) {
      if (!namesItself(request, context.apiVersion))
        return responder.answer(build(ApiVersionsResponse, { errorCode: ErrorCode.INVALID_REQUEST }));
      advertised ??= advertise(handlers);
      const features = finalized();
      // A cluster without finalized features says so with epoch 0, the version of /feature.
      responder.answer(
        build(ApiVersionsResponse, {
          apiKeys: advertised,
          finalizedFeaturesEpoch: 0,
          supportedFeatures: features.map(({ name, levelMax }) => ({ name, minVersion: 0, maxVersion: levelMax })),
          finalizedFeatures: features.map(({ name, level }) => ({
            name,
            maxVersionLevel: level,
            minVersionLevel: level,
          })),
        }),
      );
    },
  });
}

export function advertise(handlers: ReadonlyMap<number, ApiHandler>): ApiVersionsResponse['apiKeys'] {
  return [...handlers]
    .sort(([a], [b]) => a - b)
    .map(([apiKey, { versions }]) => {
      const [minVersion, maxVersion] = bounds(versions);
      return { apiKey, minVersion, maxVersion };
    });
}
