/** Numbers uniform in [0, 1). */
export type Chance = () => number;

/**
 * Which of a row of values are in a uniform sample of bounded size: each has the same chance to be there in the end (Algorithm L of
 * K.-H. Li, which draws random numbers only for the values that it takes, so that most cost a comparison).
 */
export class SampleDraw {
  readonly #chance: Chance;
  readonly #size: number;
  #takenCount = 0;
  /** So many values until one is taken, that one included. */
  #untilTaken = 1;
  #weight = 1;

  constructor(chance: Chance, size: number) {
    this.#chance = chance;
    this.#size = size;
  }

  get untilTaken(): number {
    return this.#untilTaken;
  }

  /** The next value's place in the sample, where it may follow another; -1 of most, which are not taken. */
  next(): number {
    if (this.#untilTaken === 1) return this.take();
    this.#untilTaken -= 1;
    return -1;
  }

  /** So many values, none of which is taken. */
  pass(count: number): void {
    this.#untilTaken -= count;
  }

  /** The place of the value that `untilTaken` leads to. */
  take(): number {
    const place = this.#takenCount < this.#size ? this.#takenCount : Math.floor(this.#chance() * this.#size);
    this.#takenCount += 1;
    this.#untilTaken = this.#takenCount < this.#size ? 1 : this.#skip();
    return place;
  }

  #skip(): number {
    // 1 - x: never zero.
    this.#weight *= Math.exp(Math.log(1 - this.#chance()) / this.#size);
    return Math.floor(Math.log(1 - this.#chance()) / Math.log1p(-this.#weight)) + 1;
  }
}

/** The sample itself. */
export class Reservoir {
  readonly #draw: SampleDraw;
  readonly #values: number[] = [];

  constructor(chance: Chance, size: number) {
    this.#draw = new SampleDraw(chance, size);
  }

  get values(): readonly number[] {
    return this.#values;
  }

  add(value: number, count: number): void {
    let left = count;
    while (left >= this.#draw.untilTaken) {
      left -= this.#draw.untilTaken;
      this.#values[this.#draw.take()] = value;
    }
    this.#draw.pass(left);
  }
}
