/**
 * The subscribers of one topic by how much they have: one range of those with least, to whom partitions go in turn, one of those
 * with most, who give in turn. Each grows towards the other as its level changes.
 *
 *              least            most
 *            [ # # # ] # # # [ # # ] #     the last had nothing of this topic to give
 */
export class Balancer {
  readonly #loads: Int32Array;
  readonly #sorted: number[];
  #leastEnd = 0;
  #leastLevel: number;
  #nextLeast = 0;
  #mostStart: number;
  #mostEnd: number;
  #mostLevel: number;
  #nextMost: number;

  /** @param loads of all members by index; they are read as they are when a range grows */
  constructor(members: readonly number[], loads: Int32Array) {
    this.#loads = loads;
    this.#sorted = [...members].sort((a, b) => loads[a]! - loads[b]! || a - b);
    this.#leastLevel = this.#load(0) - 1;
    this.#mostStart = this.#sorted.length;
    this.#mostEnd = this.#sorted.length;
    this.#mostLevel = this.#load(this.#sorted.length - 1) + 1;
    this.#nextMost = this.#sorted.length - 1;
  }

  get imbalance(): number {
    return this.#load(this.#sorted.length - 1) - this.#load(0);
  }

  get isBalanced(): boolean {
    return this.#mostLevel - this.#leastLevel <= 1;
  }

  /** It is taken for granted that the member gets a partition. */
  nextLeastLoaded(): number {
    if (this.#nextLeast >= this.#leastEnd) {
      this.#leastLevel += 1;
      while (this.#leastEnd < this.#sorted.length && this.#load(this.#leastEnd) === this.#leastLevel)
        this.#leastEnd += 1;
      this.#nextLeast = 0;
    }
    const member = this.#sorted[this.#nextLeast]!;
    this.#nextLeast += 1;
    return member;
  }

  /** It is taken for granted that the member gives a partition. -1 when nobody is left. */
  nextMostLoaded(): number {
    if (this.#nextMost < this.#mostStart) {
      // A range that is empty, as none of it had anything to give, must grow all the same.
      if (this.#mostEnd <= this.#mostStart && this.#mostStart > 0) this.#mostLevel = this.#load(this.#mostStart - 1);
      else this.#mostLevel -= 1;
      while (this.#mostStart > 0 && this.#load(this.#mostStart - 1) === this.#mostLevel) this.#mostStart -= 1;
      this.#nextMost = this.#mostEnd - 1;
    }
    if (this.#nextMost < 0) return -1;
    const member = this.#sorted[this.#nextMost]!;
    this.#nextMost -= 1;
    return member;
  }

  /** The member that was named last has nothing to give. */
  excludeMostLoaded(): void {
    const at = this.#nextMost + 1;
    const member = this.#sorted[at]!;
    this.#sorted[at] = this.#sorted[this.#mostEnd - 1]!;
    this.#sorted[this.#mostEnd - 1] = member;
    this.#mostEnd -= 1;
  }

  #load(place: number): number {
    return this.#loads[this.#sorted[place]!]!;
  }
}
