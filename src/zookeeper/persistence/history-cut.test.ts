import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CorruptionError, type DiskError } from '../../runtime/disk.ts';
import { makeZxid, type Zxid } from '../jute/ids.ts';
import { DataTree } from '../tree/data-tree.ts';
import { drawFrom, RandomTxns } from '../tree/random-txns.fixture.ts';
import { assertIs, Member, treeOptions } from './testkit/member-world.ts';

const names = (member: Member): string[] => [
  ...member.machine.runtime.disk.list('/data/version-2').map(({ name }) => name),
  ...member.machine.runtime.disk.list('/log/version-2').map(({ name }) => name),
];

async function logged(count: number): Promise<Member> {
  const member = await Member.start(1);
  member.append(count);
  assert.equal(await member.flush(), undefined);
  return member;
}

/** Files and what the next start finds are as they were. */
async function assertUntouched(member: Member, zxid: Zxid): Promise<void> {
  const before = names(member);
  assert.equal(await member.sim.complete(member.storage.truncate(zxid)), undefined);
  assert.deepEqual(names(member), before);
  assert.equal((await member.restart('process')).lastZxid, member.last);
}

test('what no snapshot is old enough for cannot be truncated', async () => {
  const member = await logged(10);
  await member.snapshot();
  member.machine.runtime.disk.remove('/data/version-2/snapshot.0');
  member.append(5);
  await member.flush();
  await assertUntouched(member, 9n as Zxid);
});

test('a history with a hole before the zxid cannot be truncated', async () => {
  const member = await logged(10);
  for (const _ of [1, 2]) {
    member.storage.log.roll();
    member.append(10);
    await member.flush();
  }
  await member.snapshot();
  member.machine.runtime.disk.remove('/log/version-2/log.b');
  await assertUntouched(member, 25n as Zxid);
  await assertUntouched(member, 15n as Zxid);
});

test('a snapshot that was being written while later transactions came does not stand for less', async () => {
  const member = await logged(10);
  const written = member.startSnapshot();
  member.append(5);
  await member.flush();
  await member.sim.complete(written);
  await assertUntouched(member, 12n as Zxid);
  const truncated = await member.sim.complete(member.storage.truncate(15n as Zxid));
  assertIs(truncated, member.expected(15n as Zxid), 15n as Zxid);
});

test('what waits for the log is written before the history is cut, and smaller zxids follow without a warning', async () => {
  const member = await logged(10);
  member.append(5);
  assertIs(await member.sim.complete(member.storage.truncate(12n as Zxid)), member.expected(12n as Zxid), 12n as Zxid);
  member.logged.length = 0;
  const truncated = await member.sim.complete(member.storage.truncate(6n as Zxid));
  assertIs(truncated, member.expected(6n as Zxid), 6n as Zxid);
  await member.goOn(truncated!, 7);
  assert.deepEqual(
    member.logged.filter((line) => line.includes('zxid is not larger')),
    [],
  );
});

test('a snapshot that is being written is given up, wherever it is, and none begins while a history is cut', async () => {
  for (let waitMs = 0; waitMs < 4; waitMs += 0.1) {
    const member = await logged(10);
    let isWritten = false;
    void member.startSnapshot().then(() => {
      isWritten = true;
    });
    await member.sim.runFor(waitMs);
    const wasWritten = isWritten;
    const cutting = member.storage.truncate(8n as Zxid);
    assert.equal(member.storage.startSnapshot({ tree: DataTree.create(), sessions: new Map() }), false);
    await member.sim.complete(cutting);
    await member.sim.runFor(1000);
    assert.equal(isWritten, wasWritten);
    assert.deepEqual(names(member), ['snapshot.0', 'log.1'], `given up after ${waitMs} ms`);
    assert.equal(member.storage.startSnapshot({ tree: DataTree.create(), sessions: new Map() }), true);
  }
});

test('nothing is purged while a history is cut: what it goes back to is old', async () => {
  const member = await logged(10);
  for (const _ of [1, 2, 3, 4]) {
    await member.snapshot();
    member.append(5);
  }
  assert.ok(member.storage.findPurgeable(3).length > 0);
  const cutting = member.storage.truncate(8n as Zxid);
  assert.deepEqual(member.storage.purge(3), []);
  assertIs(await member.sim.complete(cutting), member.expected(8n as Zxid), 8n as Zxid);
});

test('after a cut that failed nothing is logged any more: the next start would cut it off', async () => {
  for (const operation of ['replaceFile', 'truncate', 'sync', 'syncDirectory'] as const) {
    const member = await logged(10);
    member.machine.disk.failNext({ operation, code: 'EIO', path: operation === 'replaceFile' ? 'historyCut' : '' });
    await assert.rejects(member.sim.complete(member.storage.truncate(8n as Zxid)), /EIO/, operation);
    member.append(1);
    const failure = await member.sim.complete(
      new Promise<DiskError | undefined>((resolve) => member.storage.log.flush(resolve)),
    );
    assert.equal(failure?.code, 'EIO', operation);
  }
});

test('when the snapshot of a leader cannot be read, an older one of another history does not take its place', async () => {
  const member = await logged(10);
  const leader = new RandomTxns(DataTree.create(treeOptions), drawFrom(3));
  for (let count = 20; count > 0; count -= 1) leader.next();
  leader.tree.lastProcessedZxid = makeZxid(1, 0);
  await member.sim.complete(member.storage.installSnapshot(leader));
  member.storage.log.append(leader.next());
  await member.flush();
  assert.deepEqual(names(member), ['historyStart', 'snapshot.0', 'snapshot.100000000', 'log.1', 'log.100000001']);
  member.machine.disk.corrupt('/data/version-2/snapshot.100000000', 90);
  await assert.rejects(member.restart('process'), CorruptionError);
});
