const SIZE = 128;

/** Characters of topic names: ASCII. What lies beyond can be written in an expression and matches no name. */
export class CharSet {
  readonly #has: Uint8Array;

  constructor(has = new Uint8Array(SIZE)) {
    this.#has = has;
  }

  static range(from: number, to: number): CharSet {
    return new CharSet().with(from, to);
  }

  static of(text: string): CharSet {
    const set = new CharSet();
    for (const char of text) set.with(char.codePointAt(0)!, char.codePointAt(0)!);
    return set;
  }

  has(code: number): boolean {
    return this.#has[code] === 1;
  }

  /** Adds to this set. */
  with(from: number, to: number): this {
    for (let code = from; code <= Math.min(to, SIZE - 1); code += 1) this.#has[code] = 1;
    return this;
  }

  /** Adds to this set. */
  withAll(other: CharSet): this {
    for (let code = 0; code < SIZE; code += 1) if (other.has(code)) this.#has[code] = 1;
    return this;
  }

  negated(): CharSet {
    return new CharSet(this.#has.map((one) => 1 - one));
  }

  /** With the other case of its letters. */
  ignoringCase(): CharSet {
    const set = new CharSet(this.#has.slice());
    for (let code = 65; code <= 90; code += 1) {
      if (this.has(code)) set.with(code + 32, code + 32);
      if (this.has(code + 32)) set.with(code, code);
    }
    return set;
  }

  static readonly digit = CharSet.range(48, 57);
  static readonly upper = CharSet.range(65, 90);
  static readonly lower = CharSet.range(97, 122);
  static readonly word = CharSet.range(48, 57).with(65, 90).with(97, 122).with(95, 95);
  static readonly space = CharSet.of('\t\n\f\r ');
  static readonly any = CharSet.range(0, SIZE - 1);
  static readonly none = new CharSet();
}

const alpha = CharSet.range(65, 90).with(97, 122);
const punctuation = CharSet.range(33, 47).with(58, 64).with(91, 96).with(123, 126);

/** `[:name:]` within a class. */
export const posixClasses: ReadonlyMap<string, CharSet> = new Map([
  ['alnum', CharSet.range(48, 57).withAll(alpha)],
  ['alpha', alpha],
  ['ascii', CharSet.any],
  ['blank', CharSet.of('\t ')],
  ['cntrl', CharSet.range(0, 31).with(127, 127)],
  ['digit', CharSet.digit],
  ['graph', CharSet.range(33, 126)],
  ['lower', CharSet.lower],
  ['print', CharSet.range(32, 126)],
  ['punct', punctuation],
  ['space', CharSet.of('\t\n\v\f\r ')],
  ['upper', CharSet.upper],
  ['word', CharSet.word],
  ['xdigit', CharSet.range(48, 57).with(65, 70).with(97, 102)],
]);

/** `\d` and its kin. */
export const perlClasses: ReadonlyMap<string, CharSet> = new Map([
  ['d', CharSet.digit],
  ['D', CharSet.digit.negated()],
  ['s', CharSet.space],
  ['S', CharSet.space.negated()],
  ['w', CharSet.word],
  ['W', CharSet.word.negated()],
]);

/** The ASCII part of what `\p` names; of a script, nothing but Latin. */
export const unicodeClasses: ReadonlyMap<string, CharSet> = new Map([
  ['L', alpha],
  ['Lu', CharSet.upper],
  ['Ll', CharSet.lower],
  ['N', CharSet.digit],
  ['Nd', CharSet.digit],
  ['P', CharSet.of('!"#%&\'()*,-./:;?@[\\]_{}')],
  ['Pc', CharSet.of('_')],
  ['Pd', CharSet.of('-')],
  ['Po', CharSet.of('!"#%&\'*,./:;?@\\')],
  ['S', CharSet.of('$+<=>^`|~')],
  ['Z', CharSet.of(' ')],
  ['C', CharSet.range(0, 31).with(127, 127)],
  ['Any', CharSet.any],
  ['Latin', alpha],
  ['Common', alpha.negated()],
  ...['M', 'Greek', 'Cyrillic', 'Han', 'Hebrew', 'Arabic', 'Hiragana', 'Katakana', 'Hangul', 'Thai'].map(
    (name) => [name, CharSet.none] as const,
  ),
]);
