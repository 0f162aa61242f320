import { must } from './violation.ts';

export interface Found {
  readonly offset: number;
  readonly value: string;
}

interface Entry {
  readonly value: string;
  /** The lives of the machine's power are numbered: only what an earlier one took may be lost. */
  readonly era: number;
}

/** What everybody was told of one partition. Values read `producer.serial`. */
export class PartitionHistory {
  readonly name: string;
  readonly #entries = new Map<number, Entry>();
  readonly #acked = new Set<string>();
  /** Acknowledged, and taken by a power failure that may take it. */
  lost = 0;
  era = 0;

  constructor(name: string) {
    this.name = name;
  }

  get acknowledged(): number {
    return this.#acked.size;
  }

  acked(offset: number, value: string): void {
    this.#acked.add(value);
    // A producer whose repeated batch was dropped as a duplicate is not told where the first one went.
    if (offset >= 0) this.saw({ offset, value });
  }

  saw({ offset, value }: Found): void {
    const known = this.#entries.get(offset);
    if (known !== undefined && known.value !== value) {
      must(
        known.era < this.era,
        () =>
          `offset ${offset} of ${this.name} was ${short(known.value)} and is ${short(value)}, without any power failure`,
      );
      this.#cut(offset);
    }
    this.#entries.set(offset, { value, era: this.era });
  }

  /** The whole log, read from its start to its end, must explain everything. */
  audit(found: readonly Found[], when: string): void {
    for (const [index, each] of found.entries()) {
      must(each.offset === index, () => `${this.name} ${when}: offset ${each.offset} stands where ${index} is due`);
      this.saw(each);
    }
    const end = found.length;
    for (const [offset, { value, era }] of [...this.#entries]) {
      if (offset < end) continue;
      must(
        era < this.era || !this.#acked.has(value),
        () =>
          `${this.name} ${when}: ${short(value)} at offset ${offset} was acknowledged and is lost, the log ends at ${end}`,
      );
      this.#drop(offset);
    }
    this.#checkProducers(found, when);
  }

  /** Each producer's records in the order of sending; of an idempotent one each once. */
  #checkProducers(found: readonly Found[], when: string): void {
    const last = new Map<string, number>();
    const seen = new Set<string>();
    for (const { offset, value } of found) {
      const [producer = '', digits = ''] = value.split('.');
      const isFirst = !seen.has(value);
      seen.add(value);
      const isIdempotent = producer.startsWith('i');
      must(
        isFirst || !isIdempotent,
        () => `${this.name} ${when}: ${short(value)} is there twice, again at offset ${offset}`,
      );
      if (!isFirst || (!isIdempotent && !this.#acked.has(value))) continue;
      const serial = Number.parseInt(digits, 10);
      const before = last.get(producer) ?? -1;
      must(
        serial > before,
        () => `${this.name} ${when}: ${short(value)} at offset ${offset} comes after serial ${before}`,
      );
      last.set(producer, serial);
    }
    for (const value of this.#acked) {
      must(seen.has(value), () => `${this.name} ${when}: ${short(value)} was acknowledged and is lost`);
    }
  }

  /** A power failure took the log's end from here on; what was acknowledged in an earlier era goes with it. */
  #cut(offset: number): void {
    for (const [each, { era }] of [...this.#entries]) if (each >= offset && era < this.era) this.#drop(each);
  }

  #drop(offset: number): void {
    const { value } = this.#entries.get(offset)!;
    this.#entries.delete(offset);
    if (this.#acked.delete(value)) this.lost += 1;
  }
}

function short(value: string): string {
  return value.slice(0, 20);
}
