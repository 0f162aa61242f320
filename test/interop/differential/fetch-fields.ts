import { ZERO_UUID } from '../../../src/wire/schema.ts';

/** What a consumer's Fetch says of a partition besides where it reads: nothing. */
export const PARTITION_FIELDS = {
  currentLeaderEpoch: -1,
  lastFetchedEpoch: -1,
  logStartOffset: -1,
  replicaDirectoryId: ZERO_UUID,
  highWatermark: Infinity,
};
