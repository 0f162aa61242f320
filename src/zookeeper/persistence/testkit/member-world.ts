import assert from 'node:assert/strict';
import type { DiskError } from '../../../runtime/disk.ts';
import type { SimMachine } from '../../../runtime/sim/sim-machine.ts';
import { Simulation } from '../../../runtime/sim/simulation.ts';
import { epochOf, makeZxid, type Zxid } from '../../jute/ids.ts';
import type { TxnRecord } from '../../jute/txn.ts';
import { DataTree } from '../../tree/data-tree.ts';
import { type Draw, describeTree, drawFrom, RandomTxns } from '../../tree/random-txns.fixture.ts';
import { FileSnapLog, type FileSnapLogOptions } from '../file-snap-log.ts';
import { type Recovered, replayTxn } from '../recovery.ts';

export const treeOptions = { extendedTypes: true };
const options: FileSnapLogOptions = {
  dataDir: '/data',
  dataLogDir: '/log',
  tree: treeOptions,
  log: { preAllocBytes: 8192 },
};

/** A member with a history: some logs, some snapshots, some epochs. */
export class Member {
  readonly sim: Simulation;
  readonly machine: SimMachine;
  storage: FileSnapLog;
  /** All that was ever logged, oldest first. */
  readonly records: TxnRecord[] = [];
  /** Lines of its log. */
  readonly logged: string[] = [];
  readonly snapshots = new Set<Zxid>([0n as Zxid]);
  #txns: RandomTxns;

  private constructor(seed: number) {
    this.sim = new Simulation({ seed, onLog: (line) => this.logged.push(line) });
    this.machine = this.sim.machine('zk');
    this.storage = new FileSnapLog(this.machine.runtime, options);
    this.#txns = new RandomTxns(DataTree.create(treeOptions), drawFrom(seed));
  }

  static async start(seed: number): Promise<Member> {
    const member = new Member(seed);
    await member.sim.complete(member.storage.recover());
    return member;
  }

  get last(): Zxid {
    return this.#txns.tree.lastProcessedZxid;
  }

  append(count: number): void {
    for (let index = 0; index < count; index += 1) {
      const record = this.#txns.next();
      this.records.push(record);
      this.storage.log.append(record);
    }
  }

  flush(): Promise<DiskError | undefined> {
    return this.sim.complete(new Promise((resolve) => this.storage.log.flush(resolve)));
  }

  newEpoch(): void {
    this.#txns.tree.lastProcessedZxid = makeZxid(epochOf(this.last) + 1, 0);
  }

  async snapshot(): Promise<void> {
    await this.flush();
    this.storage.log.roll();
    this.snapshots.add(this.last);
    await this.sim.complete(this.storage.takeSnapshot(this.#txns));
  }

  /** Of now; resolves when it is written. */
  startSnapshot(): Promise<unknown> {
    return new Promise((resolve) => this.storage.startSnapshot(this.#txns, resolve));
  }

  /** Some groups of transactions, and between them what else happens to a member. */
  async live(draw: Draw): Promise<void> {
    for (let group = 2 + draw(8); group > 0; group -= 1) {
      this.append(draw(12));
      await this.flush();
      const event = draw(5);
      if (event === 0) this.newEpoch();
      else if (event === 1) this.storage.log.roll();
      else if (event === 2) await this.snapshot();
    }
  }

  /** A zxid of the log, or one beside. */
  someZxid(draw: Draw): Zxid {
    const logged = this.records[draw(Math.max(this.records.length, 1))]?.header.zxid ?? (0n as Zxid);
    return (logged + BigInt(draw(4) === 0 ? draw(5) - 2 : 0)) as Zxid;
  }

  /** What a naive member would have after forgetting what is after a zxid. */
  expected(zxid: Zxid): { readonly tree: DataTree; readonly sessions: Map<bigint, number> } {
    const tree = DataTree.create(treeOptions);
    const sessions = new Map();
    for (const record of this.records) if (record.header.zxid <= zxid) replayTxn(record, tree, sessions);
    return { tree, sessions };
  }

  /** Recovery in a new process. */
  async restart(kind: 'process' | 'power'): Promise<Recovered> {
    if (this.machine.alive) this.machine.crash(kind);
    this.storage = new FileSnapLog(this.machine.restart(), options);
    return this.sim.complete(this.storage.recover());
  }

  /** Goes on from what is there, and is found again with it. */
  async goOn(recovered: Recovered, seed: number): Promise<void> {
    const kept = this.records.filter(({ header }) => header.zxid <= recovered.lastZxid);
    this.records.splice(0, this.records.length, ...kept);
    this.#txns = new RandomTxns(recovered.tree, drawFrom(seed));
    for (const [session, timeoutMs] of recovered.sessions) this.#txns.sessions.set(session, timeoutMs);
    this.append(5);
    assert.equal(await this.flush(), undefined);
    assertIs(await this.restart('power'), this.expected(this.last), this.last);
  }
}

export function assertIs(
  recovered: Recovered | undefined,
  { tree, sessions }: { readonly tree: DataTree; readonly sessions: ReadonlyMap<bigint, number> },
  lastZxid: Zxid,
  what = '',
): void {
  assert.ok(recovered !== undefined, what);
  assert.equal(recovered.lastZxid, lastZxid, what);
  assert.equal(recovered.digestMismatches, 0, what);
  assert.equal(recovered.isWhole, true, what);
  assert.deepEqual(describeTree(recovered.tree), describeTree(tree), what);
  assert.deepEqual([...recovered.sessions].sort(), [...sessions].sort(), what);
}

export const newestAtOrBefore = (zxids: Iterable<Zxid>, limit: Zxid): Zxid =>
  [...zxids].filter((zxid) => zxid <= limit).reduce((a, b) => (a > b ? a : b), 0n as Zxid);

/** Where the history of a member ends that was cut at a zxid. */
export function endOf(member: Member, zxid: Zxid): Zxid {
  return newestAtOrBefore([...member.snapshots, ...member.records.map(({ header }) => header.zxid)], zxid);
}
