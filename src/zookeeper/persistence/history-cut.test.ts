import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DiskError } from '../../runtime/disk.ts';
import type { SimMachine } from '../../runtime/sim/sim-machine.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import { epochOf, makeZxid, type Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { TxnRecord } from '../jute/txn.ts';
import { DataTree } from '../tree/data-tree.ts';
import { type Draw, describeTree, drawFrom, RandomTxns } from '../tree/random-txns.fixture.ts';
import { FileSnapLog, type FileSnapLogOptions } from './file-snap-log.ts';
import { type Recovered, replayTxn } from './recovery.ts';

const treeOptions = { extendedTypes: true };
const options: FileSnapLogOptions = {
  dataDir: '/data',
  dataLogDir: '/log',
  tree: treeOptions,
  log: { preAllocBytes: 8192 },
};

/** A member with a history: some logs, some snapshots, some epochs. */
class Member {
  readonly sim: Simulation;
  readonly machine: SimMachine;
  storage: FileSnapLog;
  /** All that was ever logged, oldest first. */
  readonly records: TxnRecord[] = [];
  readonly snapshots = new Set<Zxid>([0n as Zxid]);
  #txns: RandomTxns;

  private constructor(seed: number) {
    this.sim = new Simulation({ seed });
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

function assertIs(
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

const newestAtOrBefore = (zxids: Iterable<Zxid>, limit: Zxid): Zxid =>
  [...zxids].filter((zxid) => zxid <= limit).reduce((a, b) => (a > b ? a : b), 0n as Zxid);

/** Where the history of a member ends that was cut at a zxid. */
function endOf(member: Member, zxid: Zxid): Zxid {
  return newestAtOrBefore([...member.snapshots, ...member.records.map(({ header }) => header.zxid)], zxid);
}

test('a truncated history is what a naive member has that forgets the rest, and goes on from there', async () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const draw = drawFrom(seed);
    const member = await Member.start(seed);
    await member.live(draw);
    const zxid = member.someZxid(draw);
    const end = endOf(member, zxid);
    const truncated = await member.sim.complete(member.storage.truncate(zxid));
    assertIs(truncated, member.expected(zxid), end, `seed ${seed}, truncated to ${zxid}`);
    const recovered = await member.restart(draw(2) === 0 ? 'process' : 'power');
    assertIs(recovered, member.expected(zxid), end, `seed ${seed}, recovered after ${zxid}`);
    await member.goOn(recovered, seed + 1000);
  }
});

const kinds = ['process', 'power', 'EIO', 'ENOSPC'] as const;

/** What is done to a history at the k-th change of the disk is undone or done as a whole, for each k until there are no more. */
async function disturb(
  seed: number,
  act: (member: Member, draw: Draw) => Promise<unknown>,
  check: (member: Member, recovered: Recovered, what: string) => 'before' | 'after',
): Promise<Set<string>> {
  const seen = new Set<string>();
  for (const kind of kinds) {
    for (let at = 1; ; at += 1) {
      const draw = drawFrom(seed);
      const member = await Member.start(seed);
      await member.live(draw);
      const isCrash = kind === 'process' || kind === 'power';
      member.machine.disk.setTrap({ at, changesOnly: true, act: isCrash ? () => member.machine.crash(kind) : kind });
      let failure: unknown;
      const running = act(member, draw).catch((error) => {
        failure = error;
      });
      for (let left = 400; left > 0 && member.machine.alive && failure === undefined; left -= 1) {
        await member.sim.runFor(10);
        if (!member.machine.disk.faults.isTrapSet && !isCrash) break;
      }
      if (member.machine.disk.faults.isTrapSet) {
        await running;
        assert.equal(failure, undefined);
        break;
      }
      const what = `seed ${seed}, ${kind} at change ${at}`;
      if (!isCrash) {
        await member.sim.complete(running);
        assert.ok(failure !== undefined, `${what}: it was told that all went well`);
      }
      seen.add(check(member, await member.restart('power'), what));
      seen.add(check(member, await member.restart('process'), `${what}, once more`));
    }
  }
  return seen;
}

test('a crash or a failure at any change of the disk leaves a history as it was, or truncated', async () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 12; seed += 1) {
    let zxid = 0n as Zxid;
    const found = await disturb(
      seed,
      (member, draw) => {
        zxid = member.someZxid(draw);
        return member.storage.truncate(zxid);
      },
      (member, recovered, what) => {
        const isBefore = recovered.lastZxid === endOf(member, member.last);
        const limit = isBefore ? member.last : zxid;
        assertIs(recovered, member.expected(limit), endOf(member, limit), what);
        return isBefore ? 'before' : 'after';
      },
    );
    for (const each of found) seen.add(each);
  }
  assert.deepEqual([...seen].sort(), ['after', 'before']);
});

/** The database of a leader: another history, that may have ended before ours, or be of a later epoch. */
function leaderAt(seed: number, draw: Draw, member: Member): RandomTxns {
  const txns = new RandomTxns(DataTree.create(treeOptions), drawFrom(seed + 500));
  const ends = [
    1n + BigInt(draw(80)),
    member.last + BigInt(draw(20)) - 10n,
    makeZxid(epochOf(member.last) + 1, 0),
    member.last,
  ];
  const end = ends[draw(ends.length)] as bigint;
  for (let count = 1 + draw(80); count > 0 && txns.tree.lastProcessedZxid < end; count -= 1) txns.next();
  txns.tree.lastProcessedZxid = (end > 0n ? end : 1n) as Zxid;
  return txns;
}

test('a snapshot of a leader takes the place of everything, whatever was logged after it', async () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const draw = drawFrom(seed);
    const member = await Member.start(seed);
    await member.live(draw);
    const leader = leaderAt(seed, draw, member);
    const zxid = leader.tree.lastProcessedZxid;
    await member.sim.complete(member.storage.installSnapshot(leader));
    const recovered = await member.restart(draw(2) === 0 ? 'process' : 'power');
    assertIs(recovered, leader, zxid, `seed ${seed}`);
    assert.equal(recovered.replayedCount, 0);
    const record = new RandomTxns(recovered.tree, drawFrom(seed)).next();
    if (record.txn.type === OpCode.createSession) recovered.sessions.set(record.header.clientId, record.txn.timeOut);
    member.storage.log.append(record);
    await member.flush();
    assertIs(await member.restart('power'), recovered, (zxid + 1n) as Zxid, `seed ${seed}, gone on`);
  }
});

test('a crash or a failure at any change of the disk leaves the old database, or the one of the leader', async () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 12; seed += 1) {
    let leader: RandomTxns | undefined;
    const found = await disturb(
      seed,
      (member, draw) => {
        leader = leaderAt(seed, draw, member);
        return member.storage.installSnapshot(leader);
      },
      (member, recovered, what) => {
        assert.ok(leader !== undefined);
        const isAfter = recovered.tree.treeDigest === leader.tree.treeDigest;
        if (isAfter) assertIs(recovered, leader, leader.tree.lastProcessedZxid, what);
        else assertIs(recovered, member.expected(member.last), endOf(member, member.last), what);
        return isAfter ? 'after' : 'before';
      },
    );
    for (const each of found) seen.add(each);
  }
  assert.deepEqual([...seen].sort(), ['after', 'before']);
});
