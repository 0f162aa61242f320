import type { Summary } from '../../base/metrics.ts';
import type { ServerLimits as LimitsConfig } from '../../config/zoo-cfg-limits.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { ConnectionThrottle } from './connection-throttle.ts';
import { LargeRequests } from './large-requests.ts';
import { RequestThrottler } from './request-throttler.ts';
import type { ServerStats } from './server-stats.ts';

export interface ServerLimitsOptions {
  readonly limits: LimitsConfig;
  readonly runtime: Runtime;
  readonly stats: ServerStats;
  /** Requests in progress. */
  readonly inProgress: () => number;
  readonly throttleQueueTime: Pick<Summary, 'add'>;
}

/** The limits that the configuration sets; undefined where it sets none, and then they cost nothing. */
export interface ServerLimits {
  readonly throttler: RequestThrottler | undefined;
  readonly largeRequests: LargeRequests | undefined;
  readonly connectionThrottle: ConnectionThrottle | undefined;
}

export function serverLimits(options: ServerLimitsOptions): ServerLimits {
  const { limits, runtime, stats, inProgress, throttleQueueTime: queueTime } = options;
  const { clock, random } = runtime;
  return {
    throttler:
      limits.throttleMaxRequests > 0
        ? new RequestThrottler({ limits, clock, stats, inProgress, queueTime })
        : undefined,
    largeRequests: limits.largeRequestThreshold >= 0 ? new LargeRequests(limits, stats) : undefined,
    connectionThrottle:
      limits.connections.tokens > 0 ? new ConnectionThrottle(limits.connections, clock, random) : undefined,
  };
}
