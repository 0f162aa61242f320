import { CharSet } from './char-set.ts';

/** An expression that is not one; the message is RE2/J's. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

/** Says whether a place between two characters is of a kind. */
export type Look = (text: string, at: number) => boolean;

export type Node =
  | { readonly kind: 'char'; readonly set: CharSet }
  | { readonly kind: 'look'; readonly holds: Look }
  | { readonly kind: 'sequence' | 'choice'; readonly nodes: readonly Node[] }
  | { readonly kind: 'repeat'; readonly node: Node; readonly min: number; readonly max: number };

export const nothing: Node = { kind: 'sequence', nodes: [] };

const isWordAt = (text: string, at: number): boolean =>
  at >= 0 && at < text.length && CharSet.word.has(text.charCodeAt(at));

export const looks = {
  start: (_text: string, at: number): boolean => at === 0,
  end: (text: string, at: number): boolean => at === text.length,
  boundary: (text: string, at: number): boolean => isWordAt(text, at - 1) !== isWordAt(text, at),
  noBoundary: (text: string, at: number): boolean => isWordAt(text, at - 1) === isWordAt(text, at),
} as const;
