import { type Chance, SampleDraw } from '../../../base/reservoir.ts';
import { SAMPLE_SIZE } from './histogram.ts';

/** What is measured of a request, by Apache's names. */
export const measures = [
  'RequestQueueTimeMs',
  'LocalTimeMs',
  'RemoteTimeMs',
  'ThrottleTimeMs',
  'ResponseQueueTimeMs',
  'ResponseSendTimeMs',
  'TotalTimeMs',
  'RequestBytes',
] as const;
export type Measure = (typeof measures)[number];

const columns = Object.fromEntries(measures.map((measure, column) => [measure, column])) as Record<Measure, number>;

/**
 * A uniform sample of requests with all that is measured of each. Who is in it is drawn when a request begins, so that nobody has to
 * look at the clock for the others.
 */
export class RequestSample {
  readonly #draw: SampleDraw;
  /** A row a place; -1 where nothing has been measured yet. */
  readonly #rows = new Int32Array(SAMPLE_SIZE * measures.length).fill(-1);

  constructor(chance: Chance) {
    this.#draw = new SampleDraw(chance, SAMPLE_SIZE);
  }

  /** The place of the request that begins; -1 of most, which are not in it. */
  next(): number {
    return this.#draw.next();
  }

  /** @param values in the order of `measures` */
  put(place: number, values: readonly number[]): void {
    this.#rows.set(values, place * measures.length);
  }

  *valuesOf(measure: Measure): Generator<number> {
    const rows = this.#rows;
    for (let index = columns[measure]; index < rows.length; index += measures.length) {
      const value = rows[index]!;
      if (value >= 0) yield value;
    }
  }
}

export interface SamplePlace {
  readonly sample: RequestSample;
  readonly place: number;
}

/** A request that is in samples: when what happened to it, in milliseconds of the monotonic clock. */
export class TimedRequest {
  readonly #places: readonly SamplePlace[];
  /** Its bytes were there. */
  readonly #receivedMs: number;
  /** Its handling began. */
  readonly #startedMs: number;
  readonly #bodyBytes: number;
  /** Its handler returned, or answered before that. */
  #localUntilMs = Infinity;
  #answeredMs = 0;
  #throttleMs = 0;

  constructor(places: readonly SamplePlace[], facts: RequestFacts) {
    this.#places = places;
    this.#receivedMs = facts.receivedMs;
    this.#startedMs = facts.startedMs;
    this.#bodyBytes = facts.bodyBytes;
  }

  handled(nowMs: number): void {
    this.#localUntilMs = Math.min(this.#localUntilMs, nowMs);
  }

  /** @param throttleMs how long its connection is still for quotas */
  answered(nowMs: number, throttleMs: number): void {
    this.handled(nowMs);
    this.#answeredMs = nowMs;
    this.#throttleMs = throttleMs;
  }

  /** @param writtenMs when its answer's turn to be written came, `sentMs` when the system had it; its answer's own where there is none */
  left(writtenMs = this.#answeredMs, sentMs = writtenMs): void {
    const values = [
      Math.round(this.#startedMs - this.#receivedMs),
      Math.round(this.#localUntilMs - this.#startedMs),
      Math.round(this.#answeredMs - this.#localUntilMs),
      this.#throttleMs,
      Math.round(writtenMs - this.#answeredMs),
      Math.round(sentMs - writtenMs),
      Math.round(sentMs - this.#receivedMs),
      this.#bodyBytes,
    ];
    for (const { sample, place } of this.#places) sample.put(place, values);
  }
}

export interface RequestFacts {
  readonly receivedMs: number;
  readonly startedMs: number;
  readonly bodyBytes: number;
}
