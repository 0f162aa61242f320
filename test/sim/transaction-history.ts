import { must } from './violation.ts';

export type Isolation = 'read_committed' | 'read_uncommitted';

export interface SeenRecord {
  readonly offset: number;
  readonly value: string;
}

/** A transaction as its producer knows it. Values read `owner.life/serial/index`, and what was transformed ends in `=source@offset`. */
export interface Transaction {
  readonly name: string;
  readonly owner: string;
  readonly life: number;
  /** Partition by value. */
  readonly records: Map<string, string>;
  /** By partition, what the group has read when it is committed. */
  readonly offsets: Map<string, number>;
  asked: 'commit' | 'abort' | undefined;
  told: 'committed' | 'aborted' | undefined;
  /** A later life of its transactional id had begun when the commit was asked for. */
  isZombie: boolean;
}

interface Partition {
  readonly values: Map<number, string>;
  readonly committed: Map<string, number>;
  stableOffset: number;
}

/** What producers were told and readers saw, and what no right broker can have said. */
export class TransactionHistory {
  readonly #transactions = new Map<string, Transaction>();
  readonly #partitions = new Map<string, Partition>();
  /** The newest life of each owner that a coordinator acknowledged. */
  readonly #lives = new Map<string, number>();
  readonly #groupOffsets = new Map<string, number>();

  get transactions(): readonly Transaction[] {
    return [...this.#transactions.values()];
  }

  lifeBegan(owner: string, life: number): void {
    this.#lives.set(owner, Math.max(life, this.#lives.get(owner) ?? 0));
  }

  began(owner: string, life: number, serial: number): Transaction {
    const name = `${owner}.${life}/${serial}`;
    const transaction: Transaction = {
      ...{ name, owner, life, records: new Map(), offsets: new Map() },
      ...{ asked: undefined, told: undefined, isZombie: false },
    };
    this.#transactions.set(name, transaction);
    return transaction;
  }

  asked(transaction: Transaction, what: 'commit' | 'abort'): void {
    transaction.asked = what;
    transaction.isZombie = this.#lives.get(transaction.owner)! > transaction.life;
  }

  told(transaction: Transaction, what: 'committed' | 'aborted'): void {
    const { name, isZombie, records } = transaction;
    // What holds nothing is committed without asking anybody, by Apache's producer too.
    const isWrong = what === 'committed' && isZombie && records.size > 0;
    must(!isWrong, () => `the commit of ${name} was acknowledged, and its producer is fenced`);
    transaction.told = what;
  }

  saw(isolation: Isolation, where: string, { offset, value }: SeenRecord): void {
    const partition = this.#partition(where);
    const known = partition.values.get(offset);
    must(known === undefined || known === value, () => `${where}: offset ${offset} was ${known} and is ${value}`);
    partition.values.set(offset, value);
    const transaction = this.#transactionOf(value);
    must(transaction?.records.get(value) === where, () => `${where}: ${value} at offset ${offset}, which nobody sent`);
    if (isolation === 'read_uncommitted') return;
    const { name, asked, told, isZombie } = transaction;
    must(
      asked === 'commit',
      () => `${where}: ${value} is read, and ${name} is ${asked === undefined ? 'open' : 'aborted'}`,
    );
    must(told !== 'aborted', () => `${where}: ${value} is read, and ${name} was aborted`);
    must(!isZombie, () => `${where}: ${value} is read, and its producer was fenced before the commit`);
    const before = partition.committed.get(value) ?? offset;
    must(before === offset, () => `${where}: ${value} is there twice, at offset ${before} and ${offset}`);
    partition.committed.set(value, offset);
  }

  sawStableOffset(where: string, stableOffset: number, highWatermark: number): void {
    const partition = this.#partition(where);
    must(stableOffset <= highWatermark, () => `${where}: last stable offset ${stableOffset} beyond ${highWatermark}`);
    const before = partition.stableOffset;
    must(stableOffset >= before, () => `${where}: the last stable offset went back from ${before} to ${stableOffset}`);
    partition.stableOffset = stableOffset;
  }

  /** A group's offset is that of a transaction whose commit was asked for, and never goes back. */
  sawGroupOffset(source: string, offset: number): void {
    const by = this.transactions.filter((each) => each.offsets.get(source) === offset);
    must(
      by.some(({ asked, told, isZombie }) => asked === 'commit' && told !== 'aborted' && !isZombie),
      () =>
        `the group has read ${source} up to ${offset}, which no transaction committed (${by.map(({ name }) => name)})`,
    );
    const before = this.#groupOffsets.get(source) ?? 0;
    must(offset >= before, () => `the group's offset of ${source} went back from ${before} to ${offset}`);
    this.#groupOffsets.set(source, offset);
  }

  /** One partition read from its start to its end, when nobody writes. */
  auditPartition(where: string, isolation: Isolation, found: readonly SeenRecord[]): void {
    for (const record of found) this.saw(isolation, where, record);
    const values = new Set(found.map(({ value }) => value));
    must(values.size === found.length, () => `${where}: a record is there twice`);
    if (isolation === 'read_uncommitted') {
      checkOrder(where, found);
      return;
    }
    for (const value of this.#partition(where).committed.keys()) {
      must(values.has(value), () => `${where}: ${value} was read, and is gone`);
    }
  }

  /** All partitions were audited: transactions are whole. */
  auditTransactions(): void {
    for (const { name, told, records } of this.#transactions.values()) {
      const [missing] = [...records].filter(([value, where]) => !this.#isCommitted(where, value));
      const [visible] = [...records].filter(([value, where]) => this.#isCommitted(where, value));
      must(told !== 'committed' || missing === undefined, () => `${missing} of ${name} was committed and is lost`);
      must(
        missing === undefined || visible === undefined,
        () => `${name} is visible in part: ${visible} is, and ${missing} is not`,
      );
    }
  }

  /** What a group read up to its offset, and nothing else, was transformed, each record once. */
  auditTransformed(source: string, groupOffset: number): void {
    if (groupOffset > 0) this.sawGroupOffset(source, groupOffset);
    const due = new Set([...this.#partition(source).committed.values()].filter((offset) => offset < groupOffset));
    const made = new Map<number, string>();
    for (const { committed } of this.#partitions.values()) {
      for (const value of committed.keys()) {
        const [, from = '', digits = ''] = /=(.*)@(\d+)$/.exec(value) ?? [];
        if (from !== source) continue;
        const offset = Number(digits);
        must(
          !made.has(offset),
          () => `offset ${offset} of ${source} is transformed twice: ${made.get(offset)} and ${value}`,
        );
        must(
          due.has(offset),
          () => `offset ${offset} of ${source} is transformed, and the group stands at ${groupOffset}`,
        );
        made.set(offset, value);
      }
    }
    for (const offset of due) {
      must(
        made.has(offset),
        () => `the group has read ${source} up to ${groupOffset}, and offset ${offset} is not transformed`,
      );
    }
  }

  #isCommitted(where: string, value: string): boolean {
    return this.#partition(where).committed.has(value);
  }

  #transactionOf(value: string): Transaction | undefined {
    return this.#transactions.get(value.slice(0, value.lastIndexOf('/', indexOrEnd(value, '='))));
  }

  #partition(where: string): Partition {
    const known = this.#partitions.get(where);
    if (known !== undefined) return known;
    const made = { values: new Map(), committed: new Map(), stableOffset: 0 };
    this.#partitions.set(where, made);
    return made;
  }
}

function indexOrEnd(text: string, part: string): number {
  const index = text.indexOf(part);
  return index < 0 ? text.length : index;
}

/** Each owner's records in the order of its lives and of sending: a fenced life writes nothing behind its successor. */
function checkOrder(where: string, found: readonly SeenRecord[]): void {
  const last = new Map<string, { readonly value: string; readonly place: readonly number[] }>();
  for (const { offset, value } of found) {
    const [, owner = '', ...digits] = /^(\w+)\.(\d+)\/(\d+)\/(\d+)/.exec(value) ?? [];
    const place = digits.map(Number);
    const before = last.get(owner);
    must(
      before === undefined || isBefore(before.place, place),
      () => `${where}: ${value} at offset ${offset} comes after ${before?.value}`,
    );
    last.set(owner, { value, place });
  }
}

function isBefore(a: readonly number[], b: readonly number[]): boolean {
  const index = a.findIndex((each, at) => each !== b[at]);
  return index >= 0 && a[index]! < b[index]!;
}
