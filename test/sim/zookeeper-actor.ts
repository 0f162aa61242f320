import type { Network } from '../../src/runtime/network.ts';
import type { SimMachine } from '../../src/runtime/sim/sim-machine.ts';
import type { SimRandom } from '../../src/runtime/sim/sim-random.ts';
import { connectZookeeper, type ZookeeperClient } from '../../src/zookeeper/client/client.ts';
import { CreateMode } from '../../src/zookeeper/jute/create-mode.ts';
import type { Stat } from '../../src/zookeeper/jute/data.ts';
import { ErrorCode, KeeperError } from '../../src/zookeeper/jute/errors.ts';
import { must, Violation } from './violation.ts';
import { hex, type ZookeeperHistory } from './zookeeper-history.ts';

interface Watch {
  readonly path: string;
  /** Of the state that was read. */
  readonly mzxid: bigint;
  isFired: boolean;
}

export interface ActorOptions {
  readonly name: string;
  readonly machine: SimMachine;
  readonly connect: string;
  readonly sessionTimeoutMs: number;
  readonly registers: readonly string[];
  readonly history: ZookeeperHistory;
  readonly random: SimRandom;
  readonly inFlightMax: number;
  /** How many of the values span pages. */
  readonly largeShare: number;
  readonly violated: (error: unknown) => void;
  readonly nowMs: () => number;
}

/** Errors after which nobody knows whether the write was done. */
const unknownOutcome: ReadonlySet<number> = new Set([ErrorCode.CONNECTIONLOSS, ErrorCode.SESSIONEXPIRED]);

/** A client that asks for something all the time, and compares each answer with what everybody was told before. */
export class ZookeeperActor {
  readonly options: ActorOptions;
  client: ZookeeperClient;
  /** Of the present session. */
  #watches: Watch[] = [];
  /** Ephemeral nodes of the present session that were acknowledged. */
  readonly ephemerals = new Set<string>();
  readonly #mine: string[] = [];
  readonly #seenMzxid = new Map<string, bigint>();
  #serial = 0;
  #asked = 0;
  #settled = 0;
  #isStopping = false;
  sessions = 0;
  /** When this client last said something in its session. */
  sentMs = 0;
  /** Until when the network may have kept it from being heard. */
  unheardUntilMs = 0;

  constructor(options: ActorOptions) {
    this.options = options;
    this.client = this.#open();
  }

  get inFlight(): number {
    return this.#asked - this.#settled;
  }

  get watches(): readonly Watch[] {
    return this.#watches;
  }

  stop(): void {
    this.#isStopping = true;
  }

  async run(): Promise<void> {
    const { random, machine, inFlightMax } = this.options;
    while (!this.#isStopping) {
      // Now and then nothing for a while, so that only pings keep the session.
      const pauseMs = random.chance(1 / 60)
        ? random.between(500, this.options.sessionTimeoutMs)
        : random.between(0, 30);
      await new Promise<void>((resolve) => machine.runtime.clock.after(pauseMs, resolve));
      if (this.client.state === 'expired') this.client = this.#open();
      const burst = 1 + random.below(inFlightMax);
      for (let count = 0; count < burst && this.inFlight < inFlightMax; count += 1) this.#act();
    }
  }

  #open(): ZookeeperClient {
    const { machine, connect, sessionTimeoutMs } = this.options;
    this.#watches = [];
    this.ephemerals.clear();
    this.sessions += 1;
    const runtime = { ...machine.runtime, network: this.#tapped(machine.runtime.network) };
    return connectZookeeper(runtime, { connect, sessionTimeoutMs });
  }

  /** Notes when something was sent in a session that stands: the first write of a connection is its greeting. */
  #tapped(network: Network): Network {
    return {
      ...network,
      connect: (to, handler) => {
        const connection = network.connect(to, handler);
        const write = connection.write.bind(connection);
        let writes = 0;
        connection.write = (buffers) => {
          writes += 1;
          if (writes > 1) this.sentMs = this.options.nowMs();
          return write(buffers);
        };
        return connection;
      },
    };
  }

  #act(): void {
    const { random, registers } = this.options;
    const path = random.pick(registers);
    const drawn = random.fraction();
    if (drawn < 0.3) this.#read(path, random.chance(0.5));
    else if (drawn < 0.62) this.#write(path);
    else if (drawn < 0.72) this.#writeTwo(path, random.pick(registers));
    else if (drawn < 0.82) this.#createItem();
    else if (drawn < 0.86) this.#deleteItem();
    else if (drawn < 0.92) this.#createEphemeral();
    else this.#lookAtEphemeral();
  }

  #label(): string {
    this.#serial += 1;
    const { name, random, largeShare } = this.options;
    const label = `${name}.${this.#serial}`;
    // Some span pages, so that a torn write can lose the middle of one.
    return random.chance(largeShare) ? label.padEnd(600 + random.below(16_000), '~') : label;
  }

  /** Answers come in the order of the questions; what they say is judged. */
  #ask<T>(asked: Promise<T>, judge: (answer: T) => void, refused: (code: number) => void): void {
    const { client } = this;
    const place = this.#asked;
    this.#asked += 1;
    const settle = (act: () => void): void => {
      try {
        must(this.#settled === place, () => `answer ${place} came when ${this.#settled} was due`);
        this.#settled += 1;
        if (client === this.client) act();
      } catch (error) {
        this.options.violated(error instanceof Error ? new Violation(`${this.options.name}: ${error.message}`) : error);
      }
    };
    asked.then(
      (answer) => settle(() => judge(answer)),
      (error) =>
        settle(() => {
          if (!(error instanceof KeeperError)) throw error;
          if (unknownOutcome.has(error.code)) this.options.history.unknown += 1;
          refused(error.code);
        }),
    );
  }

  #read(path: string, isWatching: boolean): void {
    const { history } = this.options;
    const least = history.register(path).newest;
    const watch = { path, mzxid: 0n, isFired: false };
    const watcher = (): void => {
      watch.isFired = true;
    };
    this.#ask(
      this.client.getData(path, isWatching ? { watch: watcher } : {}),
      ({ data, stat }) => {
        history.reads += 1;
        this.#observed(path, stat);
        history.saw(path, stat, String(data), least);
        if (!isWatching) return;
        this.#watches.push(watch);
        watch.mzxid = stat.mzxid;
      },
      (code) => this.#mayOnly(code, []),
    );
  }

  #write(path: string): void {
    const { history, random } = this.options;
    const register = history.register(path);
    const { floor } = history;
    const value = this.#label();
    const least = register.newest;
    register.attempted.add(value);
    const isConditional = random.chance(0.2);
    this.#ask(
      this.client.setData(path, value, isConditional ? Math.max(least, 0) : -1),
      (stat) => {
        history.acked(stat.mzxid, value, floor);
        this.#observed(path, stat);
        history.saw(path, stat, value, least + 1);
      },
      (code) => this.#mayOnly(code, isConditional ? [ErrorCode.BADVERSION] : []),
    );
  }

  /** Both or neither, in one transaction. */
  #writeTwo(first: string, second: string): void {
    if (first === second) return;
    const { history } = this.options;
    const { floor } = history;
    const value = this.#label();
    const paths = [first, second];
    const least = paths.map((path) => history.register(path).newest);
    for (const path of paths) history.register(path).attempted.add(value);
    this.#ask(
      this.client.multi(paths.map((path) => ({ kind: 'setData', path, data: value }))),
      (results) => {
        for (const [index, result] of results.entries()) {
          must(result.kind === 'setData', () => `a multi of setData answered ${result.kind}`);
          history.acked(result.stat.mzxid, value, floor);
          this.#observed(paths[index]!, result.stat);
          history.saw(paths[index]!, result.stat, value, least[index]! + 1);
        }
      },
      (code) => this.#mayOnly(code, []),
    );
  }

  #createItem(): void {
    const { history } = this.options;
    const { floor } = history;
    const label = this.#label();
    history.itemAsked(label);
    this.#ask(
      this.client.createWithStat('/q/item-', label, { mode: CreateMode.PERSISTENT_SEQUENTIAL }),
      ({ path, stat }) => {
        history.acked(stat.czxid, label, floor);
        history.itemSeen(path, label, stat.czxid);
        this.#mine.push(path);
      },
      (code) => this.#mayOnly(code, []),
    );
  }

  #deleteItem(): void {
    const path = this.#mine.shift();
    if (path === undefined) return;
    const item = this.options.history.items.get(path)!;
    item.fate = 'maybe gone';
    this.#ask(
      this.client.delete(path),
      () => {
        item.fate = 'gone';
      },
      (code) => this.#mayOnly(code, []),
    );
  }

  #createEphemeral(): void {
    const { history, name } = this.options;
    const { floor } = history;
    this.#serial += 1;
    const path = `/e/${name}.${this.#serial}`;
    this.#ask(
      this.client.createWithStat(path, '', { mode: CreateMode.EPHEMERAL }),
      ({ stat }) => {
        history.acked(stat.czxid, path, floor);
        const { sessionId } = this.client;
        must(
          stat.ephemeralOwner === sessionId,
          () => `${path} belongs to ${hex(stat.ephemeralOwner)}, not ${hex(sessionId)}`,
        );
        this.ephemerals.add(path);
      },
      (code) => this.#mayOnly(code, []),
    );
  }

  #lookAtEphemeral(): void {
    const { random, history, name, nowMs } = this.options;
    const [path] = [...this.ephemerals].slice(random.below(Math.max(this.ephemerals.size, 1)));
    if (path === undefined) return;
    this.#ask(
      this.client.exists(path),
      (stat) => {
        must(stat !== undefined, () => `${path} is gone although its session lives`);
        history.ephemeralSeen(path, true, `seen by ${name} at ${nowMs()} ms`);
      },
      (code) => this.#mayOnly(code, []),
    );
  }

  /** Whatever shows a change comes after the event of whoever waits for the change; nobody sees a register go back. */
  #observed(path: string, { mzxid }: Stat): void {
    const seen = this.#seenMzxid.get(path) ?? 0n;
    must(mzxid >= seen, () => `${path} went back from ${hex(seen)} to ${hex(mzxid)}`);
    this.#seenMzxid.set(path, mzxid);
    for (const watch of this.#watches) {
      if (watch.path !== path || watch.isFired) continue;
      must(mzxid <= watch.mzxid, () => `the change ${hex(mzxid)} of ${path} was answered before its watch event`);
    }
    this.#watches = this.#watches.filter((watch) => watch.path !== path || !watch.isFired || watch.mzxid === mzxid);
  }

  #mayOnly(code: number, allowed: readonly number[]): void {
    must(
      unknownOutcome.has(code) || allowed.includes(code),
      () => `an unexpected answer: ${new KeeperError(code).message}`,
    );
  }
}
