/**
 * Whether one order explains a history: each operation takes effect at once, somewhere between its call and its answer, and
 * what it answered is what the model answers in that order. The search is Wing and Gong's with Lowe's memory of what was tried
 * ("Testing for linearizability", 2017), as Knossos and Porcupine have it. It knows nothing of zxids, so it judges them.
 */
export interface Model<S, O> {
  readonly initial: S;
  /**
   * The state after the operation; undefined where it cannot have ended as it did. An operation of unknown outcome gives the state
   * that it leaves if it takes effect.
   */
  step(state: S, operation: O): S | undefined;
  /** Equal for equal states and only for these. */
  keyOf(state: S): string;
}

export interface Timed<O> {
  readonly operation: O;
  /** On one clock with all others; an end that equals a begin comes after it. */
  readonly begin: number;
  /** Undefined: nobody knows the outcome. It takes effect at any time after its begin, or never. */
  readonly end: number | undefined;
  /** The place in the list of one that must come before, as the same client asked for it before. It has an end. */
  readonly after?: number | undefined;
  /** Operations of unknown outcome with equal texts do the same: only the first of them that is left is tried. */
  readonly twin?: string | undefined;
}

export type Verdict =
  | { readonly kind: 'linearizable' }
  /** No order was found for so many; in the longest one `blocked`, a place in the list, could not be fitted in. */
  | { readonly kind: 'refused'; readonly ordered: number; readonly blocked: number }
  /** The search was given up. */
  | { readonly kind: 'undecided' };

/** A call or an answer, in a list from which ordered operations are taken out. */
interface Entry {
  readonly place: number;
  readonly kind: 'call' | 'answer';
  readonly at: number;
  answer: Entry | undefined;
  before: Entry | undefined;
  next: Entry | undefined;
}

const STEPS_MAX = 200_000;

export function checkLinearizable<S, O>(
  model: Model<S, O>,
  history: readonly Timed<O>[],
  stepsMax = STEPS_MAX,
): Verdict {
  return new Search(model, history).run(stepsMax);
}

class Search<S, O> {
  readonly #model: Model<S, O>;
  readonly #history: readonly Timed<O>[];
  /** For each place the earlier one that does the same. */
  readonly #twinBefore: readonly (number | undefined)[];
  readonly #head: Entry;
  readonly #ordered: Uint32Array;
  readonly #tried = new Set<string>();
  readonly #path: { readonly entry: Entry; readonly state: S }[] = [];
  #state: S;
  #answersLeft: number;
  #longest = 0;
  #blocked = 0;

  constructor(model: Model<S, O>, history: readonly Timed<O>[]) {
    this.#model = model;
    this.#history = history;
    this.#state = model.initial;
    this.#twinBefore = twinsBefore(history);
    this.#head = listOf(history);
    this.#ordered = new Uint32Array(Math.ceil(history.length / 32));
    this.#answersLeft = history.filter(({ end }) => end !== undefined).length;
  }

  run(stepsMax: number): Verdict {
    let entry = this.#head.next;
    for (let steps = 0; this.#answersLeft > 0; steps += 1) {
      if (steps === stepsMax) return { kind: 'undecided' };
      if (entry?.kind === 'call') {
        entry = this.#take(entry) ? this.#head.next : entry.next;
        continue;
      }
      // An answer stands here whose call found no place, or nothing is left to try.
      if (this.#path.length >= this.#longest) {
        this.#longest = this.#path.length;
        if (entry !== undefined) this.#blocked = entry.place;
      }
      const last = this.#path.pop();
      if (last === undefined) return { kind: 'refused', ordered: this.#longest, blocked: this.#blocked };
      this.#putBack(last.entry, last.state);
      entry = last.entry.next;
    }
    return { kind: 'linearizable' };
  }

  /** Orders the operation next, where it fits and this was not tried before. */
  #take(entry: Entry): boolean {
    const { place } = entry;
    const { operation, after, end } = this.#history[place]!;
    const twin = this.#twinBefore[place];
    if (after !== undefined && !this.#isOrdered(after)) return false;
    if (twin !== undefined && !this.#isOrdered(twin)) return false;
    const state = this.#model.step(this.#state, operation);
    if (state === undefined) return false;
    const key = this.#model.keyOf(state);
    // Without an effect it is the same as never.
    if (end === undefined && key === this.#model.keyOf(this.#state)) return false;
    this.#mark(place);
    const tried = `${this.#ordered.join()} ${key}`;
    if (this.#tried.has(tried)) {
      this.#mark(place);
      return false;
    }
    this.#tried.add(tried);
    this.#path.push({ entry, state: this.#state });
    this.#state = state;
    remove(entry);
    if (entry.answer !== undefined) {
      remove(entry.answer);
      this.#answersLeft -= 1;
    }
    return true;
  }

  #putBack(entry: Entry, state: S): void {
    if (entry.answer !== undefined) {
      insert(entry.answer);
      this.#answersLeft += 1;
    }
    insert(entry);
    this.#mark(entry.place);
    this.#state = state;
  }

  #isOrdered(place: number): boolean {
    return (this.#ordered[place >>> 5]! & (1 << (place & 31))) !== 0;
  }

  #mark(place: number): void {
    this.#ordered[place >>> 5]! ^= 1 << (place & 31);
  }
}

function twinsBefore(history: readonly Timed<unknown>[]): (number | undefined)[] {
  const order = history.map((_, place) => place).sort((a, b) => history[a]!.begin - history[b]!.begin);
  const last = new Map<string, number>();
  const before: (number | undefined)[] = history.map(() => undefined);
  for (const place of order) {
    const { twin, end } = history[place]!;
    if (twin === undefined || end !== undefined) continue;
    before[place] = last.get(twin);
    last.set(twin, place);
  }
  return before;
}

/** Calls and answers in the order of time, behind a head. */
function listOf(history: readonly Timed<unknown>[]): Entry {
  const entries: Entry[] = [];
  const link = { answer: undefined, before: undefined, next: undefined };
  for (const [place, { begin, end }] of history.entries()) {
    const answer: Entry | undefined = end === undefined ? undefined : { ...link, place, kind: 'answer', at: end };
    entries.push({ ...link, place, kind: 'call', at: begin, answer });
    if (answer !== undefined) entries.push(answer);
  }
  entries.sort((a, b) => a.at - b.at || (a.kind === b.kind ? 0 : a.kind === 'call' ? -1 : 1));
  const head: Entry = { ...link, place: -1, kind: 'call', at: Number.NEGATIVE_INFINITY };
  let before = head;
  for (const entry of entries) {
    before.next = entry;
    entry.before = before;
    before = entry;
  }
  return head;
}

function remove(entry: Entry): void {
  entry.before!.next = entry.next;
  if (entry.next !== undefined) entry.next.before = entry.before;
}

/** Undoes the last `remove`: its neighbours are its neighbours still. */
function insert(entry: Entry): void {
  entry.before!.next = entry;
  if (entry.next !== undefined) entry.next.before = entry;
}
