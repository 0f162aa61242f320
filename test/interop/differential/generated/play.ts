/** Tells a sequence of requests to both brokers, step by step, and finds the first answer that differs. */

import { isDeepStrictEqual } from 'node:util';
import { SimRandom } from '../../../../src/runtime/sim/sim-random.ts';
import type { Answer } from '../raw-client.ts';
import { differInCount, neutral } from './answers.ts';
import { FETCH, isSameByAndBy } from './by-and-by.ts';
import { Draw, type RequestKind, type RequestToSend, type Step, type VersionRanges } from './kind.ts';
import { kinds } from './kinds.ts';
import { type NoAnswer, Side } from './side.ts';

export interface Ports {
  readonly apache: number;
  readonly ours: number;
}

export interface Difference {
  /** Of the step in the sequence that was played. */
  readonly index: number;
  readonly apache: unknown;
  readonly ours: unknown;
}

const byName: ReadonlyMap<string, RequestKind<unknown>> = new Map(kinds.map((kind) => [kind.name, kind]));

/** The same seed and versions give the same steps. A new topic comes first: without one little can be asked. */
export function drawSteps(seed: number, count: number, versions: VersionRanges): Step[] {
  const draw = new Draw(new SimRandom(`differential ${seed}`), versions);
  const shared = kinds.filter(({ apiKey }) => versions.has(apiKey));
  const total = shared.reduce((sum, { weight }) => sum + weight, 0);
  return Array.from({ length: count }, (_, index): Step => {
    let place = draw.random.fraction() * total;
    const drawn = shared.find(({ weight }) => {
      place -= weight;
      return place < 0;
    });
    const kind = index === 0 ? shared[0] : drawn;
    if (kind === undefined) throw new RangeError('no kind of request is shared by both brokers');
    return { kind: kind.name, args: kind.draw(draw) };
  });
}

let runs = 0;

/** Plays until an answer differs; undefined when none does. Each run has names of its own, so that it finds nothing of another. */
export async function play(ports: Ports, steps: readonly Step[]): Promise<Difference | undefined> {
  runs += 1;
  const prefix = `run${process.pid}x${runs}-`;
  const apache = new Side('Apache', ports.apache, prefix);
  const ours = new Side('odradek', ports.ours, prefix);
  try {
    for (const [index, step] of steps.entries()) {
      const [theirs, own] = await Promise.all([tell(apache, step), tell(ours, step)]);
      if (isDeepStrictEqual(theirs.told, own.told)) continue;
      if (!(await isBySizeAlone([apache, ours], theirs, own))) return { index, apache: theirs.told, ours: own.told };
    }
    return undefined;
  } finally {
    apache.close();
    ours.close();
  }
}

interface Told {
  readonly request: RequestToSend;
  readonly answer: Answer | NoAnswer | null;
  readonly told: unknown;
}

async function tell(side: Side, { kind: name, args }: Step): Promise<Told> {
  const kind = byName.get(name);
  if (kind === undefined) throw new RangeError(`no kind of request named ${name}`);
  const request = kind.request(args, side);
  const answer = await side.send(request);
  if (typeof answer === 'string' || answer === null) return { request, answer, told: neutral(answer, side) };
  const told = neutral({ ...answer, facts: kind.facts?.(answer, side) ?? null }, side);
  await kind.learn?.(args, answer, side);
  return { request, answer, told };
}

/** More of the same records fit into one answer than into the other: who asks on gets the same of both. */
async function isBySizeAlone(sides: readonly [Side, Side], theirs: Told, own: Told): Promise<boolean> {
  const { request, answer } = theirs;
  if (request.apiKey !== FETCH || !isAnswer(answer) || !isAnswer(own.answer)) return false;
  if (!differInCount(theirs.told, own.told)) return false;
  const { isolationLevel = 0 } = request.fields as { readonly isolationLevel?: number };
  return isSameByAndBy(sides, request.version, [answer, own.answer], isolationLevel);
}

function isAnswer(answer: Told['answer']): answer is Answer {
  return typeof answer !== 'string' && answer !== null;
}
