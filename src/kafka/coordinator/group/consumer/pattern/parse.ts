import { CharSet, perlClasses, posixClasses, unicodeClasses } from './char-set.ts';
import { looks, type Node, nothing, PatternError } from './syntax.ts';

/** RE2's limit, of one repetition and of those within each other taken together. */
const REPEAT_MAX = 1000;
const DEPTH_MAX = 1000;
const REPETITION = /^(?:[*+?]|\{\d+(?:,\d*)?\})/;

export function parse(source: string): Node {
  const parser = new Parser(source);
  const node = parser.choice();
  // RE2/J has no better word for a parenthesis that closes nothing.
  if (!parser.isAtEnd) throw new PatternError('regexp/syntax: internal error');
  checkRepeats(node, REPEAT_MAX);
  return node;
}

interface Flags {
  readonly ignoreCase: boolean;
}

class Parser {
  readonly #source: string;
  #at = 0;
  #depth = 0;
  #flags: Flags = { ignoreCase: false };
  readonly #groupNames = new Set<string>();

  constructor(source: string) {
    this.#source = source;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#source.length;
  }

  choice(): Node {
    const nodes = [this.#sequence()];
    while (this.#take('|')) nodes.push(this.#sequence());
    return nodes.length === 1 ? nodes[0]! : { kind: 'choice', nodes };
  }

  #sequence(): Node {
    const nodes: Node[] = [];
    while (!this.isAtEnd && !this.#isNext('|') && !this.#isNext(')')) {
      if (this.#take('\\Q')) {
        nodes.push(...this.#quoted());
        continue;
      }
      if (this.#repetition() !== undefined) throw new PatternError('missing argument to repetition operator');
      nodes.push(this.#repeated(this.#atom()));
    }
    return { kind: 'sequence', nodes };
  }

  #quoted(): Node[] {
    const end = this.#source.indexOf('\\E', this.#at);
    const text = this.#source.slice(this.#at, end === -1 ? undefined : end);
    this.#at = end === -1 ? this.#source.length : end + 2;
    return Array.from(text, (char) => this.#char(CharSet.of(char)));
  }

  #repeated(node: Node): Node {
    const repetition = this.#repetition();
    if (repetition === undefined) return node;
    this.#at += repetition.length;
    this.#take('?'); // the shortest match or the longest: the whole text matches or does not
    if (this.#repetition() !== undefined) throw new PatternError('invalid nested repetition operator');
    const [min, max] = boundsOf(repetition);
    return { kind: 'repeat', node, min, max };
  }

  #repetition(): string | undefined {
    return REPETITION.exec(this.#source.slice(this.#at, this.#at + 32))?.[0];
  }

  #atom(): Node {
    if (this.#take('(')) return this.#group();
    if (this.#take('[')) return this.#char(this.#class());
    if (this.#take('.')) return { kind: 'char', set: CharSet.of('\n').negated() };
    if (this.#take('^')) return { kind: 'look', holds: looks.start };
    if (this.#take('$')) return { kind: 'look', holds: looks.end };
    if (this.#isNext('\\')) return this.#escaped();
    return this.#char(CharSet.of(this.#next()));
  }

  #group(): Node {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw new PatternError('expression nests too deeply');
    const outer = this.#flags;
    if (this.#isNext('?') && this.#option()) {
      this.#depth -= 1;
      return nothing;
    }
    const node = this.choice();
    if (!this.#take(')')) throw new PatternError('missing closing )');
    this.#flags = outer;
    this.#depth -= 1;
    return node;
  }

  /** True when it was flags alone, which count up to the end of the group around them. */
  #option(): boolean {
    const rest = this.#source.slice(this.#at);
    const named = /^\?P?<([^>]*)(>?)/.exec(rest);
    if (named !== null && !/^\?<[=!]/.test(rest)) {
      const [all, name = '', close] = named;
      if (close === '' || !/^\w+$/.test(name)) throw new PatternError('invalid named capture');
      if (this.#groupNames.has(name)) throw new PatternError('duplicate capture group name');
      this.#groupNames.add(name);
      this.#at += all.length;
      return false;
    }
    const flags = /^\?([imsU]*)(?:-([imsU]+))?([:)])/.exec(rest);
    const [all, on = '', off, end] = flags ?? [];
    if (all === undefined || all === '?)') {
      throw new PatternError(/^\?[^)]*$/.test(rest) ? 'missing closing )' : 'invalid or unsupported Perl syntax');
    }
    this.#at += all.length;
    const ignoreCase = (this.#flags.ignoreCase || on.includes('i')) && off?.includes('i') !== true;
    this.#flags = { ignoreCase };
    return end === ')';
  }

  #escaped(): Node {
    const boundary = /^\\([AzbB])/.exec(this.#source.slice(this.#at, this.#at + 2))?.[1];
    if (boundary !== undefined) {
      this.#at += 2;
      const kinds = { A: looks.start, z: looks.end, b: looks.boundary, B: looks.noBoundary } as const;
      return { kind: 'look', holds: kinds[boundary as keyof typeof kinds] };
    }
    return this.#char(this.#classEscape() ?? CharSet.range(...this.#code()));
  }

  /** `\d`, `\pL`; undefined for what is one character. */
  #classEscape(): CharSet | undefined {
    const perl = perlClasses.get(this.#source[this.#at + 1] ?? '');
    if (perl !== undefined) {
      this.#at += 2;
      return perl;
    }
    const unicode = /^\\([pP])(?:\{(\^?)(\w+)\}|(\w))/.exec(this.#source.slice(this.#at));
    if (unicode === null) {
      if (/^\\[pP]/.test(this.#source.slice(this.#at))) throw new PatternError('invalid character class range');
      return undefined;
    }
    const [all, letter, caret, long, short] = unicode;
    const set = unicodeClasses.get(long ?? short ?? '');
    if (set === undefined) throw new PatternError('invalid character class range');
    this.#at += all.length;
    return (letter === 'P') === (caret === '^') ? set : set.negated();
  }

  /** One escaped character, from and to. */
  #code(): [number, number] {
    const rest = this.#source.slice(this.#at);
    if (rest.length < 2) throw new PatternError('trailing backslash at end of expression');
    const numeric = /^\\(?:([1-7][0-7]{1,2}|0[0-7]{0,2})|x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]{1,6})\})/.exec(rest);
    if (numeric !== null) {
      const [all, octal, hex, long] = numeric;
      this.#at += all.length;
      const code = octal === undefined ? Number.parseInt(hex ?? long ?? '', 16) : Number.parseInt(octal, 8);
      return [code, code];
    }
    const char = Array.from(rest)[1]!;
    const control = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 }[char];
    if (control === undefined && (/\w/.test(char) || char.codePointAt(0)! > 127)) {
      throw new PatternError('invalid escape sequence');
    }
    this.#at += 1 + char.length;
    const code = control ?? char.codePointAt(0)!;
    return [code, code];
  }

  #class(): CharSet {
    const isNegated = this.#take('^');
    const set = new CharSet();
    for (let isFirst = true; isFirst || !this.#isNext(']'); isFirst = false) {
      if (this.isAtEnd) throw new PatternError('missing closing ]');
      const named = this.#posixClass() ?? (this.#isNext('\\') ? this.#classEscape() : undefined);
      if (named !== undefined) set.withAll(named);
      else set.with(...this.#range());
    }
    this.#at += 1;
    const complete = this.#flags.ignoreCase ? set.ignoringCase() : set;
    return isNegated ? complete.negated() : complete;
  }

  #posixClass(): CharSet | undefined {
    const named = /^\[:(\^?)(\w*):\]/.exec(this.#source.slice(this.#at));
    if (named === null) return undefined;
    const [all, caret, name = ''] = named;
    const set = posixClasses.get(name);
    if (set === undefined) throw new PatternError('invalid character class range');
    this.#at += all.length;
    return caret === '^' ? set.negated() : set;
  }

  #range(): [number, number] {
    const from = this.#classCode();
    if (!this.#isNext('-') || this.#source[this.#at + 1] === ']' || this.#at + 1 >= this.#source.length)
      return [from, from];
    this.#at += 1;
    const to = this.#classCode();
    if (to < from) throw new PatternError('invalid character class range');
    return [from, to];
  }

  #classCode(): number {
    return this.#isNext('\\') ? this.#code()[0] : this.#next().codePointAt(0)!;
  }

  #char(set: CharSet): Node {
    return { kind: 'char', set: this.#flags.ignoreCase ? set.ignoringCase() : set };
  }

  #next(): string {
    const char = String.fromCodePoint(this.#source.codePointAt(this.#at)!);
    this.#at += char.length;
    return char;
  }

  #isNext(text: string): boolean {
    return this.#source.startsWith(text, this.#at);
  }

  #take(text: string): boolean {
    if (!this.#isNext(text)) return false;
    this.#at += text.length;
    return true;
  }
}

function boundsOf(repetition: string): [number, number] {
  if (repetition === '*') return [0, Number.POSITIVE_INFINITY];
  if (repetition === '+') return [1, Number.POSITIVE_INFINITY];
  if (repetition === '?') return [0, 1];
  const [least = '', most] = repetition.slice(1, -1).split(',');
  const min = Number(least);
  const max = most === undefined ? min : most === '' ? Number.POSITIVE_INFINITY : Number(most);
  const isTooMany = min > REPEAT_MAX || (max !== Number.POSITIVE_INFINITY && max > REPEAT_MAX);
  if (isTooMany || min > max) throw new PatternError('invalid repeat count');
  return [min, max];
}

/** Counted repetitions within each other multiply. */
function checkRepeats(node: Node, left: number): void {
  switch (node.kind) {
    case 'repeat': {
      const count = node.max === Number.POSITIVE_INFINITY ? node.min : node.max;
      if (count > left) throw new PatternError('invalid repeat count');
      checkRepeats(node.node, count > 1 ? Math.floor(left / count) : left);
      return;
    }
    case 'sequence':
    case 'choice':
      for (const one of node.nodes) checkRepeats(one, left);
      return;
    default:
  }
}
