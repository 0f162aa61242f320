import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { toInt, UNLIMITED } from './throttle-time.ts';
import type { TokenBucket } from './token-bucket.ts';

/** What one request may change in the cluster: partitions that come to be or go (KIP-599, `ControllerMutationQuota`). */
export interface MutationQuota {
  /** @throws KafkaError THROTTLING_QUOTA_EXCEEDED by a strict quota that is spent; then nothing was counted */
  record(partitionCount: number): void;
  /** What the answer says, counted from now. */
  throttleMs(): number;
}

export const noMutationQuota: MutationQuota = { record: () => undefined, throttleMs: () => 0 };

export interface MutationQuotaOptions {
  readonly bucket: TokenBucket;
  /** Partitions per second. */
  readonly limit: number;
  /** Refuses what comes when the bucket is overdrawn; else it is done, and the client waits afterwards. */
  readonly isStrict: boolean;
  readonly nowMs: () => number;
}

export function mutationQuota({ bucket, limit, isStrict, nowMs }: MutationQuotaOptions): MutationQuota {
  let foundMs = 0;
  let throttleMs = 0;
  const judge = (): boolean => {
    foundMs = nowMs();
    const tokens = bucket.measure(limit, foundMs);
    if (tokens >= 0) return true;
    throttleMs = Math.min(UNLIMITED, Math.round((-tokens / limit) * 1000));
    return false;
  };
  return {
    record(partitionCount) {
      if (isStrict && !judge()) throw new KafkaError(ErrorCode.THROTTLING_QUOTA_EXCEEDED);
      bucket.record(partitionCount, limit, nowMs());
      if (!isStrict) judge();
    },
    throttleMs: () => Math.max(0, toInt(Math.max(0, throttleMs - (nowMs() - foundMs)))),
  };
}
