import type { Stat } from '../../src/zookeeper/jute/data.ts';
import { must, Violation } from './violation.ts';

/** One version of a register, as an answer showed it. */
interface Version {
  readonly mzxid: bigint;
  readonly value: string;
}

interface Register {
  readonly versions: Map<number, Version>;
  /** The newest version that was acknowledged or read. */
  newest: number;
  /** Values whose writes had no answer, or have none yet. */
  readonly attempted: Set<string>;
}

type Fate = 'asked' | 'there' | 'maybe gone' | 'gone';

interface Named {
  readonly label: string;
  fate: Fate;
  czxid: bigint;
}

/** What all clients were told, and whether one history explains it. Writes of one server form one line by their zxid. */
export class ZookeeperHistory {
  readonly registers = new Map<string, Register>();
  /** Sequential nodes by path. */
  readonly items = new Map<string, Named>();
  readonly #itemLabels = new Set<string>();
  /** Ephemeral nodes that were seen gone: their names are never used again. */
  readonly #goneEphemerals = new Map<string, string>();
  readonly #labels = new Map<bigint, string>();
  #highestAcked = 0n;
  acknowledged = 0;
  unknown = 0;
  reads = 0;

  /** Every write begun from now on has a larger zxid. */
  get floor(): bigint {
    return this.#highestAcked;
  }

  register(path: string): Register {
    let register = this.registers.get(path);
    if (register === undefined) {
      register = { versions: new Map(), newest: -1, attempted: new Set() };
      this.registers.set(path, register);
    }
    return register;
  }

  acked(zxid: bigint, label: string, floor: bigint): void {
    must(
      zxid > floor,
      () => `${label} got zxid ${hex(zxid)}, but ${hex(floor)} was acknowledged before it was asked for`,
    );
    this.#owns(zxid, label);
    if (zxid > this.#highestAcked) this.#highestAcked = zxid;
    this.acknowledged += 1;
  }

  /** An answer showed this state of a register; `least` is the newest version known when the question was put. */
  saw(path: string, stat: Stat, value: string, least: number): void {
    const register = this.register(path);
    must(
      stat.version >= least,
      () => `${path} was at version ${least} before the read was asked for, and then at ${stat.version}`,
    );
    this.#owns(stat.mzxid, value);
    const known = register.versions.get(stat.version);
    if (known === undefined) {
      must(
        stat.version === 0 || register.attempted.has(value),
        () => `${path} holds ${short(value)}, which nobody wrote`,
      );
      register.versions.set(stat.version, { mzxid: stat.mzxid, value });
      const below = register.versions.get(stat.version - 1);
      const above = register.versions.get(stat.version + 1);
      must(
        (below === undefined || below.mzxid < stat.mzxid) && (above === undefined || above.mzxid > stat.mzxid),
        () => `versions and zxids of ${path} disagree around version ${stat.version}`,
      );
    } else {
      must(
        known.mzxid === stat.mzxid && known.value === value,
        () =>
          `version ${stat.version} of ${path} was ${short(known.value)} at ${hex(known.mzxid)}, now ${short(value)} at ${hex(stat.mzxid)}`,
      );
    }
    register.newest = Math.max(register.newest, stat.version);
  }

  itemAsked(label: string): void {
    this.#itemLabels.add(label);
  }

  itemSeen(path: string, label: string, czxid: bigint): void {
    must(this.#itemLabels.has(label), () => `${path} holds ${short(label)}, which nobody wrote`);
    const known = this.items.get(path);
    if (known === undefined) {
      this.items.set(path, { label, fate: 'there', czxid });
      return;
    }
    must(known.label === label, () => `${path} was made by ${known.label} and by ${label}`);
    must(known.fate !== 'gone', () => `${path} was deleted and is there again`);
  }

  /** Names below the parent, in order, must have been given in the order of their zxids; what was acknowledged must be there. */
  checkItems(found: ReadonlyMap<string, { label: string; czxid: bigint }>): void {
    for (const [path, { label, czxid }] of found) this.itemSeen(path, label, czxid);
    for (const [path, { fate, label }] of this.items) {
      if (fate === 'there') must(found.has(path), () => `${path} was acknowledged to ${label} and is lost`);
    }
    let before = { path: '', czxid: 0n };
    for (const path of [...this.items.keys()].sort()) {
      const { czxid } = this.items.get(path)!;
      must(czxid > before.czxid, () => `${path} was made before ${before.path}`);
      before = { path, czxid };
    }
  }

  ephemeralSeen(path: string, isThere: boolean, when: string): void {
    const gone = this.#goneEphemerals.get(path);
    if (!isThere) this.#goneEphemerals.set(path, gone ?? when);
    else must(gone === undefined, () => `the ephemeral ${path} was gone (${gone}) and is there again`);
  }

  /** A zxid is one transaction, for ever. */
  #owns(zxid: bigint, label: string): void {
    const known = this.#labels.get(zxid);
    if (known === undefined) this.#labels.set(zxid, label);
    else if (known !== label) throw new Violation(`zxid ${hex(zxid)} is both ${short(known)} and ${short(label)}`);
  }
}

export function hex(zxid: bigint): string {
  return `0x${zxid.toString(16)}`;
}

/** Values are padded to many sizes. */
function short(value: string): string {
  return value.slice(0, 24);
}
