import assert from 'node:assert/strict';
import test from 'node:test';
import { SimRandom } from '../../src/runtime/sim/sim-random.ts';
import { EnsembleHistory } from './ensemble-history.ts';
import type { Operation, OperationOutcome, Place } from './operation.ts';
import { Violation } from './violation.ts';

type NodeState = { readonly value: string; readonly place: Place } | undefined;
const paths = ['/a', '/b', '/c'];

interface Client {
  readonly session: string;
  server: number;
  order: number;
  lastZxid: bigint;
  /** Asked, then done, then answered. */
  operation: Operation | undefined;
  answer: { readonly zxid: bigint; readonly outcome: OperationOutcome | undefined } | undefined;
}

/** An ensemble without any wire: a list of states, and servers that show them sooner or later. */
class ToyEnsemble {
  readonly history = new EnsembleHistory();
  readonly #random: SimRandom;
  /** After each transaction; the place is the zxid. */
  readonly #states: ReadonlyMap<string, NodeState>[] = [new Map()];
  readonly #applied = [0, 0, 0];
  readonly #clients: readonly Client[];

  constructor(random: SimRandom) {
    this.#random = random;
    this.#clients = Array.from({ length: 4 }, (_, index) => ({
      session: `c${index}`,
      server: random.below(3),
      order: 0,
      lastZxid: 0n,
      operation: undefined,
      answer: undefined,
    }));
  }

  run(steps: number): EnsembleHistory {
    for (let step = 0; step < steps; step += 1) {
      const client = this.#random.pick(this.#clients);
      if (client.operation === undefined) this.#ask(client);
      else if (client.answer === undefined) this.#do(client, client.operation);
      else this.#answer(client, client.operation, client.answer);
      const server = this.#random.below(3);
      this.#applied[server] = Math.min(this.#applied[server]! + this.#random.below(3), this.#newest);
    }
    return this.history;
  }

  get #newest(): number {
    return this.#states.length - 1;
  }

  #ask(client: Client): void {
    const random = this.#random;
    const ahead = this.#applied.findIndex((zxid) => BigInt(zxid) >= client.lastZxid);
    if (random.chance(0.1) && ahead >= 0) client.server = ahead;
    client.order += 1;
    const kind = random.pick(['create', 'set', 'set', 'delete', 'read', 'read', 'sync'] as const);
    const value = kind === 'create' || kind === 'set' ? `${client.session}.${client.order}` : undefined;
    const path = random.pick(paths);
    const version = this.history.newestVersion.get(path) ?? -1;
    const expected = (kind === 'set' || kind === 'delete') && random.chance(0.3) ? version : -1;
    client.operation = this.history.asked({
      ...{ session: client.session, order: client.order, kind, path, value, expected },
    });
  }

  #do(client: Client, operation: Operation): void {
    const { kind, path } = operation;
    if (kind === 'sync') this.#applied[client.server] = this.#newest;
    if (kind === 'read' || kind === 'sync') {
      const zxid = this.#applied[client.server]!;
      const state = this.#states[zxid]!.get(path);
      const seen: OperationOutcome = state === undefined ? { kind: 'absent' } : { kind: 'saw', ...state };
      client.answer = { zxid: BigInt(zxid), outcome: kind === 'sync' ? undefined : seen };
      return;
    }
    const isLost = this.#random.chance(0.08);
    if (!isLost || this.#random.chance(0.5)) {
      const outcome = this.#write(operation);
      client.answer = { zxid: BigInt(this.#newest), outcome };
    }
    if (isLost) {
      // The rest of its session would be a new one.
      this.history.lost(operation);
      client.operation = undefined;
      client.answer = undefined;
    } else this.#applied[client.server] = Math.max(this.#applied[client.server]!, this.#newest);
  }

  #write({ kind, path, value = '', expected }: Operation): OperationOutcome {
    const before = this.#states.at(-1)!;
    const state = before.get(path);
    const zxid = BigInt(this.#states.length);
    const become = (next: NodeState): void => void this.#states.push(new Map(before).set(path, next));
    if (kind === 'create') {
      const place = { czxid: zxid, mzxid: zxid, version: 0 };
      become(state ?? { value, place });
      return state === undefined ? { kind: 'done', place } : { kind: 'exists' };
    }
    if (state === undefined || (expected >= 0 && expected !== state.place.version)) {
      become(state);
      return { kind: state === undefined ? 'absent' : 'bad version' };
    }
    const place = { ...state.place, mzxid: zxid, version: state.place.version + 1 };
    become(kind === 'set' ? { value, place } : undefined);
    return { kind: 'done', place: kind === 'set' ? place : undefined };
  }

  #answer(client: Client, operation: Operation, { zxid, outcome }: NonNullable<Client['answer']>): void {
    this.history.answered(operation, zxid, outcome);
    client.lastZxid = zxid;
    client.operation = undefined;
    client.answer = undefined;
  }
}

/** What breaks a history, where it finds a place for it. */
const mutations: readonly { name: string; finds: (operation: Operation) => boolean; mutate: Mutation }[] = [
  {
    name: 'a read shows an older state',
    finds: ({ outcome }) => outcome?.kind === 'saw',
    mutate: (read, operations) => {
      const isOlder = (each: Operation): boolean =>
        each.kind === 'read' && each.path === read.path && (placeOf(each)?.mzxid ?? read.zxid!) < placeOf(read)!.mzxid;
      read.outcome = operations.find(isOlder)?.outcome ?? { kind: 'absent' };
    },
  },
  {
    name: 'a write answers another version',
    finds: ({ kind, outcome }) => kind === 'set' && outcome?.kind === 'done',
    mutate: (write) => {
      const place = placeOf(write)!;
      write.outcome = { kind: 'done', place: { ...place, version: place.version + 1 + (write.order % 2) } };
    },
  },
  {
    name: 'a write answers a later zxid',
    finds: ({ kind, outcome }) => kind === 'set' && outcome?.kind === 'done',
    mutate: (write) => {
      write.zxid! += 3n;
      write.outcome = { kind: 'done', place: { ...placeOf(write)!, mzxid: write.zxid! } };
    },
  },
  {
    name: 'a refusal instead of a success',
    finds: ({ kind, outcome }) => kind === 'create' && outcome?.kind === 'done',
    mutate: (write) => {
      write.outcome = { kind: 'exists' };
    },
  },
  {
    name: 'a success instead of a refusal',
    finds: ({ kind, outcome }) => kind === 'create' && outcome?.kind === 'exists',
    mutate: (write) => {
      write.outcome = { kind: 'done', place: { czxid: write.zxid!, mzxid: write.zxid!, version: 0 } };
    },
  },
  {
    name: 'a sync that did not wait',
    finds: ({ kind, zxid }) => kind === 'sync' && (zxid ?? 0n) > 12n,
    mutate: (sync) => {
      sync.zxid! -= 12n;
    },
  },
];

type Mutation = (operation: Operation, operations: readonly Operation[]) => void;

function placeOf({ outcome }: Operation): Place | undefined {
  return outcome?.kind === 'saw' || outcome?.kind === 'done' ? outcome.place : undefined;
}

const COUNT = 60;

for (const { name, finds, mutate } of mutations) {
  test(`what an ensemble may do is believed, but mostly not ${name}`, () => {
    let refused = 0;
    for (let seed = 0; seed < COUNT; seed += 1) {
      const random = new SimRandom(`toy ${seed}`);
      const history = new ToyEnsemble(random).run(600);
      history.check();
      assert.ok(history.acknowledged > 50, 'a history of some length');
      assert.equal(history.undecided, 0);
      mutate(random.pick(history.operations.filter(finds)), history.operations);
      if (isRefused(history)) refused += 1;
    }
    assert.ok(refused > 0.8 * COUNT, `${refused} of ${COUNT} were refused`);
  });
}

function isRefused(history: EnsembleHistory): boolean {
  try {
    history.check();
    return false;
  } catch (error) {
    assert.ok(error instanceof Violation, String(error));
    return true;
  }
}
