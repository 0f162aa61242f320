import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochOf, makeZxid, type Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import { DataTree } from '../tree/data-tree.ts';
import { type Draw, drawFrom, RandomTxns } from '../tree/random-txns.fixture.ts';
import type { Recovered } from './recovery.ts';
import { assertIs, endOf, Member, treeOptions } from './testkit/member-world.ts';

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
