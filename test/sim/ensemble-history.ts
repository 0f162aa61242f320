import { printHex } from '../../src/zookeeper/jute/ids.ts';
import { checkEphemeralFates } from './ephemeral-fates.ts';
import { checkNode } from './node-history.ts';
import { judgeNode } from './node-model.ts';
import { describe, isWrite, type Operation, type OperationOutcome } from './operation.ts';
import { must } from './violation.ts';
import { checkZxidOrder } from './zxid-order.ts';

export type Asked = Pick<Operation, 'session' | 'order' | 'kind' | 'path'> &
  Partial<Pick<Operation, 'transaction' | 'value' | 'expected' | 'isEphemeral' | 'isSequential' | 'synced'>>;

/** What all clients of an ensemble asked and were told. Nothing is judged before the end, when it is known what happened when. */
export class EnsembleHistory {
  readonly operations: Operation[] = [];
  /** The newest version that somebody was told of, to ask for conditional writes. */
  readonly newestVersion = new Map<string, number>();
  #tick = 0;
  acknowledged = 0;
  unknown = 0;
  reads = 0;
  /** Reads that a leader of the past answered. */
  stale = 0;
  /** Nodes for which the search was given up. */
  undecided = 0;

  asked(given: Asked): Operation {
    const id = this.operations.length;
    const optional = { value: undefined, expected: -1, isEphemeral: false, isSequential: false, synced: undefined };
    const open = { end: undefined, zxid: undefined, outcome: undefined };
    const operation = { ...optional, transaction: id, ...given, ...open, id, begin: this.#nextTick() };
    this.operations.push(operation);
    return operation;
  }

  answered(operation: Operation, zxid: bigint, outcome: OperationOutcome | undefined): void {
    operation.end = this.#nextTick();
    operation.zxid = zxid;
    operation.outcome = outcome;
    if (isWrite(operation)) this.acknowledged += 1;
    else this.reads += 1;
    const place = outcome?.kind === 'done' || outcome?.kind === 'saw' ? outcome.place : undefined;
    if (place !== undefined) this.newestVersion.set(operation.path, place.version);
  }

  /** No answer, or one that says nothing. */
  lost(operation: Operation): void {
    if (isWrite(operation)) this.unknown += 1;
  }

  /** Judges everything so far. @throws Violation */
  check(): void {
    const { zxids, stale } = checkZxidOrder(this.operations);
    this.stale = stale.size;
    this.undecided = 0;
    checkEphemeralFates(this.operations, zxids);
    checkSequence([...zxids.keys()]);
    for (const [path, operations] of Map.groupBy(this.operations, (each) => each.path)) {
      if (operations.some(({ isEphemeral }) => isEphemeral)) continue;
      checkNode(operations, zxids);
      const { verdict, timed } = judgeNode(operations, (read) => !stale.has(read));
      if (verdict.kind === 'undecided') this.undecided += 1;
      must(
        verdict.kind !== 'refused',
        () =>
          `no order explains ${path}: of ${timed.length} operations ${verdict.kind === 'refused' ? verdict.ordered : 0} fit, and then not ${describe(timed[verdict.kind === 'refused' ? verdict.blocked : 0]!.operation)}`,
      );
    }
  }

  #nextTick(): number {
    this.#tick += 1;
    return this.#tick;
  }
}

/** The numbers in the names of sequential nodes grow as their zxids. */
function checkSequence(writes: readonly Operation[]): void {
  const made = writes.flatMap(({ isSequential, path, outcome }) =>
    isSequential && outcome?.kind === 'done' && outcome.place !== undefined
      ? [{ path, czxid: outcome.place.czxid }]
      : [],
  );
  made.sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const [index, { path, czxid }] of made.entries()) {
    const before = made[index - 1];
    must(
      before === undefined || before.czxid < czxid,
      () => `${path} was made at ${printHex(czxid)}, and ${before!.path} at ${printHex(before!.czxid)}`,
    );
  }
}
