import assert from 'node:assert/strict';
import test from 'node:test';
import { SimRandom } from '../../src/runtime/sim/sim-random.ts';
import { checkLinearizable, type Model, type Timed } from './linearizability.ts';
import { type NodeState, nodeModel } from './node-model.ts';
import type { Operation, OperationOutcome } from './operation.ts';

type Given = Partial<Pick<Operation, 'value' | 'expected' | 'session'>> & { readonly outcome?: OperationOutcome };

const place = (version: number) => ({ czxid: 1n, mzxid: 1n, version });
const done = (version?: number): OperationOutcome => ({
  kind: 'done',
  place: version === undefined ? undefined : place(version),
});
const saw = (value: string, version: number): OperationOutcome => ({ kind: 'saw', value, place: place(version) });
const absent: OperationOutcome = { kind: 'absent' };
const exists: OperationOutcome = { kind: 'exists' };
const badVersion: OperationOutcome = { kind: 'bad version' };

function operation(kind: Operation['kind'], { value, expected = -1, session = 'c', outcome }: Given): Operation {
  const rest = { id: 0, order: 0, transaction: 0, isEphemeral: false, isSequential: false, synced: undefined };
  return { ...rest, kind, path: '/r', value, expected, session, begin: 0, end: 0, zxid: undefined, outcome };
}

/** `end` undefined: unknown. */
function timed(kind: Operation['kind'], begin: number, end: number | undefined, given: Given): Timed<Operation> {
  return { operation: operation(kind, given), begin, end };
}

const created = timed('create', 0, 1, { value: 'a', outcome: done(0) });

const cases: readonly { name: string; history: readonly Timed<Operation>[]; want: 'linearizable' | 'refused' }[] = [
  { name: 'nothing at all', history: [], want: 'linearizable' },
  {
    name: 'one after the other',
    history: [
      created,
      timed('set', 2, 3, { value: 'b', outcome: done(1) }),
      timed('read', 4, 5, { outcome: saw('b', 1) }),
    ],
    want: 'linearizable',
  },
  {
    name: 'a read during a write sees it, or what was before',
    history: [
      created,
      timed('set', 2, 9, { value: 'b', outcome: done(1) }),
      timed('read', 3, 4, { outcome: saw('a', 0) }),
      timed('read', 5, 6, { outcome: saw('b', 1) }),
    ],
    want: 'linearizable',
  },
  {
    name: 'a read that goes back',
    history: [
      created,
      timed('set', 2, 9, { value: 'b', outcome: done(1) }),
      timed('read', 3, 4, { outcome: saw('b', 1) }),
      timed('read', 5, 6, { outcome: saw('a', 0) }),
    ],
    want: 'refused',
  },
  {
    name: 'a read of what was overwritten before it was asked for',
    history: [
      created,
      timed('set', 2, 3, { value: 'b', outcome: done(1) }),
      timed('read', 4, 5, { outcome: saw('a', 0) }),
    ],
    want: 'refused',
  },
  {
    name: 'an acknowledged write that is gone',
    history: [
      created,
      timed('set', 2, 3, { value: 'b', outcome: done(1) }),
      timed('set', 4, 5, { value: 'c', outcome: done(1) }),
    ],
    want: 'refused',
  },
  {
    name: 'two conditional writes at one version, both done',
    history: [
      created,
      timed('set', 2, 8, { value: 'b', expected: 0, outcome: done(1) }),
      timed('set', 3, 7, { value: 'c', expected: 0, outcome: done(1) }),
    ],
    want: 'refused',
  },
  {
    name: 'two conditional writes at one version, one refused',
    history: [
      created,
      timed('set', 2, 8, { value: 'b', expected: 0, outcome: badVersion }),
      timed('set', 3, 7, { value: 'c', expected: 0, outcome: done(1) }),
    ],
    want: 'linearizable',
  },
  {
    name: 'a conditional write refused for no reason',
    history: [created, timed('set', 2, 8, { value: 'b', expected: 0, outcome: badVersion })],
    want: 'refused',
  },
  {
    name: 'a write of unknown outcome that was read, long after',
    history: [
      created,
      timed('set', 2, undefined, { value: 'b' }),
      timed('read', 4, 5, { outcome: saw('a', 0) }),
      timed('read', 40, 50, { outcome: saw('b', 1) }),
    ],
    want: 'linearizable',
  },
  {
    name: 'a write of unknown outcome that was read before it was asked for',
    history: [created, timed('read', 2, 3, { outcome: saw('b', 1) }), timed('set', 4, undefined, { value: 'b' })],
    want: 'refused',
  },
  {
    name: 'a write of unknown outcome that was done twice',
    history: [
      created,
      timed('set', 2, undefined, { value: 'b' }),
      timed('read', 4, 5, { outcome: saw('b', 1) }),
      timed('set', 6, 7, { value: 'c', outcome: done(2) }),
      timed('read', 8, 9, { outcome: saw('b', 3) }),
    ],
    want: 'refused',
  },
  {
    name: 'a write of unknown outcome explains a version',
    history: [
      created,
      timed('set', 2, undefined, { value: '?' }),
      timed('set', 4, 5, { value: 'c', outcome: done(2) }),
    ],
    want: 'linearizable',
  },
  {
    name: 'nobody explains a version',
    history: [created, timed('set', 4, 5, { value: 'c', outcome: done(2) })],
    want: 'refused',
  },
  {
    name: 'deleted and created again',
    history: [
      created,
      timed('delete', 2, 3, { outcome: done() }),
      timed('create', 4, 5, { value: 'b', outcome: done(0) }),
    ],
    want: 'linearizable',
  },
  {
    name: 'created twice',
    history: [created, timed('create', 4, 5, { value: 'b', outcome: done(0) })],
    want: 'refused',
  },
  {
    name: 'a create refused although nothing was there',
    history: [
      created,
      timed('delete', 2, 3, { outcome: done() }),
      timed('create', 4, 5, { value: 'b', outcome: exists }),
    ],
    want: 'refused',
  },
  {
    name: 'a delete of unknown outcome explains an absence',
    history: [
      created,
      timed('delete', 2, undefined, {}),
      timed('set', 3, 4, { value: 'b', outcome: absent }),
      timed('read', 5, 6, { outcome: absent }),
    ],
    want: 'linearizable',
  },
  {
    name: 'nobody explains an absence',
    history: [created, timed('set', 3, 4, { value: 'b', outcome: absent })],
    want: 'refused',
  },
];

for (const { name, history, want } of cases) {
  test(`${name}: ${want}`, () => {
    const verdict = checkLinearizable(nodeModel, history);
    assert.equal(verdict.kind, want);
  });
}

test('what one client asked for stays in its order', () => {
  const history = (after: number | undefined): Timed<Operation>[] => [
    created,
    { ...timed('set', 2, 9, { value: 'b', outcome: done(2) }) },
    { ...timed('set', 3, 8, { value: 'c', outcome: done(1) }), after },
  ];
  assert.equal(checkLinearizable(nodeModel, history(undefined)).kind, 'linearizable');
  assert.equal(checkLinearizable(nodeModel, history(1)).kind, 'refused');
});

test('a refusal names what could not be ordered', () => {
  const history = [
    created,
    timed('set', 2, 3, { value: 'b', outcome: done(1) }),
    timed('read', 4, 5, { outcome: saw('a', 0) }),
  ];
  assert.deepEqual(checkLinearizable(nodeModel, history), { kind: 'refused', ordered: 2, blocked: 2 });
});

test('many writes of unknown outcome do not make the search long', () => {
  const unknown = Array.from({ length: 40 }, (_, index) => ({
    ...timed('set', 2 + index, undefined, { value: '?' }),
    twin: 'set ? -1',
  }));
  const history = [created, ...unknown, timed('set', 60, 61, { value: 'c', outcome: done(42) })];
  assert.equal(checkLinearizable(nodeModel, history, 20_000).kind, 'refused');
  const fitting = [created, ...unknown, timed('set', 60, 61, { value: 'c', outcome: done(41) })];
  assert.equal(checkLinearizable(nodeModel, fitting, 20_000).kind, 'linearizable');
});

test('a search that takes too long is given up', () => {
  const counter: Model<number, number> = {
    initial: 0,
    step: (sum, term) => sum + term,
    keyOf: String,
  };
  const refusing: Model<number, number> = { ...counter, step: (sum, term) => (term === 0 ? undefined : sum + term) };
  const history = Array.from({ length: 18 }, (_, index) => ({ operation: 2 ** index, begin: index, end: 100 }));
  const verdict = checkLinearizable(refusing, [...history, { operation: 0, begin: 50, end: 51 }], 5000);
  assert.equal(verdict.kind, 'undecided');
});

/** A history that the model itself made: each operation at a moment of its own, its call before it, its answer after it. */
function legalHistory(random: SimRandom): Timed<Operation>[] {
  let state: NodeState = 'absent';
  const history: Timed<Operation>[] = [];
  for (let moment = 0; moment < 40; moment += 1) {
    const drawn = random.fraction();
    const kind = drawn < 0.3 ? 'read' : drawn < 0.7 ? 'set' : drawn < 0.9 ? 'create' : 'delete';
    const value = kind === 'set' || kind === 'create' ? `v${moment}` : undefined;
    const version: number = state === 'absent' ? 0 : state.version;
    const expected = kind !== 'read' && kind !== 'create' && random.chance(0.3) ? version - random.below(2) : -1;
    const isUnknown: boolean = kind !== 'read' && random.chance(0.1);
    const begin = moment - random.between(0, 3);
    if (isUnknown) {
      const asked = operation(kind, { value, expected });
      if (random.chance(0.5)) state = nodeModel.step(state, asked) ?? state;
      history.push({ operation: asked, begin, end: undefined });
      continue;
    }
    const outcome = outcomeOf(state, kind, expected);
    const known = operation(kind, { value, expected, outcome });
    const next: NodeState | undefined = nodeModel.step(state, known);
    assert.ok(next !== undefined, 'the model accepts what it answers');
    state = next;
    history.push({ operation: known, begin, end: moment + random.between(0.001, 3) });
  }
  return history;
}

function outcomeOf(state: NodeState, kind: Operation['kind'], expected: number): OperationOutcome {
  if (kind === 'create') return state === 'absent' ? done(0) : exists;
  if (state === 'absent') return absent;
  if (kind === 'read') return saw(state.value, state.version);
  if (expected >= 0 && expected !== state.version) return badVersion;
  return kind === 'set' ? done(state.version + 1) : done();
}

/** Something else than what happened. */
function mutated(history: readonly Timed<Operation>[], random: SimRandom): Timed<Operation>[] {
  const copy = [...history];
  const known = copy.map((_, index) => index).filter((index) => copy[index]!.operation.outcome !== undefined);
  const index = random.pick(known);
  const { operation: asked, begin, end } = copy[index]!;
  const shifted = (by: number) => ({ operation: asked, begin: begin + by, end: end! + by });
  const { outcome } = asked;
  if (random.chance(0.3)) copy[index] = shifted(random.pick([-15, 15]));
  else if (outcome?.kind === 'saw') copy[index] = { ...copy[index]!, operation: { ...asked, outcome: absent } };
  else if (outcome?.kind === 'done' && asked.kind === 'set') {
    copy[index] = { ...copy[index]!, operation: { ...asked, outcome: done(outcome.place!.version + 1) } };
  } else if (outcome?.kind === 'absent') {
    const instead = asked.kind === 'read' ? saw('v0', 0) : asked.kind === 'set' ? done(1) : done();
    copy[index] = { ...copy[index]!, operation: { ...asked, outcome: instead } };
  } else copy.splice(index, 1, shifted(20));
  return copy;
}

test('what the model did is believed, and mutations of it are refused mostly', () => {
  let refused = 0;
  const count = 300;
  for (let seed = 0; seed < count; seed += 1) {
    const random = new SimRandom(`history ${seed}`);
    const history = legalHistory(random);
    assert.equal(checkLinearizable(nodeModel, history).kind, 'linearizable', `history ${seed}`);
    if (checkLinearizable(nodeModel, mutated(history, random)).kind === 'refused') refused += 1;
  }
  assert.ok(refused > 0.6 * count, `${refused} of ${count} mutations were refused`);
});
