import { build } from '../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { UpdateFeaturesRequest, UpdateFeaturesResponse } from '../../protocol/messages/57-update-features.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnCluster } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';

type Update = UpdateFeaturesRequest['featureUpdates'][number];

const SAFE_DOWNGRADE = 2;
const UNSAFE_DOWNGRADE = 3;

/**
 * A broker in ZooKeeper mode supports no features, so that none can be finalized or deleted: each update is refused with the
 * reason that Apache's controller finds (`KafkaController.validateFeatureUpdate`).
 *
 * v0  says with a flag that a downgrade is allowed
 * v1  has kinds of upgrades instead, and may only validate
 * v2  has no results but one error of the whole (KIP-1022)
 */
export function updateFeaturesHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: UpdateFeaturesRequest,
    response: UpdateFeaturesResponse,
    versions: '0-2',
    handle(request, context, responder) {
      const refuse = (errorCode: number): void => {
        const { code, message } = new KafkaError(errorCode);
        responder.answer(build(UpdateFeaturesResponse, { errorCode: code, errorMessage: message }));
      };
      if (!mayOnCluster(broker, context, AclOperation.alter)) return refuse(ErrorCode.CLUSTER_AUTHORIZATION_FAILED);
      if (!broker.controller.isActive) return refuse(ErrorCode.NOT_CONTROLLER);
      const refusals = request.featureUpdates.map((update) => ({
        feature: update.feature,
        errorCode: ErrorCode.INVALID_REQUEST,
        errorMessage: reasonOf(update, context.apiVersion),
      }));
      const [first] = refusals;
      responder.answer(
        build(UpdateFeaturesResponse, {
          errorMessage: null,
          ...(context.apiVersion < 2
            ? { results: distinct(refusals) }
            : first === undefined
              ? {}
              : { errorCode: first.errorCode, errorMessage: wholeReason(first.errorMessage) }),
        }),
      );
    },
  });
}

function reasonOf({ feature, maxVersionLevel, allowDowngrade, upgradeType }: Update, version: number): string {
  if (feature === '') return 'Feature name can not be empty.';
  if (version >= 1 && (upgradeType < 1 || upgradeType > UNSAFE_DOWNGRADE)) return 'Received unknown upgrade type.';
  const mayDowngrade = version === 0 ? allowDowngrade : upgradeType >= SAFE_DOWNGRADE;
  if (maxVersionLevel >= 1) {
    return 'Could not apply finalized feature update because the provided feature is not supported.';
  }
  return mayDowngrade
    ? 'Can not delete non-existing finalized feature.'
    : `Can not provide versionLevel: ${maxVersionLevel} less than 1 without setting the SAFE downgradeType in the request.`;
}

function wholeReason(reason: string): string {
  return `The update failed for all features since the following feature had an error: ${reason}`;
}

/** A feature that is named twice is answered once. */
function distinct<T extends { readonly feature: string }>(refusals: readonly T[]): T[] {
  return [...new Map(refusals.map((refusal) => [refusal.feature, refusal])).values()];
}
