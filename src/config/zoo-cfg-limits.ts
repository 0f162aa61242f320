import type { Option, Options, OptionType } from './options.ts';

/** What a server takes at once. Everything here is off by default. */
export interface ServerLimits {
  /** `request_throttle_max_requests`: requests in progress above which others wait in one queue; 0 is off. */
  readonly throttleMaxRequests: number;
  /** How long the queue waits before it looks again, if nothing is done meanwhile. */
  readonly throttleStallMs: number;
  readonly throttleDropStale: boolean;
  /** A request is stale when it is older than its session's timeout. */
  readonly staleLatencyCheck: boolean;
  /** A request is stale when its connection is gone. */
  readonly staleConnectionCheck: boolean;
  /** Who waited longer is answered with ThrottledOp; 0 is off. */
  readonly throttledOpWaitMs: number;

  /** Requests above are large; -1 is off. */
  readonly largeRequestThreshold: number;
  /** Of all large requests in progress. */
  readonly largeRequestMaxBytes: number;

  readonly connections: ConnectionThrottleLimits;
}

/** Keys `connection_throttle_*` (BlueThrottle). */
export interface ConnectionThrottleLimits {
  /** Connect requests at once; 0 is off. */
  readonly tokens: number;
  readonly fillTimeMs: number;
  readonly fillCount: number;
  /** Time between changes of the chance to be dropped; -1: nobody is dropped by chance. */
  readonly freezeTimeMs: number;
  readonly dropIncrease: number;
  readonly dropDecrease: number;
  /** Share of the tokens in use below which the chance falls. */
  readonly decreaseRatio: number;
  /** Sessions cost so many tokens; one each where weights are off. */
  readonly globalSessionWeight: number;
  readonly localSessionWeight: number;
  readonly renewedSessionWeight: number;
}

function key(
  name: string,
  type: OptionType,
  value: string | number | boolean,
  description: string,
  limits: Pick<Option, 'unit' | 'min' | 'max'> = {},
): Option {
  return { name, type, default: String(value), effect: 'honoured', description, ...limits };
}

const ms = { unit: 'ms', min: 0 } as const;
const share = { min: 0, max: 1 } as const;

export const limitKeys: readonly Option[] = [
  key('request_throttle_max_requests', 'int', 0, 'requests in progress above which others wait, below 1 is off'),
  key('request_throttle_stall_time', 'int', 100, 'time after which who waits is looked at again', {
    unit: 'ms',
    min: 1,
  }),
  key('request_throttle_drop_stale', 'boolean', true, 'stale requests that wait are dropped'),
  key('request_stale_latency_check', 'boolean', false, 'a request older than its session timeout is stale'),
  key('request_stale_connection_check', 'boolean', true, 'a request whose connection is gone is stale'),
  key('throttled_op_wait_time', 'int', 0, 'wait after which a request is refused, below 1 is off', { unit: 'ms' }),
  {
    ...key('request_throttler.shutdownTimeout', 'int', 10_000, 'patience with waiting requests at the end', ms),
    effect: 'accepted',
  },
  key('largeRequestThreshold', 'int', -1, 'size above which a request is large, below 1 is off', { unit: 'bytes' }),
  key('largeRequestMaxBytes', 'int', 104_857_600, 'all large requests in progress', { unit: 'bytes', min: 1 }),
  key('connection_throttle_tokens', 'int', 0, 'connect requests at once, 0 is off', { min: 0 }),
  key('connection_throttle_fill_time', 'int', 1, 'time in which tokens come back', { unit: 'ms', min: 1 }),
  key('connection_throttle_fill_count', 'int', 1, 'tokens that come back in that time', { min: 0 }),
  key('connection_throttle_freeze_time', 'int', -1, 'time between changes of the drop chance, -1 is off', {
    unit: 'ms',
    min: -1,
  }),
  key('connection_throttle_drop_increase', 'double', 0.02, 'growth of the drop chance without tokens', share),
  key('connection_throttle_drop_decrease', 'double', 0.002, 'fall of the drop chance with tokens', share),
  key('connection_throttle_decrease_ratio', 'double', 0, 'share of tokens in use below which the chance falls', share),
  key('connection_throttle_weight_enabled', 'boolean', false, 'kinds of sessions cost different numbers of tokens'),
  key('connection_throttle_global_session_weight', 'int', 3, 'tokens of a new session', { min: 1 }),
  key('connection_throttle_local_session_weight', 'int', 1, 'tokens of a local session', { min: 1 }),
  key('connection_throttle_renew_session_weight', 'int', 2, 'tokens of a resumed session', { min: 1 }),
];

export function serverLimitsOf(options: Options): ServerLimits {
  const threshold = options.number('largeRequestThreshold');
  return {
    throttleMaxRequests: options.number('request_throttle_max_requests'),
    throttleStallMs: options.number('request_throttle_stall_time'),
    throttleDropStale: options.boolean('request_throttle_drop_stale'),
    staleLatencyCheck: options.boolean('request_stale_latency_check'),
    staleConnectionCheck: options.boolean('request_stale_connection_check'),
    throttledOpWaitMs: options.number('throttled_op_wait_time'),
    largeRequestThreshold: threshold <= 0 ? -1 : threshold,
    largeRequestMaxBytes: options.number('largeRequestMaxBytes'),
    connections: connectionLimitsOf(options),
  };
}

/** With weights the tokens are meant for new global sessions, and no weight is below that of a local one. */
function connectionLimitsOf(options: Options): ConnectionThrottleLimits {
  const isWeighed = options.boolean('connection_throttle_weight_enabled');
  const local = options.number('connection_throttle_local_session_weight');
  const global = Math.max(options.number('connection_throttle_global_session_weight'), local);
  const renewed = Math.max(options.number('connection_throttle_renew_session_weight'), local);
  const scale = isWeighed ? global : 1;
  return {
    tokens: scale * options.number('connection_throttle_tokens'),
    fillTimeMs: options.number('connection_throttle_fill_time'),
    fillCount: scale * options.number('connection_throttle_fill_count'),
    freezeTimeMs: options.number('connection_throttle_freeze_time'),
    dropIncrease: options.number('connection_throttle_drop_increase'),
    dropDecrease: options.number('connection_throttle_drop_decrease'),
    decreaseRatio: options.number('connection_throttle_decrease_ratio'),
    globalSessionWeight: isWeighed ? global : 1,
    localSessionWeight: isWeighed ? local : 1,
    renewedSessionWeight: isWeighed ? renewed : 1,
  };
}
