import type { Clock } from '../../src/runtime/clock.ts';
import type { SimMachine } from '../../src/runtime/sim/sim-machine.ts';
import type { SimRandom } from '../../src/runtime/sim/sim-random.ts';
import type { Simulation } from '../../src/runtime/sim/simulation.ts';
import type { Supervisor } from './supervisor.ts';

/** A server of the ensemble as faults see it. */
export interface Victim {
  readonly machine: SimMachine;
  readonly supervisor: Supervisor<{ close(): Promise<void> }>;
  readonly isLeading: boolean;
  /** The next failed sync takes the machine with it. */
  losesPower: boolean;
}

export interface EnsembleFaultsOptions {
  readonly sim: Simulation;
  readonly random: SimRandom;
  readonly clock: Clock;
  readonly victims: readonly Victim[];
  readonly clients: readonly SimMachine[];
  readonly sessionTimeoutMs: number;
  /** Of the ensemble: after about so long it has another leader. */
  readonly syncLimitMs: number;
}

type Fault = readonly [name: string, strike: () => void];

/** Everything that can go wrong between and below the servers of an ensemble. */
export class EnsembleFaults {
  readonly struck = new Map<string, number>();
  readonly #options: EnsembleFaultsOptions;
  readonly #faults: readonly Fault[];
  /** Those that a seed leaves out, so that some worlds have few kinds of them. */
  readonly #isDrawn: ReadonlySet<string>;
  #isOver = false;

  constructor(options: EnsembleFaultsOptions) {
    this.#options = options;
    this.#faults = this.#table();
    const { random } = options;
    const share = random.pick([0.3, 0.6, 1]);
    this.#isDrawn = new Set(this.#faults.map(([name]) => name).filter(() => random.chance(share)));
  }

  strike(): void {
    const drawn = this.#faults.filter(([name]) => this.#isDrawn.has(name));
    this.#strike(this.#options.random.pick(drawn.length === 0 ? this.#faults : drawn));
  }

  /** Two parts, also where the seed leaves that out. */
  split(): void {
    const fault = this.#faults.find(([name]) => name === 'split');
    if (fault !== undefined) this.#strike(fault);
  }

  #strike([name, strike]: Fault): void {
    this.struck.set(name, (this.struck.get(name) ?? 0) + 1);
    strike();
  }

  /** All is mended, and everybody runs. */
  end(): void {
    this.#isOver = true;
    const { sim, victims, clients } = this.#options;
    sim.network.heal();
    const machines = [...victims.map(({ machine }) => machine), ...clients];
    for (const [index, a] of machines.entries()) {
      for (const b of machines.slice(index + 1)) sim.network.slow(a, b, {});
    }
    for (const { machine, supervisor } of victims) {
      machine.disk.repair();
      if (!machine.alive) supervisor.start();
    }
  }

  #table(): readonly Fault[] {
    const { random, sessionTimeoutMs, syncLimitMs } = this.#options;
    const longMs = (): number => random.between(0.8, 2) * Math.max(sessionTimeoutMs, syncLimitMs);
    const victim = (): Victim => this.#victim();
    const isUp = ({ machine }: Victim): boolean => machine.alive;
    const whileUp = (act: (victim: Victim) => void) => () => {
      const one = victim();
      if (isUp(one)) act(one);
    };
    const crash = (kind: 'process' | 'power', downMs: () => number) =>
      whileUp(({ supervisor }) => supervisor.crash(kind, downMs()));
    return [
      ['process crash', crash('process', () => random.between(1, 1500))],
      ['power crash', crash('power', () => random.between(1, 1500))],
      ['long absence', crash('power', longMs)],
      ['all lose power', () => this.#allLosePower()],
      ['power fails at a write', whileUp((one) => this.#trap(one, () => one.supervisor.crash('power', longMs())))],
      ['all lose power at a write', whileUp((one) => this.#trap(one, () => this.#allLosePower()))],
      ['stall', whileUp(({ machine }) => machine.stall(random.between(50, syncLimitMs)))],
      ['long stall', whileUp(({ machine }) => machine.stall(longMs()))],
      ['client cut off', () => this.#cutClientOff(random.between(20, 1.2 * sessionTimeoutMs))],
      ['client reset', () => this.#resetClient()],
      ['server cut off', () => this.#cutServerOff(random.between(20, 2 * syncLimitMs))],
      ['split', () => this.#split(random.between(20, 2 * syncLimitMs))],
      ['servers reset', () => this.#resetServers()],
      ['slow', () => this.#slow()],
      ['lagging server', () => this.#lag()],
      ['sync fails', whileUp(({ machine }) => machine.disk.failNext({ operation: 'sync', code: 'EIO' }))],
      ['sync fails, then the power', whileUp((one) => this.#failWithPower(one))],
      ['all syncs fail, then the power', () => this.#failAllWithPower()],
      ['append fails', whileUp(({ machine }) => machine.disk.failNext({ operation: 'append', code: 'EIO' }))],
      ['disk full', whileUp(({ machine }) => this.#fill(machine))],
      ['clock jump', () => victim().machine.clockJump(Math.floor(random.between(-100_000, 100_000)))],
    ];
  }

  /** The leader as often as all others. */
  #victim(): Victim {
    const { victims, random } = this.#options;
    const leader = victims.find(({ isLeading }) => isLeading);
    return leader !== undefined && random.chance(0.5) ? leader : random.pick(victims);
  }

  #later(ms: number, act: () => void): void {
    this.#options.clock.after(ms, () => {
      if (!this.#isOver) act();
    });
  }

  #allLosePower(): void {
    const { victims, random } = this.#options;
    for (const { machine, supervisor } of victims) {
      if (machine.alive) supervisor.crash('power', random.between(1, 1500));
    }
  }

  /** In place of one of the next changes of a disk. */
  #trap({ machine }: Victim, act: () => void): void {
    machine.disk.setTrap({ at: 1 + this.#options.random.below(30), changesOnly: true, act });
  }

  #failWithPower(victim: Victim): void {
    victim.losesPower = true;
    victim.machine.disk.failNext({ operation: 'sync', code: 'EIO', path: '/log.' });
  }

  #failAllWithPower(): void {
    for (const victim of this.#options.victims) if (victim.machine.alive) this.#failWithPower(victim);
  }

  #fill({ disk }: SimMachine): void {
    disk.fill(this.#options.random.below(8) * 4096);
    this.#later(1500, () => disk.repair());
  }

  #cut(pairs: readonly (readonly [SimMachine, SimMachine])[], ms: number): void {
    const { sim, random } = this.#options;
    const oneWay = random.chance(0.3);
    const isTurned = random.chance(0.5);
    for (const [a, b] of pairs) {
      if (isTurned) sim.network.partition(b, a, { oneWay });
      else sim.network.partition(a, b, { oneWay });
    }
    this.#later(ms, () => {
      for (const [a, b] of pairs) sim.network.heal(a, b);
    });
  }

  #cutClientOff(ms: number): void {
    const { victims, clients, random } = this.#options;
    const client = random.pick(clients);
    const from = random.chance(0.5) ? victims : [this.#victim()];
    this.#cut(
      from.map(({ machine }) => [client, machine] as const),
      ms,
    );
  }

  /** From the other servers; its clients still reach it. */
  #cutServerOff(ms: number): void {
    const one = this.#victim();
    const others = this.#options.victims.filter((each) => each !== one);
    this.#cut(
      others.map(({ machine }) => [one.machine, machine] as const),
      ms,
    );
  }

  /** Two parts, each with some of the servers and some of the clients. */
  #split(ms: number): void {
    const { victims, clients, random } = this.#options;
    const here: SimMachine[] = [];
    const there: SimMachine[] = [];
    for (const machine of [...victims.map((each) => each.machine), ...clients]) {
      (random.chance(0.5) ? here : there).push(machine);
    }
    this.#cut(
      here.flatMap((a) => there.map((b) => [a, b] as const)),
      ms,
    );
  }

  #resetClient(): void {
    const { sim, victims, clients, random } = this.#options;
    const client = random.pick(clients);
    for (const { machine } of victims) sim.network.resetBetween(client, machine);
  }

  #resetServers(): void {
    const { sim, victims, random } = this.#options;
    const a = this.#victim().machine;
    const b = random.pick(victims).machine;
    sim.network.resetBetween(a, b);
    sim.network.resetBetween(b, a);
  }

  #slow(): void {
    const { sim, victims, clients, random } = this.#options;
    const a = this.#victim().machine;
    const b = random.pick([...victims.map(({ machine }) => machine), ...clients]);
    if (a === b) return;
    sim.network.slow(a, b, { extraMs: random.between(5, 300), bytesPerMs: 200 });
    this.#later(3000, () => sim.network.slow(a, b, {}));
  }

  /**
   * One that hears and is heard late by the other servers, while clients come to it, who have seen more than that, and leave it,
   * whose last words are still under way.
   */
  #lag(): void {
    const { sim, victims, random } = this.#options;
    const late = random.pick(victims.filter(({ isLeading }) => !isLeading));
    if (late === undefined) return;
    const extraMs = random.between(100, 1000);
    const slow = (how: { readonly extraMs?: number }): void => {
      for (const { machine } of victims) if (machine !== late.machine) sim.network.slow(late.machine, machine, how);
    };
    slow({ extraMs });
    for (let reset = 0; reset < 8; reset += 1) this.#later(random.between(0, 5000), () => this.#resetClient());
    this.#later(5000, () => slow({}));
  }
}
