import type { Chance } from '../../../base/reservoir.ts';
import type { Family, Sample } from '../../../observability/exposition.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Fields, Message } from '../../../wire/schema.ts';
import { ApiKey, apiInfos } from '../../protocol/api-keys.ts';
import { errorInfo } from '../../protocol/errors.ts';
import type { FetchRequest } from '../../protocol/messages/01-fetch.ts';
import type { AddPartitionsToTxnRequest } from '../../protocol/messages/24-add-partitions-to-txn.ts';
import { countErrors, countsFirstError, type ErrorCounts, type ErrorWalk, errorWalkOf } from './error-walk.ts';
import { counters } from './family.ts';
import { type Histogram, histograms } from './histogram.ts';
import { RequestFigures } from './request-figures.ts';
import { measures, type SamplePlace, TimedRequest } from './request-sample.ts';

interface Served {
  readonly request: Message<Fields>;
  readonly response: Message<Fields>;
}

/** Requests that are counted together. */
export class RequestKind {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** Of a Fetch two. */
  readonly #figures: readonly RequestFigures[];
  /** Of the API, whatever the kind. */
  readonly #errors: ErrorCounts;
  readonly #walk: ErrorWalk;
  readonly #countsFirst: ((apiVersion: number) => boolean) | undefined;

  constructor(api: Api, figures: readonly RequestFigures[]) {
    this.#clock = api.clock;
    this.#walk = api.walk;
    this.#countsFirst = countsFirstError(api.apiKey);
    this.#errors = api.errors;
    this.#figures = figures;
  }

  /** Its handling begins; undefined of most, whose times nobody wants. */
  begin(receivedMs: number, bodyBytes: number): TimedRequest | undefined {
    let places: SamplePlace[] | undefined;
    for (const { sample } of this.#figures) {
      const place = sample.next();
      if (place < 0) continue;
      places ??= [];
      places.push({ sample, place });
    }
    return places && new TimedRequest(places, { receivedMs, startedMs: this.#clock.monotonicMs(), bodyBytes });
  }

  /** Each error code of an answer counts, those that are none too. */
  answered(apiVersion: number, response?: object): void {
    for (const figures of this.#figures) figures.count(apiVersion);
    if (response === undefined) return;
    countErrors(response, this.#walk, this.#errors, this.#countsFirst?.(apiVersion) ?? true);
  }
}

interface Api {
  readonly apiKey: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly walk: ErrorWalk;
  readonly errors: ErrorCounts;
}

/** How many requests of each kind there are, how long they take and what comes of them (`RequestMetrics`). */
export class RequestMetrics {
  readonly #chance: Chance;
  readonly #all: RequestFigures[] = [];
  readonly #kinds = new Map<number, RequestKind>();
  readonly #fromFollowers: RequestKind | undefined;
  readonly #verifications: RequestKind | undefined;

  constructor(served: Iterable<Served>, { chance, clock }: { chance: Chance; clock: Pick<Clock, 'monotonicMs'> }) {
    this.#chance = chance;
    for (const { request, response } of served) {
      const { apiKey } = request;
      const figures = this.#newFigures(apiInfos.get(apiKey)?.name ?? request.name);
      const api = { apiKey, clock, walk: errorWalkOf(response), errors: figures.errors };
      if (apiKey === ApiKey.Fetch) {
        this.#kinds.set(apiKey, new RequestKind(api, [this.#newFigures('FetchConsumer'), figures]));
        this.#fromFollowers = new RequestKind(api, [this.#newFigures('FetchFollower'), figures]);
      } else this.#kinds.set(apiKey, new RequestKind(api, [figures]));
      if (apiKey === ApiKey.AddPartitionsToTxn) {
        this.#verifications = new RequestKind(api, [this.#newFigures('AddPartitionsToTxnVerification')]);
      }
    }
  }

  /** @param request undefined where it could not be read */
  kindOf(apiKey: number, request?: object): RequestKind | undefined {
    if (apiKey === ApiKey.Fetch && isFromFollower(request as FetchRequest | undefined)) return this.#fromFollowers;
    if (apiKey === ApiKey.AddPartitionsToTxn && verifiesOnly(request as AddPartitionsToTxnRequest | undefined)) {
      return this.#verifications;
    }
    return this.#kinds.get(apiKey);
  }

  beginPeriod(): void {
    for (const figures of this.#all) figures.beginPeriod();
  }

  *families(): Generator<Family> {
    yield counters({ ...bean, name: 'Requests' }, this.#requests());
    yield counters({ ...bean, name: 'Errors' }, this.#errors());
    for (const name of measures) {
      const all = this.#all;
      yield* histograms({ ...bean, name }, function* (): Generator<[Sample['labels'], Histogram]> {
        for (const figures of all) yield [[['request', figures.name]], figures.histogram(name)];
      });
    }
  }

  *#requests(): Generator<[labels: Sample['labels'], count: number]> {
    for (const { name, versions } of this.#all) {
      for (const [version, count] of versions.entries()) {
        if (count === undefined) continue;
        yield [[['request', name], ['version', String(version)]], count]; // biome-ignore format: a label a pair
      }
    }
  }

  *#errors(): Generator<[labels: Sample['labels'], count: number]> {
    for (const { name, errors } of this.#all) {
      for (const [code, count] of errors) {
        yield [[['request', name], ['error', errorInfo(code).name]], count]; // biome-ignore format: a label a pair
      }
    }
  }

  #newFigures(name: string): RequestFigures {
    const figures = new RequestFigures(name, this.#chance);
    this.#all.push(figures);
    return figures;
  }
}

const bean = { group: 'network', type: 'RequestMetrics' } as const;

function isFromFollower(request: FetchRequest | undefined): boolean {
  return request !== undefined && (request.replicaId >= 0 || request.replicaState.replicaId >= 0);
}

function verifiesOnly(request: AddPartitionsToTxnRequest | undefined): boolean {
  const all = request?.transactions ?? [];
  return all.length > 0 && all.every(({ verifyOnly }) => verifyOnly);
}
