import type { CharSet } from './char-set.ts';
import { type Look, type Node, PatternError } from './syntax.ts';

export type Step =
  | { readonly kind: 'char'; readonly set: CharSet; readonly next: number }
  | { readonly kind: 'look'; readonly holds: Look; readonly next: number }
  | { readonly kind: 'split'; readonly next: readonly number[] }
  | { readonly kind: 'match' };

/** What can follow what. */
export interface Program {
  readonly steps: readonly Step[];
  readonly start: number;
}

/** Repetitions are written out: this bounds what one expression may cost. */
const STEPS_MAX = 20_000;

export function compile(node: Node): Program {
  const steps: Step[] = [{ kind: 'match' }];
  const start = new Compiler(steps).place(node, 0);
  return { steps, start };
}

class Compiler {
  readonly #steps: Step[];

  constructor(steps: Step[]) {
    this.#steps = steps;
  }

  /** Where the node begins, if `next` follows it. */
  place(node: Node, next: number): number {
    switch (node.kind) {
      case 'char':
        return this.#push({ kind: 'char', set: node.set, next });
      case 'look':
        return this.#push({ kind: 'look', holds: node.holds, next });
      case 'sequence':
        return node.nodes.reduceRight((following, one) => this.place(one, following), next);
      case 'choice':
        return this.#push({ kind: 'split', next: node.nodes.map((one) => this.place(one, next)) });
      case 'repeat':
        return this.#repeat(node.node, node.min, node.max, next);
      default:
        return node satisfies never;
    }
  }

  #repeat(node: Node, min: number, max: number, next: number): number {
    let start = next;
    if (max === Number.POSITIVE_INFINITY) {
      const loop = this.#push({ kind: 'split', next: [next] });
      this.#steps[loop] = { kind: 'split', next: [this.place(node, loop), next] };
      start = loop;
    } else {
      for (let count = min; count < max; count += 1) {
        start = this.#push({ kind: 'split', next: [this.place(node, start), next] });
      }
    }
    for (let count = 0; count < min; count += 1) start = this.place(node, start);
    return start;
  }

  #push(step: Step): number {
    if (this.#steps.length >= STEPS_MAX) throw new PatternError('invalid repeat count');
    this.#steps.push(step);
    return this.#steps.length - 1;
  }
}
