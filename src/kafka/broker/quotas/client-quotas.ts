import type { Clock } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import { ApiKey } from '../../protocol/api-keys.ts';
import type { QuotaEntity } from '../../zk/quota-znodes.ts';
import type { KafkaConfig } from '../config/kafka-config.ts';
import { type MutationQuota, mutationQuota, noMutationQuota } from './mutation-quota.ts';
import type { Bucket } from './quota-limits.ts';
import { QuotaMeters } from './quota-meters.ts';
import { RateQuota } from './rate-quota.ts';
import { UNLIMITED } from './throttle-time.ts';
import { TokenBucket } from './token-bucket.ts';
import type { RateWindows } from './windowed-rate.ts';

/** What quotas know of a request. */
export interface QuotaRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly clientId: string;
  /** The user's name. Undefined for what the broker asks itself: no quota counts it. */
  readonly principal?: string | undefined;
  /** Milliseconds that the event loop spent on it so far. */
  handledMs?(): number;
}

export interface RequestOutcome {
  /** Of the request. */
  readonly frameBytes: number;
  /** What its handler found that the client must wait. */
  readonly foundMs: number;
  readonly isAnswered?: boolean;
}

/** Requests between brokers: their time is nobody's (`sendResponseExemptThrottle`). */
const exempt: ReadonlySet<number> = new Set([
  ApiKey.LeaderAndIsr,
  ApiKey.StopReplica,
  ApiKey.UpdateMetadata,
  ApiKey.ControlledShutdown,
  ApiKey.WriteTxnMarkers,
  ApiKey.AlterPartition,
]);

/** Their handlers judge them, before there is an answer. */
const judgedEarlier: ReadonlySet<number> = new Set([ApiKey.Fetch, ApiKey.ShareFetch]);

export function quotaWindows(config: KafkaConfig, prefix: '' | 'controller.' = ''): RateWindows {
  return {
    samples: config.number(`${prefix}quota.window.num`),
    windowMs: config.number(`${prefix}quota.window.size.seconds`) * 1000,
  };
}

/**
 * The quotas of clients (`QuotaManagers`): bytes produced and fetched, time of the event loop, and partitions created or deleted,
 * each for a user, a client id or both. While none was ever set nothing is counted.
 */
export class ClientQuotas {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #produce: RateQuota;
  readonly #fetch: RateQuota;
  readonly #request: RateQuota;
  readonly #mutation: QuotaMeters<TokenBucket>;
  /** Requests have to be counted: a quota was set since the start. */
  isCounting = false;

  constructor(options: { readonly config: KafkaConfig; readonly clock: Clock; readonly log: Log }) {
    this.#clock = options.clock;
    this.#log = options.log;
    const windows = quotaWindows(options.config);
    this.#produce = new RateQuota(windows);
    this.#fetch = new RateQuota(windows);
    this.#request = new RateQuota(windows, windows.windowMs);
    const controllerWindows = quotaWindows(options.config, 'controller.');
    this.#mutation = new QuotaMeters(() => new TokenBucket(controllerWindows));
  }

  /** What clients spend per second now: bytes, and percents of the event loop. */
  *rates(): Generator<readonly [kind: 'Produce' | 'Fetch' | 'Request', bucket: Bucket, rate: number]> {
    const nowMs = this.#nowMs();
    for (const one of this.#produce.rates(nowMs)) yield ['Produce', ...one];
    for (const one of this.#fetch.rates(nowMs)) yield ['Fetch', ...one];
    for (const one of this.#request.rates(nowMs)) yield ['Request', ...one];
  }

  /** What is configured for an entity now, all of it; a value that is no number is none. */
  set(entity: QuotaEntity, config: ReadonlyMap<string, string>): void {
    const limit = (key: string): number | undefined => {
      const text = config.get(key);
      if (text === undefined) return undefined;
      const value = Number(text);
      if (text.trim() !== '' && !Number.isNaN(value)) return value;
      this.#log.warn('a quota in ZooKeeper is no number', { key, value: text });
      return undefined;
    };
    this.#produce.set(entity, limit('producer_byte_rate'));
    this.#fetch.set(entity, limit('consumer_byte_rate'));
    this.#request.set(entity, limit('request_percentage'));
    this.#mutation.set(entity, limit('controller_mutation_rate'));
    this.isCounting = true;
  }

  /**
   * Counts a request that is answered, and says for how long its connection must wait: the longest of what its handler found
   * (`foundMs`) and what this request spent. A request without an answer costs no time, but its bytes count (Produce with acks=0).
   */
  throttleMs(request: QuotaRequest, { frameBytes, foundMs, isAnswered = false }: RequestOutcome): number {
    if (request.principal === undefined) return foundMs;
    const producedMs = request.apiKey === ApiKey.Produce ? this.#produced(request, frameBytes) : 0;
    const takesTime = isAnswered && !judgedEarlier.has(request.apiKey) && !exempt.has(request.apiKey);
    return Math.max(foundMs, producedMs, takesTime ? this.#spent(request) : 0);
  }

  /** Time that a request took after it was judged counts for the next one. */
  recordTime(request: QuotaRequest, milliseconds: number): void {
    if (request.principal === undefined || exempt.has(request.apiKey)) return;
    this.#request.recordUnjudged(request.principal, request.clientId, percentOfSecond(milliseconds), this.#nowMs());
  }

  /**
   * Judges a fetch by its time and by the bytes that it would be answered with. Who is throttled gets an empty answer, so that
   * the bytes are taken back.
   */
  fetched(request: QuotaRequest, bytes: number): number {
    if (request.principal === undefined) return 0;
    const nowMs = this.#nowMs();
    const throttleMs = Math.max(
      this.#spent(request),
      this.#fetch.record(request.principal, request.clientId, bytes, nowMs),
    );
    if (throttleMs > 0) this.#fetch.recordUnjudged(request.principal, request.clientId, -bytes, nowMs);
    return throttleMs;
  }

  /** More than this is never answered to one fetch: it would be throttled whatever came before. */
  fetchBytesMax(request: QuotaRequest): number {
    if (!this.isCounting || request.principal === undefined) return UNLIMITED;
    return Math.trunc(this.#fetch.maxAtOnce(request.principal, request.clientId, this.#nowMs()));
  }

  /** @param strictSince the first version of the request whose clients understand THROTTLING_QUOTA_EXCEEDED */
  mutations(request: QuotaRequest, strictSince: number): MutationQuota {
    if (!this.#mutation.isEnabled || request.principal === undefined) return noMutationQuota;
    const nowMs = (): number => this.#nowMs();
    const { meter, limit } = this.#mutation.find(request.principal, request.clientId, nowMs());
    return mutationQuota({ bucket: meter, limit, isStrict: request.apiVersion >= strictSince, nowMs });
  }

  #produced({ principal = '', clientId }: QuotaRequest, bytes: number): number {
    return this.#produce.record(principal, clientId, bytes, this.#nowMs());
  }

  #spent(request: QuotaRequest): number {
    const percent = percentOfSecond(request.handledMs?.() ?? 0);
    return this.#request.record(request.principal ?? '', request.clientId, percent, this.#nowMs());
  }

  #nowMs(): number {
    return Math.floor(this.#clock.monotonicMs());
  }
}

function percentOfSecond(milliseconds: number): number {
  return milliseconds / 10;
}
