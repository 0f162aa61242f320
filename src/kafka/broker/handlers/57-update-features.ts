import { stringMapOrder } from '../../../base/java-order.ts';
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
 * reason that Apache's controller finds (`KafkaController.validateFeatureUpdate`), from v2 on that of a controller of KRaft which
 * does not know the feature (`FeatureControlManager.updateFeature`).
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
    handle({ featureUpdates }, context, responder) {
      const { apiVersion } = context;
      const refuse = (errorCode: number): void => {
        const { code, message } = new KafkaError(errorCode);
        responder.answer(build(UpdateFeaturesResponse, { errorCode: code, errorMessage: message }));
      };
      if (!mayOnCluster(broker, context, AclOperation.alter)) return refuse(ErrorCode.CLUSTER_AUTHORIZATION_FAILED);
      if (!broker.controller.isActive) return refuse(ErrorCode.NOT_CONTROLLER);
      const updates = new Map(featureUpdates.map((update) => [update.feature, update]));
      const outcome = apiVersion < 2 ? refusedOneByOne(updates, apiVersion) : refusedAsWhole(updates, broker.id);
      responder.answer(build(UpdateFeaturesResponse, { errorMessage: null, ...outcome }));
    },
  });
}

/** By name: of a feature that is named twice the last counts. */
type Updates = ReadonlyMap<string, Update>;

function refusedOneByOne(updates: Updates, version: number): Partial<UpdateFeaturesResponse> {
  const results = [...updates.values()].map((update) => ({
    feature: update.feature,
    errorCode: ErrorCode.INVALID_REQUEST,
    errorMessage: reasonOf(update, version),
  }));
  return { results };
}

function reasonOf({ feature, maxVersionLevel, allowDowngrade, upgradeType }: Update, version: number): string {
  if (feature === '') return 'Feature name can not be empty.';
  if (version >= 1 && !isUpgradeType(upgradeType)) return 'Received unknown upgrade type.';
  const mayDowngrade = version === 0 ? allowDowngrade : upgradeType >= SAFE_DOWNGRADE;
  if (maxVersionLevel >= 1) {
    return 'Could not apply finalized feature update because the provided feature is not supported.';
  }
  return mayDowngrade
    ? 'Can not delete non-existing finalized feature.'
    : `Can not provide versionLevel: ${maxVersionLevel} less than 1 without setting the SAFE downgradeType in the request.`;
}

/** Of several, the one that comes first in Java's hash table is told. */
function refusedAsWhole(updates: Updates, controllerId: number): Partial<UpdateFeaturesResponse> {
  const [first] = stringMapOrder([...updates.keys()]);
  const update = first === undefined ? undefined : updates.get(first);
  if (update === undefined) return {};
  const reason = `Invalid update version ${update.maxVersionLevel} for feature ${first}. ${unknownReason(update, controllerId)}`;
  return {
    errorCode: ErrorCode.INVALID_UPDATE_VERSION,
    errorMessage: `The update failed for all features since the following feature had an error: ${reason}`,
  };
}

function unknownReason({ feature, maxVersionLevel, upgradeType }: Update, controllerId: number): string {
  if (!isUpgradeType(upgradeType)) return 'The controller does not support the given upgrade type.';
  if (maxVersionLevel < 0) return 'A feature version cannot be less than 0.';
  if (maxVersionLevel > 0) return `Local controller ${controllerId} does not support this feature.`;
  return `Feature ${feature} not found.`;
}

const isUpgradeType = (type: number): boolean => type >= 1 && type <= UNSAFE_DOWNGRADE;
