/** A row under load: what is sent, what is compared, what must be found afterwards. */
import type { LoadResult } from './generator.ts';
import type { Load } from './load.ts';
import { medianOf } from './rounds.ts';
import type { Servers } from './servers.ts';
import { amount, median } from './table.ts';

/**
 * What is compared: how much goes through; the median latency of one request at a time, net of an echo; or the 99th percentile
 * at half of what Apache can bear, which both are offered whether or not they keep up.
 */
export type Comparison = 'rate' | 'p50' | 'p99 at half load';

export interface LoadRow {
  readonly name: string;
  /** Ours against Apache's; above 1 is better, whatever is compared. */
  readonly goal: number;
  readonly system: 'kafka' | 'zookeeper';
  /** Default `rate`. */
  readonly compares?: Comparison;
  /** What one request moves, in `unit`. */
  readonly perRequest: number;
  readonly unit: 'records/s' | 'MB/s' | 'ops/s';
  /** Bytes of an answer with its length, for the echo server. */
  readonly answerBytes: number;
  /** Answers wait for a sync of the disk: the echo server's too, where latencies at a load are compared. */
  readonly isSynced?: boolean;
  /** Topics to delete afterwards. */
  readonly topic?: string;
  prepare(servers: Servers): Promise<Load>;
  /** How much of what our server acknowledged Apache's reader finds, in requests times `perRequest`; absent for reads. */
  readonly found?: (servers: Servers) => Promise<number>;
}

export interface Compared {
  readonly ours: string;
  readonly apache: string;
  readonly ratio: number;
}

export type Figures = Pick<LoadResult, 'perSecond' | 'bytesPerSecond' | 'p50Ms' | 'p99Ms'>;

/** The median of each figure. */
export function typical(results: readonly Figures[]): Figures {
  const of = (name: keyof Figures): number => medianOf(results, (each) => each[name]);
  return { perSecond: of('perSecond'), bytesPerSecond: of('bytesPerSecond'), p50Ms: of('p50Ms'), p99Ms: of('p99Ms') };
}

export function rateOf(row: LoadRow, result: Figures): number {
  return row.unit === 'MB/s' ? result.bytesPerSecond / 1e6 : result.perSecond * row.perRequest;
}

/** The median of the rounds' ratios. */
export function compare(
  row: LoadRow,
  ours: readonly LoadResult[],
  apache: readonly LoadResult[],
  echo: Figures,
): Compared {
  const { figure, unit, isTime } = measureOf(row, echo);
  const ratios = ours.map((mine, round) => {
    const [our, their] = [figure(mine), figure(apache[round] as LoadResult)];
    return isTime ? their / our : our / their;
  });
  return {
    ours: amount(median(ours.map(figure)), unit),
    apache: amount(median(apache.map(figure)), unit),
    ratio: median(ratios),
  };
}

interface Measure {
  readonly figure: (result: LoadResult) => number;
  readonly unit: string;
  readonly isTime: boolean;
}

function measureOf(row: LoadRow, echo: Figures): Measure {
  switch (row.compares) {
    case 'p50':
      // What is left may be nothing on a machine that others disturb.
      return { figure: (result) => Math.max(1, 1000 * (result.p50Ms - echo.p50Ms)), unit: 'µs net', isTime: true };
    case 'p99 at half load':
      return { figure: (result) => result.p99Ms, unit: 'ms p99', isTime: true };
    default:
      return { figure: (result) => rateOf(row, result), unit: row.unit, isTime: false };
  }
}
