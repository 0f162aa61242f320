import { zooCfg } from '../../src/config/zoo-cfg.ts';
import type { SimMachine } from '../../src/runtime/sim/sim-machine.ts';
import { textHash } from '../../src/runtime/sim/sim-random.ts';
import { Simulation } from '../../src/runtime/sim/simulation.ts';
import { startZookeeper } from '../../src/zookeeper/ensemble/start-zookeeper.ts';
import type { SessionId } from '../../src/zookeeper/jute/ids.ts';
import { OpCode, Xid } from '../../src/zookeeper/jute/op-codes.ts';
import { AuthPacket } from '../../src/zookeeper/jute/proto.ts';
import { sessionPassword } from '../../src/zookeeper/server/session-identity.ts';
import { RawClient } from '../../src/zookeeper/server/testkit/raw-client.ts';
import type { ZookeeperServer } from '../../src/zookeeper/server/zookeeper-server.ts';
import { describeTree } from '../../src/zookeeper/tree/random-txns.fixture.ts';
import type { Step } from './crash-workload.ts';
import { must, Violation } from './violation.ts';

/** What the undisturbed server was after each transaction, and where each step ended. */
export interface Reference {
  readonly states: ReadonlyMap<bigint, string>;
  /** The newest zxid before each step, and after the last. */
  readonly bounds: readonly bigint[];
}

export interface CrashRunOptions {
  readonly seed: number | string;
  readonly steps: readonly Step[];
  readonly gzip: boolean;
  readonly snapCount: number;
  readonly onLog?: (line: string) => void;
}

/** How a run is disturbed. */
export interface Disturbance {
  /** The operation of the disk, from 1. */
  readonly at: number;
  readonly kind: 'process' | 'power' | 'EIO' | 'ENOSPC';
  /** Each recovery is ended in turn at its 1st, 2nd, 3rd … change of the disk, until it comes through. */
  readonly nested?: 'process' | 'power';
}

/** The server is gone: the rest of the step is not done. */
class Interrupted extends Error {}

const STEP_LIMIT_MS = 200_000;
const EXPECTED_BELOW_MS = 10_000;

/** One server that walks through the steps, and whoever disturbs it. */
export class CrashRun {
  readonly sim: Simulation;
  readonly machine: SimMachine;
  readonly #options: CrashRunOptions;
  readonly #clients: SimMachine;
  readonly #connections = new Map<string, RawClient>();
  readonly #names = new Map<SessionId, string>();
  #server: ZookeeperServer | undefined;
  #startError: unknown;
  /** The newest transaction that somebody could have seen. */
  #applied = 0n;
  #violation: unknown;
  recoveries = 0;

  constructor(options: CrashRunOptions) {
    this.#options = options;
    this.sim = new Simulation({ seed: options.seed, onLog: (line) => this.#heard(line) });
    this.machine = this.sim.machine('server');
    this.#clients = this.sim.machine('clients');
    this.sim.invariant('what is applied', () => {
      if (this.#violation !== undefined) throw this.#violation;
      const applied = this.#server?.view.tree.lastProcessedZxid ?? 0n;
      if (applied > this.#applied) this.#appliedUpTo(applied);
    });
  }

  /** Called with each new state, one transaction after the other. */
  onState: ((zxid: bigint, state: string) => void) | undefined;

  /** Walks undisturbed, one request at a time, and keeps every state. */
  async record(): Promise<Reference> {
    const states = new Map<bigint, string>();
    this.onState = (zxid, state) => {
      must(states.size === 0 || states.has(zxid - 1n), () => `nobody saw the state before ${zxid}`);
      states.set(zxid, state);
    };
    await this.#start();
    states.set(0n, this.state());
    const bounds = [0n];
    for (const step of this.#options.steps) {
      if (step.kind === 'requests') {
        for (const request of step.requests) await this.#perform({ ...step, requests: [request] }, this.#applied);
      } else {
        await this.#perform(step, this.#applied);
      }
      bounds.push(this.#applied);
    }
    return { states, bounds };
  }

  /** Walks; where it is interrupted it recovers, is checked, and goes on. */
  async walk(reference: Reference, disturbance?: Disturbance): Promise<void> {
    const { steps } = this.#options;
    if (disturbance !== undefined) this.#setTrap(disturbance);
    let begun = false;
    for (let index = 0; index < steps.length; ) {
      try {
        if (!begun) await this.#start();
        begun = true;
        const start = reference.bounds[index]!;
        await this.#perform(steps[index]!, start, this.#applied > start ? this.#applied : start);
        index += 1;
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
        await this.#recover(reference, begun ? reference.bounds[index + 1]! : 0n, disturbance);
        begun = true;
        const reached = this.#applied;
        while (
          index < steps.length &&
          (reference.bounds[index + 1]! < reached || isDone(steps[index]!, reached, reference.bounds[index + 1]!))
        )
          index += 1;
      }
    }
    this.machine.disk.faults.clear();
    await this.#again('process', reference);
  }

  /** What the server holds, times aside, sessions by their names. */
  state(): string {
    const { tree, sessions } = this.#server!.view;
    const name = (id: SessionId): string => this.#names.get(id) ?? (id > 0n ? `unnamed ${id}` : String(id));
    const lines: string[] = [];
    for (const [path, value] of describeTree(tree)) lines.push(`${path}: ${JSON.stringify(value, shown(name))}`);
    for (const session of sessions) lines.push(`session ${name(session.id)}: ${session.timeoutMs} ms`);
    return lines.sort().join('\n');
  }

  // ---------------------------------------------------------------- the server

  async #start(): Promise<void> {
    const { gzip, snapCount } = this.#options;
    if (!this.machine.alive) this.machine.restart();
    this.#connections.clear();
    const config = zooCfg(
      {
        dataDir: '/data',
        dataLogDir: '/logs',
        clientPort: 2181,
        tickTime: 30_000,
        snapCount,
        preAllocSize: 16,
        extendedTypesEnabled: true,
        'autopurge.purgeInterval': 1,
        ...(gzip ? { 'snapshot.compression.method': 'gz' } : {}),
      },
      // Far from the ticks at which sessions expire: each run has one order of transactions.
      { 'znode.container.checkIntervalMs': '7000', 'znode.container.maxPerMinute': '60' },
    );
    this.#startError = undefined;
    let server: ZookeeperServer | undefined;
    startZookeeper(this.machine.runtime, config).then(
      (started) => {
        server = started;
      },
      (error) => {
        this.#startError = error;
      },
    );
    await this.sim.runUntil(
      () => server !== undefined || this.#startError !== undefined || !this.machine.alive,
      EXPECTED_BELOW_MS,
    );
    if (server === undefined || !this.machine.alive) throw new Interrupted(String(this.#startError));
    this.#server = server;
    this.#nameTheUnknown();
  }

  get #isDown(): boolean {
    return !this.machine.alive || this.#server?.state !== 'serving';
  }

  async #until(condition: () => boolean, limitMs = EXPECTED_BELOW_MS): Promise<void> {
    await this.sim.runUntil(() => this.#isDown || condition(), limitMs);
    if (this.#isDown) throw new Interrupted();
  }

  /** A session whose creation was durable, and whose client was never told. */
  #nameTheUnknown(): void {
    for (const { id } of this.#server!.view.sessions) {
      if (this.#names.has(id)) continue;
      const opening = this.#opening;
      must(opening !== undefined, () => `session ${id} was never asked for`);
      this.#names.set(id, opening as string);
    }
  }

  /** The session that is being opened. */
  #opening: string | undefined;

  #appliedUpTo(zxid: bigint): void {
    this.#applied = zxid;
    this.onState?.(zxid, this.state());
  }

  #heard(line: string): void {
    this.#options.onLog?.(line);
    if (line.includes('Digests are not matching')) this.#violation ??= new Violation('a recovered tree is not its log');
  }

  // ---------------------------------------------------------------- steps

  /** @param from where to go on: behind what is there already */
  async #perform(step: Step, start: bigint, from = start): Promise<void> {
    switch (step.kind) {
      case 'open':
        await this.#open(step.session, step.timeoutMs);
        return;
      case 'requests': {
        const client = await this.#connection(step.session);
        const xids = client.sendTogether(step.requests.slice(Number(from - start)));
        await this.#until(() => client.reply(xids.at(-1)!) !== undefined);
        return;
      }
      case 'close': {
        const client = await this.#connection(step.session);
        const xid = client.send(OpCode.closeSession);
        await this.#until(() => client.reply(xid) !== undefined);
        this.#connections.delete(step.session);
        return;
      }
      case 'expire':
        this.#connections.get(step.session)?.connection.destroy();
        this.#connections.delete(step.session);
        await this.#until(() => this.#applied > start, STEP_LIMIT_MS);
        return;
      case 'wait':
        await this.#until(() => this.#applied >= start + BigInt(step.count), STEP_LIMIT_MS);
        return;
      case 'restart':
        await this.#restart(step.how);
        return;
      default:
        step satisfies never;
    }
  }

  async #open(session: string, timeoutMs: number): Promise<void> {
    this.#opening = session;
    // An attempt before may have come to nothing.
    for (const [id, name] of this.#names) if (name === session) this.#names.delete(id);
    const client = await this.#connect({ timeOut: timeoutMs }, (id) => this.#names.set(id, session));
    this.#connections.set(session, client);
    // Only the state before the answer names it late.
    this.#opening = undefined;
  }

  async #connection(session: string): Promise<RawClient> {
    const known = this.#connections.get(session);
    if (known !== undefined && !known.isClosed) return known;
    const [id] = [...this.#names].find(([, name]) => name === session) ?? [];
    must(id !== undefined, () => `${session} was never opened`);
    const timeOut = [...this.#server!.view.sessions].find((each) => each.id === id)?.timeoutMs;
    const client = await this.#connect({
      sessionId: id,
      passwd: sessionPassword(id as SessionId),
      timeOut: timeOut ?? 0,
    });
    must(client.session?.sessionId === id, () => `session ${session} is gone, and its time is not over`);
    this.#connections.set(session, client);
    return client;
  }

  async #connect(
    hello: { readonly timeOut: number; readonly sessionId?: bigint; readonly passwd?: Uint8Array },
    named: (id: SessionId) => void = () => undefined,
  ): Promise<RawClient> {
    const client = new RawClient(this.#clients.runtime, { host: this.machine.host, port: 2181 });
    await this.#until(() => client.isConnected);
    client.hello(hello);
    await this.#until(() => {
      // Before its transaction is looked at, so that the state has its name.
      if (hello.sessionId === undefined)
        for (const { id } of this.#server!.view.sessions) if (!this.#names.has(id)) named(id);
      return client.session !== undefined;
    });
    client.send(
      OpCode.auth,
      (to) => AuthPacket.write(to, { type: 0, scheme: 'digest', auth: Buffer.from('a:b') }),
      Xid.auth,
    );
    return client;
  }

  async #restart(how: 'stop' | 'process' | 'power'): Promise<void> {
    if (how === 'stop') {
      let closed = false;
      void this.#server!.close().then(() => {
        closed = true;
      });
      await this.sim.runUntil(() => closed || !this.machine.alive, EXPECTED_BELOW_MS);
      if (!this.machine.alive) throw new Interrupted();
    }
    if (this.machine.alive) this.machine.crash(how === 'power' ? 'power' : 'process');
    await this.#start();
  }

  // ---------------------------------------------------------------- disturbance

  #setTrap({ at, kind }: Disturbance): void {
    const isCrash = kind === 'process' || kind === 'power';
    this.machine.disk.setTrap({ at, changesOnly: isCrash, act: isCrash ? () => this.machine.crash(kind) : kind });
  }

  /** @param sent the newest transaction that anybody asked for */
  async #recover(reference: Reference, sent: bigint, disturbance: Disturbance | undefined): Promise<void> {
    const acknowledged = this.#applied;
    if (this.machine.alive) this.machine.crash('process');
    if (disturbance?.nested === undefined) await this.#startOrFail();
    else await this.#startNested(disturbance.nested);
    const recovered = this.#server!.view.tree.lastProcessedZxid;
    must(recovered >= acknowledged, () => `transaction ${acknowledged} was acknowledged, and ${recovered} is the last`);
    must(recovered <= sent, () => `transaction ${recovered} is there, and ${sent} is the last that was asked for`);
    this.#applied = recovered;
    this.#compare(reference);
    const isCrash = disturbance?.kind === 'process' || disturbance?.kind === 'power';
    await this.#again('process', reference);
    // A disk that failed may have kept in its cache what it never wrote.
    if (!isCrash) await this.#again('power', reference);
  }

  async #startOrFail(): Promise<void> {
    this.recoveries += 1;
    try {
      await this.#start();
    } catch (error) {
      if (error instanceof Interrupted) throw new Violation(`the server does not start: ${this.#startError}`);
      throw error;
    }
  }

  /** Recovery, and the snapshot that follows it, may be interrupted anywhere. */
  async #startNested(kind: 'process' | 'power'): Promise<void> {
    for (let at = 1; ; at += 1) {
      this.machine.disk.setTrap({ at, changesOnly: true, act: () => this.machine.crash(kind) });
      this.recoveries += 1;
      try {
        await this.#start();
        await this.sim.runFor(300);
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
      }
      if (this.machine.disk.faults.isTrapSet) break;
      must(!this.machine.alive, () => `the server does not start: ${this.#startError}`);
    }
    this.machine.disk.faults.clear();
  }

  /** Dies once more, and is what it was. */
  async #again(kind: 'process' | 'power', reference: Reference): Promise<void> {
    if (this.machine.alive) this.machine.crash(kind);
    const before = this.#applied;
    await this.#startOrFail();
    const now = this.#server!.view.tree.lastProcessedZxid;
    must(now === before, () => `the last transaction was ${before}, after one more recovery it is ${now}`);
    this.#compare(reference);
  }

  #compare({ states }: Reference): void {
    const expected = states.get(this.#applied);
    const found = this.state();
    must(found === expected, () => `after ${this.#applied}:\n${difference(expected ?? 'nothing was', found)}`);
  }
}

/** A step that makes no transaction is done only if a later one has begun. */
function isDone(step: Step, reached: bigint, end: bigint): boolean {
  return step.kind !== 'restart' && reached === end;
}

/** Times differ between any two runs. */
function shown(name: (id: SessionId) => string): (key: string, value: unknown) => unknown {
  return (key, value) => {
    if (key === 'ctime' || key === 'mtime') return undefined;
    if (value instanceof Uint8Array) return `${value.length} bytes ${textHash(Buffer.from(value).toString('latin1'))}`;
    if (typeof value === 'bigint') return value > 0xffff_ffffn ? name(value as SessionId) : String(value);
    return value;
  };
}

function difference(expected: string, found: string): string {
  const known = new Set(expected.split('\n'));
  const seen = new Set(found.split('\n'));
  const lines = [
    ...[...known].filter((line) => !seen.has(line)).map((line) => `- ${line}`),
    ...[...seen].filter((line) => !known.has(line)).map((line) => `+ ${line}`),
  ];
  return lines.map((line) => line.slice(0, 400)).join('\n');
}
