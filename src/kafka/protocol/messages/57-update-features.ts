import { array, bool, type Infer, int8, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/** UpdateFeatures: finalizes feature levels (KIP-584). */

const FeatureUpdateKey = struct({
  feature: { type: string, versions: '0+' },
  maxVersionLevel: { type: int16, versions: '0+' },
  allowDowngrade: { type: bool, versions: '0' },
  upgradeType: { type: int8, versions: '1+', default: 1 },
});

export const UpdateFeaturesRequest = message({
  name: 'UpdateFeaturesRequest',
  apiKey: 57,
  versions: '0-2',
  flexible: '0+',
  fields: {
    timeoutMs: { type: int32, versions: '0+', default: 60_000 },
    featureUpdates: { type: array(FeatureUpdateKey), versions: '0+' },
    validateOnly: { type: bool, versions: '1+' },
  },
});
export type UpdateFeaturesRequest = Infer<typeof UpdateFeaturesRequest>;

const UpdatableFeatureResult = struct({
  feature: { type: string, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+' },
});

export const UpdateFeaturesResponse = message({
  name: 'UpdateFeaturesResponse',
  apiKey: 57,
  versions: '0-2',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    errorCode: { type: int16, versions: '0+' },
    errorMessage: { type: string, versions: '0+', nullable: '0+' },
    results: { type: array(UpdatableFeatureResult), versions: '0-1', ignorable: true },
  },
});
export type UpdateFeaturesResponse = Infer<typeof UpdateFeaturesResponse>;
