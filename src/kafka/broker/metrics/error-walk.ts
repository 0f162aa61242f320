import type { Fields, Message, Type } from '../../../wire/schema.ts';
import { ApiKey } from '../../protocol/api-keys.ts';

/** Where a response holds error codes. */
export interface ErrorWalk {
  readonly codes: readonly string[];
  readonly lists: readonly { readonly field: string; readonly walk: ErrorWalk }[];
}

type Holder = { readonly [field: string]: unknown };

/** Found once a message: in every version's field, since what a version lacks is empty or an error that did not happen. */
export function errorWalkOf({ fields }: Message<Fields>): ErrorWalk {
  return walkOf(fields);
}

function walkOf(fields: Fields): ErrorWalk {
  const codes: string[] = [];
  const lists: { field: string; walk: ErrorWalk }[] = [];
  for (const [name, { type }] of Object.entries(fields)) {
    if (name === 'errorCode' || name === 'partitionErrorCode') codes.push(name);
    const inner = name === NOT_COUNTED ? undefined : structIn(type);
    const walk = inner && walkOf(inner);
    if (walk !== undefined && (walk.codes.length > 0 || walk.lists.length > 0)) lists.push({ field: name, walk });
  }
  return { codes, lists };
}

/** Of DeleteAcls: each filter has an error of its own, which is what counts. */
const NOT_COUNTED = 'matchingAcls';

function structIn(type: Type<unknown>): Fields | undefined {
  return type.kind === 'array' && type.element.kind === 'struct' ? type.element.fields : undefined;
}

/**
 * Responses whose first field is not always an error of its own: versions have it elsewhere, or Apache does not count it
 * (`errorCounts` of its responses).
 */
const countsFirst = new Map<number, (apiVersion: number) => boolean>([
  [ApiKey.FindCoordinator, (apiVersion) => apiVersion < 4],
  [ApiKey.OffsetFetch, (apiVersion) => apiVersion < 8],
  [ApiKey.AddPartitionsToTxn, (apiVersion) => apiVersion >= 4],
  [ApiKey.DescribeUserScramCredentials, () => false],
  [ApiKey.Metadata, () => false],
]);

/** By version; undefined where the first field counts in every one. */
export function countsFirstError(apiKey: number): ((apiVersion: number) => boolean) | undefined {
  return countsFirst.get(apiKey);
}

/** How many of each error code there were. */
export class ErrorCounts {
  /** From code -1 on. */
  readonly #counts: number[] = [];

  add(errorCode: number): void {
    this.#counts[errorCode + 1] = (this.#counts[errorCode + 1] ?? 0) + 1;
  }

  *[Symbol.iterator](): Generator<[errorCode: number, count: number]> {
    for (const [place, count] of this.#counts.entries()) {
      if (count !== undefined) yield [place - 1, count];
    }
  }
}

/** Counts each error code, those that are none too. Loops by index: it runs for every answer. */
export function countErrors(response: object, walk: ErrorWalk, counts: ErrorCounts, hasOwn = true): void {
  const holder = response as Holder;
  const { codes, lists } = walk;
  for (let index = 0; hasOwn && index < codes.length; index += 1) counts.add(holder[codes[index]!] as number);
  for (let index = 0; index < lists.length; index += 1) {
    const { field, walk: inner } = lists[index]!;
    const elements = (holder[field] ?? nothing) as readonly object[];
    for (let place = 0; place < elements.length; place += 1) countErrors(elements[place]!, inner, counts);
  }
}

const nothing: readonly object[] = [];
