/**
 * Zxids of answers give the order in which everything happened, so that no search is needed: the order must fit the clock of those
 * who asked, each session's own order, and what was answered. This is total: it looks at every answer of any history, however
 * long.
 */
import { epochOf, printHex } from '../../src/zookeeper/jute/ids.ts';
import { describe, isWrite, type Operation, short } from './operation.ts';
import { must } from './violation.ts';

/** A transaction's zxid, as its own answer gave it or a read showed it. */
type Order = ReadonlyMap<Operation, bigint>;

export interface OrderFindings {
  /** The zxid of every write of which it is known, done or refused. */
  readonly zxids: Order;
  /** Reads whose `sync` was answered in an epoch that was over by then, by a leader that did not know. */
  readonly stale: ReadonlySet<Operation>;
}

/** @throws Violation */
export function checkZxidOrder(operations: readonly Operation[]): OrderFindings {
  const zxids = orderOf(operations);
  const stale = checkRealTime(operations, zxids);
  checkSessions(operations, zxids);
  return { zxids, stale };
}

/** A zxid is one transaction for ever, and a transaction has one zxid. */
function orderOf(operations: readonly Operation[]): Order {
  const zxids = new Map<Operation, bigint>();
  const owners = new Map<bigint, Operation>();
  const writers = new Map<string, Operation>();
  const unnamed = new Map<string, Operation>();
  const owns = (zxid: bigint, operation: Operation): void => {
    const owner = owners.get(zxid);
    must(
      owner === undefined || owner.transaction === operation.transaction,
      () => `zxid ${printHex(zxid)} is both ${describe(owner!)} and ${describe(operation)}`,
    );
    owners.set(zxid, operation);
    const known = zxids.get(operation);
    must(
      known === undefined || known === zxid,
      () => `${describe(operation)} was done at ${printHex(known!)} and again at ${printHex(zxid)}`,
    );
    zxids.set(operation, zxid);
  };
  for (const operation of operations) {
    const { zxid, outcome, path, value } = operation;
    if (value !== undefined) writers.set(keyOf(path, value), operation);
    if (value !== undefined && operation.isSequential && outcome === undefined) unnamed.set(value, operation);
    if (!isWrite(operation) || zxid === undefined || outcome === undefined) continue;
    owns(zxid, operation);
    if (outcome.kind !== 'done' || outcome.place === undefined) continue;
    const at = operation.kind === 'create' ? outcome.place.czxid : outcome.place.mzxid;
    must(at === zxid, () => `${describe(operation)} answered ${printHex(zxid)}, and its Stat says ${printHex(at)}`);
  }
  for (const operation of operations) {
    const { outcome, path } = operation;
    if (outcome?.kind !== 'saw') continue;
    const writer = writers.get(keyOf(path, outcome.value)) ?? unnamed.get(outcome.value);
    must(writer !== undefined, () => `${describe(operation)} shows ${short(outcome.value)}, which nobody wrote`);
    must(
      operation.end! > writer.begin,
      () => `${describe(operation)} shows ${short(outcome.value)}, which nobody had written yet`,
    );
    writer.path = path; // of a sequential node whose creation had no answer
    owns(outcome.place.mzxid, writer);
  }
  return zxids;
}

const keyOf = (path: string, value: string): string => `${path} ${value}`;

/** Whatever was answered before a write was asked for is before it; and before what a `sync` shows. */
function checkRealTime(operations: readonly Operation[], zxids: Order): Set<Operation> {
  const begins = [...operations].sort((a, b) => a.begin - b.begin);
  const ends = operations.filter(({ end, zxid }) => end !== undefined && zxid !== undefined);
  ends.sort((a, b) => a.end! - b.end!);
  const stale = new Set<Operation>();
  let newest: Operation | undefined;
  let ended = 0;
  for (const operation of begins) {
    for (; ended < ends.length && ends[ended]!.end! < operation.begin; ended += 1) {
      if (newest === undefined || ends[ended]!.zxid! > newest.zxid!) newest = ends[ended];
    }
    if (newest === undefined) continue;
    const floor = newest.zxid!;
    const { zxid } = operation;
    const before = newest;
    if (operation.kind === 'sync' && zxid !== undefined && zxid < floor) {
      // A leader that was deposed and does not know answers a `sync` by itself (ZOOKEEPER-1675): of its own epoch it knows all.
      must(
        epochOf(zxid) < epochOf(floor),
        () =>
          `${describe(operation)} shows ${printHex(zxid)}, and ${describe(before)} was answered ${printHex(floor)} before`,
      );
      stale.add(operation);
    }
    const at = zxids.get(operation);
    must(
      at === undefined || at > floor,
      () =>
        `${describe(operation)} got zxid ${printHex(at!)}, and ${describe(before)} was answered ${printHex(floor)} before`,
    );
  }
  return new Set(operations.filter(({ synced }) => synced !== undefined && stale.has(synced)));
}

/**
 * A session's answers never go back, whichever server it is at, and its writes take effect in the order of its calls. A read may
 * miss a write that had no answer: its server need not have heard of it yet.
 */
function checkSessions(operations: readonly Operation[], zxids: Order): void {
  for (const asked of Map.groupBy(operations, ({ session }) => session).values()) {
    asked.sort((a, b) => a.order - b.order);
    checkAscending(asked.flatMap((operation) => timeOf(operation, operation.zxid)));
    checkAscending(asked.flatMap((operation) => timeOf(operation, zxids.get(operation))));
  }
}

interface Timed {
  readonly operation: Operation;
  readonly zxid: bigint;
}

function timeOf(operation: Operation, zxid: bigint | undefined): Timed[] {
  return zxid === undefined ? [] : [{ operation, zxid }];
}

function checkAscending(times: readonly Timed[]): void {
  for (const [index, { operation, zxid }] of times.entries()) {
    const before = times[index - 1];
    if (before === undefined || before.operation.transaction === operation.transaction) continue;
    must(
      zxid > before.zxid || (zxid === before.zxid && !isWrite(operation)),
      () =>
        `${describe(operation)} is at ${printHex(zxid)}, and ${describe(before.operation)} at ${printHex(before.zxid)}`,
    );
  }
}
