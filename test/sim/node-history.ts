/**
 * The life of one node in the order of zxids: what each transaction answered, and what each read showed at the zxid of its answer,
 * must be the node's state there. What had no answer and was never read may stand at any place, and excuses what it can.
 */
import { printHex } from '../../src/zookeeper/jute/ids.ts';
import { describe, isWrite, type Operation } from './operation.ts';
import { must } from './violation.ts';

interface Event {
  readonly operation: Operation;
  readonly zxid: bigint;
}

/**
 * @param operations all on one path
 * @param zxids of the writes of which it is known
 * @throws Violation
 */
export function checkNode(operations: readonly Operation[], zxids: ReadonlyMap<Operation, bigint>): void {
  const events: Event[] = [];
  const unplaced: Operation[] = [];
  for (const operation of operations) {
    const at = isWrite(operation) ? zxids.get(operation) : operation.zxid;
    if (at !== undefined) events.push({ operation, zxid: at });
    else if (isWrite(operation)) unplaced.push(operation);
  }
  // A read at a transaction's zxid comes after it.
  events.sort((a, b) => Number(a.zxid - b.zxid) || Number(isWrite(b.operation)) - Number(isWrite(a.operation)));
  const life = new Life(unplaced, operations);
  for (const event of events) life.next(event);
}

/** The newest state that is known, and what may have changed it since. */
class Life {
  readonly #unplaced: readonly Operation[];
  /** What reads showed of writes that had no answer. */
  readonly #versions = new Map<bigint, number>();
  /** Undefined: no node was ever heard of. */
  #last: { readonly event: Event; readonly isThere: boolean; readonly version: number | undefined } | undefined;

  constructor(unplaced: readonly Operation[], operations: readonly Operation[]) {
    this.#unplaced = unplaced;
    for (const { outcome } of operations) {
      if (outcome?.kind === 'saw') this.#versions.set(outcome.place.mzxid, outcome.place.version);
    }
  }

  next(event: Event): void {
    const { kind, outcome } = event.operation;
    if (outcome?.kind === 'saw') this.#saw(event, outcome.place.mzxid);
    else if (outcome?.kind === 'absent') this.#mustBe(event, 'absent');
    else if (outcome?.kind === 'exists') this.#mustBe(event, 'there');
    else if (outcome?.kind === 'bad version') this.#refused(event);
    else if (kind === 'create') this.#created(event);
    else if (kind === 'set') this.#set(event);
    else if (kind === 'delete') this.#deleted(event);
  }

  #created(event: Event): void {
    this.#mustBe(event, 'absent');
    this.#last = { event, isThere: true, version: 0 };
  }

  #deleted(event: Event): void {
    this.#mustBe(event, 'there');
    const { expected } = event.operation;
    if (expected >= 0) this.#mustHaveBeen(event, expected);
    this.#last = { event, isThere: false, version: undefined };
  }

  #set(event: Event): void {
    this.#mustBe(event, 'there');
    const { outcome, expected } = event.operation;
    const place = outcome?.kind === 'done' ? outcome.place : undefined;
    const version = place?.version ?? this.#versions.get(event.zxid);
    if (version !== undefined) this.#mustHaveBeen(event, version - 1);
    must(
      expected < 0 || version === undefined || version === expected + 1,
      () => `${describe(event.operation)} at ${printHex(event.zxid)} made version ${version}`,
    );
    this.#last = { event, isThere: true, version };
  }

  #saw(event: Event, mzxid: bigint): void {
    must(mzxid <= event.zxid, () => `${describe(event.operation)} at ${printHex(event.zxid)} shows ${printHex(mzxid)}`);
    const last = this.#last;
    must(
      last?.event.zxid === mzxid && last.isThere,
      () => `${describe(event.operation)} at ${printHex(event.zxid)} shows ${printHex(mzxid)}, not ${this.#lastText()}`,
    );
  }

  #refused(event: Event): void {
    this.#mustBe(event, 'there');
    const { expected } = event.operation;
    must(
      this.#last?.version !== expected || this.#mayHaveChanged(event),
      () => `${describe(event.operation)} at ${printHex(event.zxid)} was refused, after ${this.#lastText()}`,
    );
  }

  #mustBe(event: Event, want: 'there' | 'absent'): void {
    const isThere = this.#last?.isThere === true;
    if (isThere === (want === 'there')) return;
    const excuse = want === 'there' ? 'create' : 'delete';
    must(
      this.#mayHaveChanged(event, excuse),
      () => `${describe(event.operation)} at ${printHex(event.zxid)} found the node ${want}, after ${this.#lastText()}`,
    );
  }

  /** So many versions after the newest one that is known, so many writes that had no answer. */
  #mustHaveBeen(event: Event, version: number): void {
    const last = this.#last;
    if (last === undefined || !last.isThere || last.version === undefined) return;
    if (this.#mayHaveChanged(event, 'delete')) return;
    const lost = version - last.version;
    const excuses = this.#unplaced.filter(({ kind }) => kind === 'set').length;
    must(
      lost >= 0 && lost <= excuses,
      () => `${describe(event.operation)} at ${printHex(event.zxid)} met version ${version}, after ${this.#lastText()}`,
    );
  }

  #mayHaveChanged({ operation }: Event, kind?: Operation['kind']): boolean {
    const untilTick = operation.end ?? Number.POSITIVE_INFINITY;
    return this.#unplaced.some((each) => each.begin < untilTick && (kind === undefined || each.kind === kind));
  }

  #lastText(): string {
    if (this.#last === undefined) return 'nothing';
    const { event, version } = this.#last;
    return `${describe(event.operation)} at ${printHex(event.zxid)}${version === undefined ? '' : `, version ${version}`}`;
  }
}
