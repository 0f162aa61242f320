import { checkLinearizable, type Model, type Timed, type Verdict } from './linearizability.ts';
import { isWrite, type Operation } from './operation.ts';

/** A node as clients see it. */
export type NodeState = { readonly value: string; readonly version: number } | 'absent';

/** One znode: a register with versions that can be created and deleted. */
export const nodeModel: Model<NodeState, Operation> = {
  initial: 'absent',
  step: (state, operation) => {
    switch (operation.kind) {
      case 'create':
        return create(state, operation);
      case 'set':
        return set(state, operation);
      case 'delete':
        return remove(state, operation);
      default:
        return read(state, operation);
    }
  },
  keyOf: (state) => (state === 'absent' ? state : `${state.version} ${state.value}`),
};

function create(state: NodeState, { value = '', outcome }: Operation): NodeState | undefined {
  if (outcome?.kind === 'exists') return state === 'absent' ? undefined : state;
  if (state === 'absent') return { value, version: 0 };
  return outcome === undefined ? state : undefined;
}

function set(state: NodeState, operation: Operation): NodeState | undefined {
  const { value = '', outcome } = operation;
  if (!isPossible(state, operation)) return undefined;
  if (state === 'absent' || !fits(state.version, operation) || outcome?.kind === 'bad version') return state;
  const version = state.version + 1;
  if (outcome?.kind === 'done' && outcome.place?.version !== version) return undefined;
  return { value, version };
}

function remove(state: NodeState, operation: Operation): NodeState | undefined {
  if (!isPossible(state, operation)) return undefined;
  if (state === 'absent' || !fits(state.version, operation) || operation.outcome?.kind === 'bad version') return state;
  return 'absent';
}

function read(state: NodeState, { outcome }: Operation): NodeState | undefined {
  if (outcome?.kind === 'absent') return state === 'absent' ? state : undefined;
  if (outcome?.kind !== 'saw' || state === 'absent') return undefined;
  return outcome.value === state.value && outcome.place.version === state.version ? state : undefined;
}

function fits(version: number, { expected }: Operation): boolean {
  return expected < 0 || expected === version;
}

/** Whether a write that needs a node could end as it did. */
function isPossible(state: NodeState, operation: Operation): boolean {
  const { outcome } = operation;
  if (outcome === undefined) return true;
  if (outcome.kind === 'absent') return state === 'absent';
  if (state === 'absent') return false;
  return (outcome.kind === 'bad version') !== fits(state.version, operation);
}

/** A larger history is cut off there: what has no answer by then is of unknown outcome. */
const OPERATIONS_MAX = 150;

export interface Judged {
  readonly verdict: Verdict;
  readonly timed: readonly Timed<Operation>[];
}

/**
 * Judges the operations on one node: all writes, and reads behind a `sync` from the time that the sync was asked for.
 * @param isCurrent false for a read whose `sync` was answered by a leader that was none any more
 */
export function judgeNode(
  operations: readonly Operation[],
  isCurrent: (read: Operation) => boolean = () => true,
): Judged {
  const judged = operations.filter((each) => isWrite(each) || (each.synced?.zxid !== undefined && isCurrent(each)));
  judged.sort((a, b) => beginOf(a) - beginOf(b));
  const untilTick = judged[OPERATIONS_MAX] === undefined ? Number.POSITIVE_INFINITY : beginOf(judged[OPERATIONS_MAX]);
  const observed = new Set(judged.map(({ outcome }) => (outcome?.kind === 'saw' ? outcome.value : undefined)));
  const lastOf = new Map<string, number>();
  const timed: Timed<Operation>[] = [];
  for (const each of judged) {
    const isKnown = each.outcome !== undefined && each.end! < untilTick;
    if (beginOf(each) >= untilTick || (!isKnown && !isWrite(each))) continue;
    if (isKnown) {
      timed.push({ operation: each, begin: beginOf(each), end: each.end, after: lastOf.get(each.session) });
      lastOf.set(each.session, timed.length - 1);
    } else timed.push(unknown(each, observed));
  }
  return { verdict: checkLinearizable(nodeModel, timed), timed };
}

function beginOf({ synced, begin }: Operation): number {
  return synced?.begin ?? begin;
}

/** What nobody read may be called anything: then all that do the same are alike. */
function unknown(operation: Operation, observed: ReadonlySet<string | undefined>): Timed<Operation> {
  const isSeen = observed.has(operation.value);
  const value = isSeen ? operation.value : '?';
  const twin = `${operation.kind} ${value} ${operation.expected}`;
  return { operation: { ...operation, value, outcome: undefined }, begin: operation.begin, end: undefined, twin };
}
