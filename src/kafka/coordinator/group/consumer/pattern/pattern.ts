import { compile, type Program } from './compile.ts';
import { parse } from './parse.ts';

export { PatternError } from './syntax.ts';

/**
 * A regular expression over topic names, in the syntax of RE2 (Kafka uses RE2/J). Matching takes time in proportion to the name and
 * the expression, whatever the expression: one that a client sends must not be able to hold the broker, as those of JavaScript can.
 */
export class Pattern {
  readonly #program: Program;

  /** @throws PatternError in the words of RE2/J */
  constructor(source: string) {
    this.#program = compile(parse(source));
  }

  /** The whole text. */
  matches(text: string): boolean {
    let current = new Set<number>();
    this.#follow(this.#program.start, text, 0, current);
    for (let at = 0; at < text.length; at += 1) {
      const next = new Set<number>();
      const code = text.charCodeAt(at);
      for (const place of current) {
        const step = this.#program.steps[place]!;
        if (step.kind === 'char' && step.set.has(code)) this.#follow(step.next, text, at + 1, next);
      }
      if (next.size === 0) return false;
      current = next;
    }
    for (const place of current) if (this.#program.steps[place]!.kind === 'match') return true;
    return false;
  }

  /** All that can be reached without a character. */
  #follow(from: number, text: string, at: number, into: Set<number>): void {
    const pending = [from];
    for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
      if (into.has(place)) continue;
      into.add(place);
      const step = this.#program.steps[place]!;
      if (step.kind === 'split') pending.push(...step.next);
      if (step.kind === 'look' && step.holds(text, at)) pending.push(step.next);
    }
  }
}
