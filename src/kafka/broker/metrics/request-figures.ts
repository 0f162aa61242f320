import type { Chance, Summary } from '../../../base/metrics.ts';
import { newHistogram } from './histogram.ts';

/** What happened to a request, and when in milliseconds of the monotonic clock. */
export interface RequestTimes {
  /** Its bytes were there. */
  readonly receivedMs: number;
  /** Its handling began. */
  readonly startedMs: number;
  /** What its handler took, until it returned or answered. */
  readonly localMs: number;
  /** Its answer was ready. */
  readonly answeredMs: number;
  /** How long its connection is still for quotas. */
  readonly throttleMs: number;
  readonly bodyBytes: number;
}

export const histogramNames = [
  'RequestQueueTimeMs',
  'LocalTimeMs',
  'RemoteTimeMs',
  'ThrottleTimeMs',
  'ResponseQueueTimeMs',
  'ResponseSendTimeMs',
  'TotalTimeMs',
  'RequestBytes',
] as const;

/** What is known of the requests that go by one name (`RequestMetrics`). */
export class RequestFigures {
  readonly name: string;
  /** How many, by version. */
  readonly versions: number[] = [];
  /** How many, by error code. */
  readonly errors = new Map<number, number>();
  readonly histograms: { readonly [N in (typeof histogramNames)[number]]: Summary };
  readonly countError = (errorCode: number): void => {
    this.errors.set(errorCode, (this.errors.get(errorCode) ?? 0) + 1);
  };

  constructor(name: string, chance: Chance) {
    this.name = name;
    this.histograms = {
      RequestQueueTimeMs: newHistogram(chance),
      LocalTimeMs: newHistogram(chance),
      RemoteTimeMs: newHistogram(chance),
      ThrottleTimeMs: newHistogram(chance),
      ResponseQueueTimeMs: newHistogram(chance),
      ResponseSendTimeMs: newHistogram(chance),
      TotalTimeMs: newHistogram(chance),
      RequestBytes: newHistogram(chance),
    };
  }

  /** @param writtenMs when its answer's turn to be written came, `sentMs` when the system had it */
  record(apiVersion: number, times: RequestTimes, writtenMs: number, sentMs: number): void {
    this.versions[apiVersion] = (this.versions[apiVersion] ?? 0) + 1;
    const { receivedMs, startedMs, localMs, answeredMs } = times;
    const { histograms } = this;
    histograms.RequestQueueTimeMs.add(Math.round(startedMs - receivedMs));
    histograms.LocalTimeMs.add(Math.round(localMs));
    histograms.RemoteTimeMs.add(Math.round(answeredMs - startedMs - localMs));
    histograms.ThrottleTimeMs.add(times.throttleMs);
    histograms.ResponseQueueTimeMs.add(Math.round(writtenMs - answeredMs));
    histograms.ResponseSendTimeMs.add(Math.round(sentMs - writtenMs));
    histograms.TotalTimeMs.add(Math.round(sentMs - receivedMs));
    histograms.RequestBytes.add(times.bodyBytes);
  }

  beginPeriod(): void {
    for (const name of histogramNames) this.histograms[name].beginPeriod();
  }
}
