import type { SimRandom } from '../../src/runtime/sim/sim-random.ts';
import { Simulation } from '../../src/runtime/sim/simulation.ts';
import type { ConfigKeys } from '../../src/testing/test-keys.ts';
import { connectZookeeper } from '../../src/zookeeper/client/client.ts';
import { NO_NODE } from '../../src/zookeeper/tree/data-tree.ts';
import { EnsembleActor, placeOf } from './ensemble-actor.ts';
import { EnsembleFaults } from './ensemble-faults.ts';
import { EnsembleHistory } from './ensemble-history.ts';
import { CLIENT_PORT, EnsembleMember, memberLine, type RoleName } from './ensemble-member.ts';
import { EnsembleOperator } from './ensemble-operator.ts';
import { MembershipBook } from './membership-book.ts';
import { type Outcome, outcomeOf, type RunOptions } from './outcome.ts';
import { ReplyTap } from './reply-tap.ts';
import { checkEphemerals, checkSameTrees, ServerBook } from './server-book.ts';
import { Verdict } from './verdict.ts';
import { must, Violation } from './violation.ts';

const TICK_MS = 500;
const INIT_LIMIT_TICKS = 10;
const SYNC_LIMIT_TICKS = 4;
const SIZES: readonly number[] = [3, 3, 5];
/** Faults over, everybody is served again within so long: a kernel that was not heard waits longer and longer before it tries again. */
const RECOVERY_MS = 60_000;
/** And can write then. */
const RECOVERY_WRITES = 5;
/** Of the seeds: the others have the same members all the time. */
const RECONFIGURING_SHARE = 0.4;
/** Of the seeds: sessions are their server's own until their first ephemeral node. */
const LOCAL_SESSIONS_SHARE = 0.3;
/** Machines beside the first members, which may be taken in. */
const SPARES_MAX = 2;

/** An ensemble, several clients that move from server to server, and everything that can go wrong between and below them. */
class EnsembleWorld {
  readonly sim: Simulation;
  readonly #random: SimRandom;
  readonly #history = new EnsembleHistory();
  readonly #book = new ServerBook();
  /** Undefined: they never change. */
  readonly #memberships: MembershipBook | undefined;
  readonly #members: readonly EnsembleMember[];
  readonly #voters: number;
  readonly #actors: EnsembleActor[] = [];
  readonly #connect: string;
  readonly #registers: readonly string[];
  readonly #flags: readonly string[];
  readonly #sessionTimeoutMs: number;
  readonly #hasLocalSessions: boolean;
  readonly #durationMs: number;
  readonly #calmMs: number;
  #faults: EnsembleFaults | undefined;
  #operator: EnsembleOperator | undefined;
  readonly #verdict = new Verdict();

  constructor(seed: number, options: RunOptions) {
    this.sim = new Simulation({ seed, onLog: (line) => this.#heard(line, options) });
    this.#random = this.sim.random.fork('ensemble world');
    const random = this.#random;
    const reconfigurations = random.fork('reconfigurations');
    if (reconfigurations.chance(RECONFIGURING_SHARE)) this.#memberships = new MembershipBook();
    this.#durationMs = options.durationMs ?? random.between(15_000, 40_000);
    this.#calmMs = random.pick([800, 2500, 6000]);
    this.#sessionTimeoutMs = random.pick([4000, 6000, 9000]);
    this.#hasLocalSessions = random.fork('local sessions').chance(LOCAL_SESSIONS_SHARE);
    this.#registers = Array.from({ length: 2 + random.below(3) }, (_, index) => `/r${index}`);
    this.#flags = Array.from({ length: 1 + random.below(3) }, (_, index) => `/f${index}`);
    this.#voters = random.pick(SIZES);
    const observers = this.#voters > 1 && random.chance(0.3) ? 1 + random.below(2) : 0;
    const spares = this.#memberships === undefined ? 0 : reconfigurations.below(SPARES_MAX + 1);
    this.#members = this.#found(this.#voters + observers, spares);
    this.#connect = this.#members.map(({ name }) => `${name}:${CLIENT_PORT}`).join();
    this.sim.invariant('servers agree', () => {
      this.#verdict.check();
      for (const member of this.#members) {
        member.show(this.#book);
        const { membership, proposedMembership } = member;
        if (membership !== undefined) this.#memberships?.holds(member.name, membership);
        if (proposedMembership !== undefined) this.#memberships?.proposes(proposedMembership);
      }
    });
  }

  /**
   * Machines with the configuration that all have in common.
   * @param spares come behind them, and are in no membership at first
   */
  #found(count: number, spares: number): EnsembleMember[] {
    const random = this.#random;
    const operator = this.sim.machine('operator');
    const machines = Array.from({ length: count + spares }, (_, index) => this.sim.machine(`m${index + 1}`));
    const memberships = this.#memberships;
    const role = (index: number): RoleName => (index < this.#voters ? 'participant' : 'observer');
    const lines = machines
      .slice(0, count)
      .map(({ name }, index) =>
        memberships === undefined
          ? `server.${index + 1}=${name}:2888:3888:${role(index)}`
          : memberLine(index + 1, role(index)),
      );
    const changing: ConfigKeys = memberships === undefined ? {} : { reconfigEnabled: true, skipACL: 'yes' };
    const shared = {
      tickTime: TICK_MS,
      initLimit: INIT_LIMIT_TICKS,
      syncLimit: SYNC_LIMIT_TICKS,
      clientPort: CLIENT_PORT,
      preAllocSize: 64,
      snapCount: random.pick([20, 200, 100_000]),
      commitLogCount: random.pick([3, 30, 500]),
      localSessionsEnabled: this.#hasLocalSessions,
      localSessionsUpgradingEnabled: this.#hasLocalSessions,
      ...changing,
    };
    return machines.map((machine, index) => {
      const keys = { ...shared, peerType: role(index) };
      const verdict = this.#verdict;
      return new EnsembleMember({ sim: this.sim, machine, id: index + 1, operator, keys, lines, memberships, verdict });
    });
  }

  get drawn(): string {
    const { acknowledged, unknown, reads, stale, undecided } = this.#history;
    const faults = [...(this.#faults?.struck ?? [])].map(([name, count]) => `${name} ${count}`).join(', ');
    const sessions = this.#actors.reduce((sum, actor) => sum + actor.sessions, 0);
    const starts = this.#members.reduce((sum, { supervisor }) => sum + supervisor.starts, 0);
    const size = `${this.#voters} voters, ${this.#members.length - this.#voters} others, ${this.#actors.length} clients`;
    const clients = `${acknowledged} writes acknowledged, ${unknown} unknown, ${reads} reads, ${stale} stale, ${sessions} sessions`;
    const servers = `${starts} starts, ${this.#book.epochs} epochs, ${this.#book.zxids} zxids compared`;
    const { asked = 0, unknown: unanswered = 0, refused = 0 } = this.#operator ?? {};
    const changes =
      this.#memberships === undefined
        ? ''
        : `; ${asked} reconfigurations, ${this.#memberships.acknowledgedCount} acknowledged, ${refused} refused, ${unanswered} unknown`;
    const local = this.#hasLocalSessions ? ', local sessions' : '';
    return `${size}, timeout ${this.#sessionTimeoutMs} ms${local}; ${clients}; ${servers}${undecided > 0 ? `, ${undecided} searches given up` : ''}${changes}; faults: ${faults}`;
  }

  /** What the clients were told may say more than a server that does not come. */
  explain(error: unknown): string {
    const message = error instanceof Error ? error.message : String(error);
    const servers = this.#members.map((member) => member.describe()).join('\n');
    let verdict = '';
    try {
      this.#history.check();
    } catch (found) {
      verdict = found instanceof Error && !message.includes(found.message) ? `${found.message}\n` : '';
    }
    return `${verdict}${message}\n${servers}`;
  }

  async run(): Promise<void> {
    const { sim } = this;
    for (const member of this.#members) await member.install();
    for (const { supervisor } of this.#members) supervisor.start();
    await sim.runUntil(() => this.#isWhole, RECOVERY_MS);
    await this.#create('setup', ['/q', '/e', ...this.#registers]);
    this.#startActors();
    const untilMs = sim.nowMs + this.#durationMs;
    const faults = this.#drawFaults();
    this.#startOperator(faults);
    while (sim.nowMs < untilMs) {
      await sim.runFor(this.#random.between(50, 2 * this.#calmMs));
      faults.strike();
    }
    faults.end();
    if (this.#operator !== undefined) await sim.complete(this.#operator.stop());
    await this.#recover();
    await this.#rest();
    this.#audit('at rest');
    for (const { supervisor } of this.#members) supervisor.crash('power', this.#random.between(10, 1000));
    await sim.runFor(1000);
    await sim.runUntil(() => this.#isWhole, RECOVERY_MS);
    // Without a transaction of the new epoch only the leader is in it.
    await this.#create('last', ['/last']);
    await sim.runUntil(() => this.#isConverged, RECOVERY_MS);
    this.#audit('after a last power failure');
  }

  // ---------------------------------------------------------------- the cast

  /** The servers of the newest membership, as far as it is known. */
  get #inForce(): readonly EnsembleMember[] {
    const newest = this.#memberships?.newest;
    return newest === undefined ? this.#members : this.#members.filter(({ id }) => newest.servers.has(id));
  }

  /** Every server serves, knows who the others are, and a voter leads. */
  get #isWhole(): boolean {
    const members = this.#inForce;
    const newest = this.#memberships?.newest;
    return (
      members.every(({ serving }) => serving !== undefined) &&
      members.filter(({ isLeading }) => isLeading).length === 1 &&
      (newest === undefined || members.every(({ membership }) => membership?.version === newest.version))
    );
  }

  /** Nobody lags. */
  get #isConverged(): boolean {
    const zxids = new Set(this.#inForce.map(({ serving }) => serving?.tree.lastProcessedZxid));
    return zxids.size === 1 && !zxids.has(undefined);
  }

  async #create(session: string, paths: readonly string[]): Promise<void> {
    const { sim } = this;
    const machine = sim.machine(session);
    const tap = new ReplyTap();
    const runtime = { ...machine.runtime, network: tap.on(machine.runtime.network) };
    const client = connectZookeeper(runtime, { connect: this.#connect, sessionTimeoutMs: 10_000 });
    for (const [index, path] of paths.entries()) {
      const order = index + 1;
      const value = `initial ${path}`;
      const operation = this.#history.asked({ session, order, kind: 'create', path, value });
      const { stat } = await sim.complete(client.createWithStat(path, value));
      this.#history.answered(operation, tap.zxids.get(order)!, { kind: 'done', place: placeOf(stat) });
    }
    await sim.complete(client.close());
  }

  #startActors(): void {
    const random = this.#random;
    const count = 2 + random.below(4);
    const largeShare = random.pick([0.02, 0.2]);
    for (let index = 0; index < count; index += 1) {
      const name = `c${index}`;
      const actor = new EnsembleActor({
        name,
        machine: this.sim.machine(name),
        connect: this.#connect,
        sessionTimeoutMs: this.#sessionTimeoutMs,
        registers: this.#registers,
        flags: this.#flags,
        history: this.#history,
        random: random.fork(name),
        inFlightMax: random.pick([1, 3, 8]),
        pauseMs: random.pick([30, 100]),
        largeShare,
        violated: this.#verdict.violated,
      });
      this.#actors.push(actor);
      actor.run().catch(this.#verdict.violated);
    }
  }

  #drawFaults(): EnsembleFaults {
    const operator = [...this.sim.machines].find(({ name }) => name === 'operator')!;
    this.#faults = new EnsembleFaults({
      sim: this.sim,
      random: this.#random.fork('faults'),
      clock: operator.runtime.clock,
      victims: this.#members,
      clients: this.#actors.map(({ options }) => options.machine),
      sessionTimeoutMs: this.#sessionTimeoutMs,
      syncLimitMs: SYNC_LIMIT_TICKS * TICK_MS,
    });
    return this.#faults;
  }

  #startOperator(faults: EnsembleFaults): void {
    const memberships = this.#memberships;
    if (memberships === undefined) return;
    const random = this.#random.fork('operator');
    this.#operator = new EnsembleOperator({
      machine: this.sim.machine('admin'),
      connect: this.#connect,
      sessionTimeoutMs: this.#sessionTimeoutMs,
      members: this.#members,
      book: memberships,
      random,
      pauseMs: random.pick([300, 1000, 3000]),
      // Whoever has agreed is apart from whoever has not: that is when quorums have to overlap.
      strike: () => (random.chance(0.4) ? faults.split() : faults.strike()),
      violated: this.#verdict.violated,
    });
  }

  #heard(line: string, { onLog }: RunOptions): void {
    onLog?.(line);
    this.#verdict.heard(line);
    if (line.includes('Digests are not matching'))
      this.#verdict.violated(new Violation(`a tree is not its log: ${line}`));
  }

  // ---------------------------------------------------------------- what must hold

  /** Faults are over: all serve, all are served, everybody can write. */
  async #recover(): Promise<void> {
    const { sim } = this;
    const areConnected = (): boolean => this.#actors.every(({ client }) => client.state === 'connected');
    await sim.runUntil(() => this.#isWhole && areConnected(), RECOVERY_MS);
    const before = new Map(this.#actors.map((actor) => [actor, actor.acknowledged]));
    const haveWritten = (): boolean =>
      this.#actors.every((actor) => actor.acknowledged >= before.get(actor)! + RECOVERY_WRITES);
    await sim.runUntil(haveWritten, RECOVERY_MS);
  }

  /** Nobody asks for anything more. Sessions that nobody holds are over at the end, the others live. */
  async #rest(): Promise<void> {
    const { sim } = this;
    for (const actor of this.#actors) actor.stop();
    const isQuiet = (): boolean =>
      this.#actors.every(({ inFlight, client }) => inFlight === 0 && client.state === 'connected');
    // One may be about to begin another session.
    await sim.runFor(2 * this.#sessionTimeoutMs);
    await sim.runUntil(isQuiet, RECOVERY_MS);
    const sessions = new Map(this.#actors.map((actor) => [actor, actor.client.sessionId]));
    await sim.runFor(2 * this.#sessionTimeoutMs);
    for (const [{ client, options }, id] of sessions) {
      must(
        client.sessionId === id && client.state === 'connected',
        () => `${options.name} lost its session in peace: ${client.state}`,
      );
    }
    await sim.runUntil(() => this.#isWhole && this.#isConverged, RECOVERY_MS);
  }

  #audit(when: 'at rest' | 'after a last power failure'): void {
    const servers = this.#inForce.map(({ name, serving }) => ({ name, tree: serving!.tree }));
    checkSameTrees(servers);
    this.#memberships?.check(this.#inForce);
    this.#lookAtTrees(when);
    if (when === 'at rest') {
      const living = new Map(this.#actors.map(({ client, ephemerals }) => [client.sessionId, ephemerals]));
      for (const { name, tree } of servers) checkEphemerals(name, tree, living);
      for (const actor of this.#actors) this.#checkWatches(actor);
    }
    this.#history.check();
  }

  /** What lies on the servers now must follow from what was answered, as if somebody read all of it. */
  #lookAtTrees(when: string): void {
    const history = this.#history;
    const asked = new Set(history.operations.map(({ path }) => path));
    const ephemeral = new Set(history.operations.flatMap((each) => (each.isEphemeral ? [each.path] : [])));
    for (const { name, serving } of this.#inForce) {
      const { tree } = serving!;
      const paths = new Set(asked);
      for (const node of tree.nodes()) if (/^\/[qrf]/.test(tree.path(node))) paths.add(tree.path(node));
      let order = 0;
      for (const path of paths) {
        order += 1;
        const isEphemeral = ephemeral.has(path);
        const operation = history.asked({ session: `${name} ${when}`, order, kind: 'read', path, isEphemeral });
        const node = tree.find(path);
        const seen =
          node === NO_NODE
            ? ({ kind: 'absent' } as const)
            : ({
                kind: 'saw',
                value: Buffer.from(tree.viewData(node) ?? []).toString(),
                place: placeOf(tree.stat(node)),
              } as const);
        history.answered(operation, tree.lastProcessedZxid, seen);
      }
    }
  }

  #checkWatches({ watches, options }: EnsembleActor): void {
    const { tree } = this.#inForce[0]!.serving!;
    for (const { path, state, isFired } of watches) {
      const node = tree.find(path);
      const now = node === NO_NODE ? 'absent' : `at ${tree.mzxid(node)}`;
      must(isFired || state === now, () => `${options.name} was never told that ${path}, ${state}, is ${now}`);
      const isRegister = this.#registers.includes(path);
      must(!isFired || !isRegister || state !== now, () => `${options.name} was told of no change of ${path}`);
    }
  }
}

export function runEnsembleWorld(seed: number, options: RunOptions = {}): Promise<Outcome> {
  return outcomeOf('ensemble', seed, new EnsembleWorld(seed, options));
}
