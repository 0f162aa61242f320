/** placeholder */
export class PatternError extends Error {}
export class Pattern {
  readonly #regex: RegExp;
  constructor(source: string) {
    try {
      this.#regex = new RegExp(`^(?:${source})$`, 'u');
    } catch (error) {
      throw new PatternError(String(error));
    }
  }
  matches(text: string): boolean {
    return this.#regex.test(text);
  }
}
