import type { Chance, Summary } from '../../../base/metrics.ts';
import type { Family, Sample } from '../../../observability/exposition.ts';
import type { Fields, Message } from '../../../wire/schema.ts';
import { ApiKey, apiInfos } from '../../protocol/api-keys.ts';
import { errorInfo } from '../../protocol/errors.ts';
import type { FetchRequest } from '../../protocol/messages/01-fetch.ts';
import type { AddPartitionsToTxnRequest } from '../../protocol/messages/24-add-partitions-to-txn.ts';
import { countsFirstError, type ErrorWalk, eachError, errorWalkOf } from './error-walk.ts';
import { counters } from './family.ts';
import { histograms } from './histogram.ts';
import { histogramNames, RequestFigures, type RequestTimes } from './request-figures.ts';

interface Served {
  readonly request: Message<Fields>;
  readonly response: Message<Fields>;
}

/** Requests that are counted together. */
export class RequestKind {
  readonly #apiKey: number;
  /** Of a Fetch two. */
  readonly #figures: readonly RequestFigures[];
  /** Of the API, whatever the kind. */
  readonly #errors: RequestFigures;
  readonly #walk: ErrorWalk;

  constructor(apiKey: number, walk: ErrorWalk, errors: RequestFigures, figures: readonly RequestFigures[]) {
    this.#apiKey = apiKey;
    this.#walk = walk;
    this.#errors = errors;
    this.#figures = figures;
  }

  /** Each error code of an answer counts, those that are none too. */
  answered(apiVersion: number, response: object): void {
    eachError(response, this.#walk, this.#errors.countError, countsFirstError(this.#apiKey, apiVersion));
  }

  record(apiVersion: number, times: RequestTimes, writtenMs: number, sentMs: number): void {
    for (const figures of this.#figures) figures.record(apiVersion, times, writtenMs, sentMs);
  }
}

/** How many requests of each kind there are, how long they take and what comes of them (`RequestMetrics`). */
export class RequestMetrics {
  readonly #chance: Chance;
  readonly #all: RequestFigures[] = [];
  readonly #kinds = new Map<number, RequestKind>();
  readonly #fromFollowers: RequestKind | undefined;
  readonly #verifications: RequestKind | undefined;

  constructor(served: Iterable<Served>, chance: Chance) {
    this.#chance = chance;
    for (const { request, response } of served) {
      const { apiKey } = request;
      const walk = errorWalkOf(response);
      const figures = this.#newFigures(apiInfos.get(apiKey)?.name ?? request.name);
      const kindOf = (...list: readonly RequestFigures[]): RequestKind => new RequestKind(apiKey, walk, figures, list);
      if (apiKey === ApiKey.Fetch) {
        this.#kinds.set(apiKey, kindOf(this.#newFigures('FetchConsumer'), figures));
        this.#fromFollowers = kindOf(this.#newFigures('FetchFollower'), figures);
      } else this.#kinds.set(apiKey, kindOf(figures));
      if (apiKey === ApiKey.AddPartitionsToTxn) {
        this.#verifications = kindOf(this.#newFigures('AddPartitionsToTxnVerification'));
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
    for (const name of histogramNames) {
      const all = this.#all;
      yield* histograms({ ...bean, name }, function* (): Generator<[Sample['labels'], Summary]> {
        for (const figures of all) yield [[['request', figures.name]], figures.histograms[name]];
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
