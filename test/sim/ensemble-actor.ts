import type { SimMachine } from '../../src/runtime/sim/sim-machine.ts';
import type { SimRandom } from '../../src/runtime/sim/sim-random.ts';
import { connectZookeeper, type ZookeeperClient } from '../../src/zookeeper/client/client.ts';
import { CreateMode } from '../../src/zookeeper/jute/create-mode.ts';
import type { Stat } from '../../src/zookeeper/jute/data.ts';
import { ErrorCode, KeeperError } from '../../src/zookeeper/jute/errors.ts';
import type { Asked, EnsembleHistory } from './ensemble-history.ts';
import { describe, type Operation, type OperationOutcome } from './operation.ts';
import { ReplyTap } from './reply-tap.ts';
import { must, Violation } from './violation.ts';

export interface EnsembleActorOptions {
  readonly name: string;
  readonly machine: SimMachine;
  readonly connect: string;
  readonly sessionTimeoutMs: number;
  /** Nodes that are always there. */
  readonly registers: readonly string[];
  /** Nodes that come and go. */
  readonly flags: readonly string[];
  readonly history: EnsembleHistory;
  readonly random: SimRandom;
  readonly inFlightMax: number;
  /** On average between two bursts of requests. */
  readonly pauseMs: number;
  /** How many of the values span pages. */
  readonly largeShare: number;
  readonly violated: (error: unknown) => void;
}

/** A watch on a node in the state that was read; of the present session. */
interface Watch {
  readonly path: string;
  state: string;
  isFired: boolean;
}

/** After these nobody knows whether a write was done. */
const unknownOutcome: ReadonlySet<number> = new Set([ErrorCode.CONNECTIONLOSS, ErrorCode.SESSIONEXPIRED]);

const refusals = new Map<number, OperationOutcome>([
  [ErrorCode.NONODE, { kind: 'absent' }],
  [ErrorCode.NODEEXISTS, { kind: 'exists' }],
  [ErrorCode.BADVERSION, { kind: 'bad version' }],
]);

/** A client of an ensemble that asks for something all the time and writes down what it was told. */
export class EnsembleActor {
  readonly options: EnsembleActorOptions;
  client: ZookeeperClient;
  #tap = new ReplyTap();
  #watches: Watch[] = [];
  /** Ephemeral nodes of the present session that were acknowledged. */
  readonly ephemerals = new Set<string>();
  readonly #items: string[] = [];
  #serial = 0;
  /** Requests of the present session: the client gives them the xids 1, 2, … */
  #asked = 0;
  #inFlight = 0;
  #isStopping = false;
  sessions = 0;
  /** Writes that were answered. */
  acknowledged = 0;

  constructor(options: EnsembleActorOptions) {
    this.options = options;
    this.client = this.#open();
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get watches(): readonly Watch[] {
    return this.#watches;
  }

  stop(): void {
    this.#isStopping = true;
  }

  async run(): Promise<void> {
    const { random, machine, inFlightMax, sessionTimeoutMs, pauseMs } = this.options;
    while (!this.#isStopping) {
      const waitMs = random.chance(1 / 60) ? random.between(500, sessionTimeoutMs) : random.between(0, 2 * pauseMs);
      await new Promise<void>((resolve) => machine.runtime.clock.after(waitMs, resolve));
      if (this.client.state === 'expired') this.client = this.#open();
      else if (this.client.state === 'connected' && random.chance(1 / 400)) await this.#leave();
      const burst = 1 + random.below(inFlightMax);
      for (let count = 0; count < burst && this.#inFlight < inFlightMax && !this.#isStopping; count += 1) this.#act();
    }
  }

  /** Ends the session in good order and begins another one. */
  async #leave(): Promise<void> {
    await this.client.close();
    this.client = this.#open();
  }

  #open(): ZookeeperClient {
    const { machine, connect, sessionTimeoutMs } = this.options;
    this.#watches = [];
    this.ephemerals.clear();
    this.sessions += 1;
    this.#asked = 0;
    this.#tap = new ReplyTap();
    const runtime = { ...machine.runtime, network: this.#tap.on(machine.runtime.network) };
    return connectZookeeper(runtime, { connect, sessionTimeoutMs });
  }

  #act(): void {
    const { random, registers, flags } = this.options;
    const path = random.pick(registers);
    const drawn = random.fraction();
    if (drawn < 0.2) this.#read(path, random.chance(0.5), undefined);
    else if (drawn < 0.28) this.#read(random.pick(flags), random.chance(0.5), undefined);
    else if (drawn < 0.38) this.#readCurrent(random.chance(0.5) ? path : random.pick(flags));
    else if (drawn < 0.6) this.#write(path);
    else if (drawn < 0.66) this.#writeTwo(path, random.pick(registers));
    else if (drawn < 0.76) this.#flip(random.pick(flags));
    else if (drawn < 0.83) this.#createItem();
    else if (drawn < 0.87) this.#deleteItem();
    else if (drawn < 0.93) this.#createEphemeral();
    else this.#lookAtEphemeral();
  }

  #label(): string {
    this.#serial += 1;
    const { name, random, largeShare } = this.options;
    const label = `${name}.${this.#serial}`;
    return random.chance(largeShare) ? label.padEnd(600 + random.below(16_000), '~') : label;
  }

  // ---------------------------------------------------------------- asking

  /** One request, which is one operation or, of a multi, several. `judge` makes an outcome of the answer. */
  #ask<T>(
    given: readonly Omit<Asked, 'session' | 'order'>[],
    request: () => Promise<T>,
    judge: (answer: T, index: number) => OperationOutcome | undefined,
  ): readonly Operation[] {
    const { history, name } = this.options;
    const tap = this.#tap;
    this.#asked += 1;
    const xid = this.#asked;
    const transaction = history.operations.length;
    const operations = given.map((each) =>
      history.asked({ transaction, ...each, session: `${name}#${this.sessions}`, order: xid }),
    );
    this.#inFlight += 1;
    const settle = (act: () => void): void => {
      this.#inFlight -= 1;
      try {
        act();
      } catch (error) {
        this.options.violated(error instanceof Error ? new Violation(`${name}: ${error.message}`) : error);
      }
    };
    const zxid = (): bigint => {
      const found = tap.zxids.get(xid);
      must(found !== undefined, () => `${describe(operations[0]!)} has an answer that was not seen on the wire`);
      tap.zxids.delete(xid);
      return found;
    };
    request().then(
      (answer) => settle(() => this.#answered(operations, zxid(), (index) => judge(answer, index))),
      (error) =>
        settle(() => {
          if (!(error instanceof KeeperError)) throw error;
          if (unknownOutcome.has(error.code)) for (const each of operations) history.lost(each);
          else this.#answered(operations, zxid(), () => this.#refused(operations[0]!, error));
        }),
    );
    return operations;
  }

  #answered(
    operations: readonly Operation[],
    zxid: bigint,
    judge: (index: number) => OperationOutcome | undefined,
  ): void {
    for (const [index, operation] of operations.entries()) {
      const outcome = judge(index);
      this.options.history.answered(operation, zxid, outcome);
      if (operation.kind !== 'read' && operation.kind !== 'sync') this.acknowledged += 1;
      if (operation.session.endsWith(`#${this.sessions}`)) this.#observed(operation, outcome);
    }
  }

  #refused(operation: Operation, error: KeeperError): OperationOutcome {
    const outcome = refusals.get(error.code);
    must(outcome !== undefined, () => `${describe(operation)} failed: ${error.message}`);
    return outcome;
  }

  /** Whatever shows a change comes after the event of whoever waits for the change. */
  #observed({ path }: Operation, outcome: OperationOutcome | undefined): void {
    const state = stateOf(outcome);
    if (state === undefined) return;
    for (const watch of this.#watches) {
      if (watch.path !== path || watch.isFired) continue;
      must(watch.state === state, () => `${path} is ${state}, was ${watch.state}, and no watch event came before`);
    }
    this.#watches = this.#watches.filter((each) => each.path !== path || !each.isFired || each.state === state);
  }

  // ---------------------------------------------------------------- requests

  #read(path: string, isWatching: boolean, synced: Operation | undefined): void {
    const watch: Watch = { path, state: '', isFired: false };
    const watcher = (): void => {
      watch.isFired = true;
    };
    const options = isWatching ? { watch: watcher } : {};
    const begun = this.sessions;
    // A read of data sets no watch where no node is.
    const keep = (outcome: OperationOutcome): OperationOutcome => {
      if (isWatching && begun === this.sessions && outcome.kind === 'saw') {
        watch.state = stateOf(outcome)!;
        this.#watches.push(watch);
      }
      return outcome;
    };
    const request = (): ReturnType<ZookeeperClient['getData']> => this.client.getData(path, options);
    this.#ask([{ kind: 'read', path, synced, isEphemeral: path.startsWith('/e/') }], request, ({ data, stat }) =>
      keep({ kind: 'saw', value: String(data), place: placeOf(stat) }),
    );
  }

  #readCurrent(path: string): void {
    const [sync] = this.#ask(
      [{ kind: 'sync', path }],
      () => this.client.sync(path),
      () => undefined,
    );
    this.#read(path, false, sync);
  }

  #write(path: string): void {
    const { history, random } = this.options;
    const value = this.#label();
    const expected = random.chance(0.25) ? (history.newestVersion.get(path) ?? -1) : -1;
    this.#ask(
      [{ kind: 'set', path, value, expected }],
      () => this.client.setData(path, value, expected),
      (stat) => ({ kind: 'done', place: placeOf(stat) }),
    );
  }

  /** Both or neither, in one transaction. */
  #writeTwo(first: string, second: string): void {
    if (first === second) return;
    const value = this.#label();
    const paths = [first, second];
    this.#ask(
      paths.map((path) => ({ kind: 'set' as const, path, value })),
      () => this.client.multi(paths.map((path) => ({ kind: 'setData', path, data: value }))),
      (results, index) => {
        const result = results[index]!;
        must(result.kind === 'setData', () => `a multi of setData answered ${result.kind}`);
        return { kind: 'done', place: placeOf(result.stat) };
      },
    );
  }

  #flip(path: string): void {
    const { history, random } = this.options;
    if (random.chance(0.5)) {
      const value = this.#label();
      this.#create({ kind: 'create', path, value }, CreateMode.PERSISTENT, () => undefined);
      return;
    }
    const expected = random.chance(0.3) ? (history.newestVersion.get(path) ?? -1) : -1;
    this.#delete(path, expected);
  }

  #create(
    given: Omit<Asked, 'session' | 'order'> & { readonly value: string },
    mode: CreateMode,
    created: (path: string, stat: Stat) => void,
  ): void {
    const name = given.isSequential === true ? '/q/item-' : given.path;
    const [operation] = this.#ask(
      [given],
      () => this.client.createWithStat(name, given.value, { mode }),
      ({ path, stat }) => {
        operation!.path = path;
        created(path, stat);
        return { kind: 'done', place: placeOf(stat) };
      },
    );
  }

  #delete(path: string, expected: number): void {
    this.#ask(
      [{ kind: 'delete', path, expected }],
      () => this.client.delete(path, expected),
      () => ({ kind: 'done', place: undefined }),
    );
  }

  #createItem(): void {
    const value = this.#label();
    // Nobody knows its name before the answer, if one comes.
    const given = { kind: 'create', path: `/q/of ${value.slice(0, 20)}`, value, isSequential: true } as const;
    this.#create(given, CreateMode.PERSISTENT_SEQUENTIAL, (path) => this.#items.push(path));
  }

  #deleteItem(): void {
    const path = this.#items.shift();
    if (path !== undefined) this.#delete(path, -1);
  }

  #createEphemeral(): void {
    const value = this.#label();
    const path = `/e/${value.slice(0, 20).replaceAll('~', '')}`;
    const { client } = this;
    this.#create({ kind: 'create', path, value, isEphemeral: true }, CreateMode.EPHEMERAL, (_, stat) => {
      must(stat.ephemeralOwner === client.sessionId, () => `${path} belongs to another session`);
      if (client === this.client) this.ephemerals.add(path);
    });
  }

  /** Anybody's. */
  #lookAtEphemeral(): void {
    const { history, random } = this.options;
    const recent = history.operations.slice(-300).filter(({ kind, isEphemeral }) => isEphemeral && kind === 'create');
    if (recent.length > 0) this.#read(random.pick(recent).path, random.chance(0.3), undefined);
  }
}

export function placeOf({ czxid, mzxid, version }: Stat): { czxid: bigint; mzxid: bigint; version: number } {
  return { czxid, mzxid, version };
}

/** What an outcome says of the node's state afterwards; undefined where it says nothing. */
function stateOf(outcome: OperationOutcome | undefined): string | undefined {
  if (outcome?.kind === 'absent') return 'absent';
  if (outcome?.kind !== 'saw' && outcome?.kind !== 'done') return undefined;
  return outcome.place === undefined ? 'absent' : `at ${outcome.place.mzxid}`;
}
