import type { LogConfig } from './log-config.ts';
import type { Segment } from './segment.ts';

export interface RetentionView {
  readonly segments: readonly Segment[];
  readonly config: LogConfig;
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  readonly highWatermark: number;
  readonly nowMs: number;
}

export interface Doomed {
  readonly segment: Segment;
  readonly reason: 'log start offset' | 'retention size' | 'retention time';
}

/**
 * The oldest segments that may go, in Kafka 3.9's order of rules: start offset, size, time. Each rule walks from the oldest that
 * is left and stops at the first segment it spares; nothing above the high watermark goes, nor an empty active segment.
 */
export function doomedSegments(view: RetentionView): Doomed[] {
  const doomed: Doomed[] = [];
  const walk = (reason: Doomed['reason'], isDoomed: (segment: Segment, next: Segment | undefined) => boolean): void => {
    for (let index = doomed.length; index < view.segments.length; index += 1) {
      const segment = view.segments[index]!;
      const next = view.segments[index + 1];
      const upperBound = next?.baseOffset ?? view.logEndOffset;
      const isEmptyActive = next === undefined && segment.size === 0;
      if (view.highWatermark < upperBound || isEmptyActive || !isDoomed(segment, next)) return;
      doomed.push({ segment, reason });
    }
  };
  walk('log start offset', (_, next) => next !== undefined && next.baseOffset <= view.logStartOffset);
  if (!view.config.delete) return doomed;
  const { retentionBytes, retentionMs } = view.config;
  if (retentionBytes >= 0) {
    let surplus = -retentionBytes;
    for (let index = doomed.length; index < view.segments.length; index += 1) surplus += view.segments[index]!.size;
    walk('retention size', (segment) => {
      if (surplus < segment.size) return false;
      surplus -= segment.size;
      return true;
    });
  }
  if (retentionMs >= 0) walk('retention time', (segment) => view.nowMs - segment.largestTimestamp > retentionMs);
  return doomed;
}
