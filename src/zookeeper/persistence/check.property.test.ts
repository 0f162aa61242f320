/** Data directories that were damaged at random: the check names it, never fails, and its mended copy is a history that was. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Disk } from '../../runtime/disk.ts';
import type { Zxid } from '../jute/ids.ts';
import { type Draw, describeTree, drawFrom } from '../tree/random-txns.fixture.ts';
import { type Checked, checkDirectories } from './check.ts';
import { completed } from './completed.ts';
import { FileSnapLog } from './file-snap-log.ts';
import { writeMended } from './mend.ts';
import { type Recovered, recover } from './recovery.ts';
import { Member, treeOptions } from './testkit/member-world.ts';

const directories = { dataDir: '/data', dataLogDir: '/log' };
const [snapshots, logs] = ['/data/version-2', '/log/version-2'];
/** The last two rename and swap logs, so that servers pass over transactions or take them in another order. */
const SEEDS = [...Array(100).keys(), 392, 414];

/** How a directory is damaged. What removes whole transactions at the end cannot be told from a shorter history. */
const damages = {
  flip: (draw: Draw, bytes: Buffer) => {
    if (bytes.length === 0) return bytes;
    const at = draw(bytes.length);
    bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << draw(8)), at);
    return bytes;
  },
  zero: (draw: Draw, bytes: Buffer) => {
    const at = draw(bytes.length + 1);
    return bytes.fill(0, at, Math.min(bytes.length, at + 1 + draw(40)));
  },
  cut: (draw: Draw, bytes: Buffer) => bytes.subarray(0, draw(bytes.length + 1)),
  drop: (draw: Draw, bytes: Buffer) => {
    const at = draw(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + draw(200))]);
  },
  garbage: (draw: Draw, bytes: Buffer) =>
    Buffer.concat([bytes, Buffer.from(Array.from({ length: 9 }, () => draw(256)))]),
} as const;
const moves = ['remove', 'swap', 'rename', 'copy'] as const;
type Damage = keyof typeof damages | (typeof moves)[number];
const kinds = [...Object.keys(damages), ...moves] as Damage[];
/** After these a server may have less, and nobody can tell. */
const shortening: readonly Damage[] = ['cut', 'drop', 'remove', 'swap', 'rename', 'copy'];

async function damage(member: Member, draw: Draw): Promise<Damage> {
  const { disk } = member.machine.runtime;
  const directory = draw(2) === 0 ? logs : snapshots;
  const names = disk.list(directory).map(({ name }) => name);
  const kind = kinds[draw(kinds.length)] as Damage;
  if (names.length === 0) return 'remove';
  const path = `${directory}/${names[draw(names.length)]}`;
  const put = (to: string, bytes: Uint8Array): Promise<void> =>
    member.sim.complete(completed((done) => disk.replaceFile(to, bytes, done)));
  switch (kind) {
    case 'remove':
      disk.remove(path);
      break;
    case 'swap': {
      const other = `${directory}/${names[draw(names.length)]}`;
      const [one, two] = [bytesOf(disk, path), bytesOf(disk, other)];
      await put(path, two);
      await put(other, one);
      break;
    }
    case 'rename':
      disk.rename(path, path.replace(/[0-9a-f]+$/, draw(40).toString(16)));
      break;
    case 'copy':
      await put(path.replace(/[0-9a-f]+$/, draw(40).toString(16)), bytesOf(disk, path));
      break;
    default:
      await put(path, damages[kind](draw, bytesOf(disk, path)));
  }
  return kind;
}

function bytesOf(disk: Disk, path: string): Buffer {
  const file = disk.open(path, { readOnly: true });
  try {
    return Buffer.from(file.readAt(0, file.size));
  } finally {
    file.close();
  }
}

/** What a server would start with; undefined where it does not. */
function started(member: Member): Recovered | undefined {
  try {
    const [snapshotDirectory, logDirectory] = [snapshots, logs];
    return recover(member.machine.runtime, { snapshotDirectory, logDirectory, tree: treeOptions, readOnly: true });
  } catch {
    return undefined;
  }
}

const isSound = ({ saved, findings }: Checked): boolean =>
  saved !== undefined && findings.every(({ severity }) => severity === 'note');

type State = Pick<Recovered, 'tree' | 'sessions'>;
function assertState(found: State, expected: State, what: string): void {
  assert.deepEqual(describeTree(found.tree), describeTree(expected.tree), what);
  assert.deepEqual([...found.sessions].sort(), [...expected.sessions].sort(), what);
}

test('what is damaged at random is named, and its mended copy is a history that was', async () => {
  const seen = new Map<string, number>();
  const count = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1);
  for (const seed of SEEDS) {
    const draw = drawFrom(seed);
    const member = await Member.start(seed);
    await member.live(draw);
    await member.restart('process');
    await member.sim.complete(new Promise<void>((resolve) => member.storage.log.close(() => resolve())));
    const whole = started(member) as Recovered;
    const done: Damage[] = [];
    for (let left = 1 + draw(2); left > 0; left -= 1) done.push(await damage(member, draw));
    const what = `seed ${seed}: ${done.join(', ')}`;
    const checked = checkDirectories(member.machine.runtime, directories, treeOptions);
    const { saved, findings } = checked;
    const told = `${what}: ${findings.map(({ severity, kind, path, text }) => `${severity} ${kind} ${path} ${text}`).join('; ')}`;
    const server = started(member);
    if (isSound(checked)) {
      count('sound');
      assert.ok(server !== undefined && saved !== undefined, `${told}: no server starts`);
      assert.equal(server.lastZxid, saved.lastZxid, told);
      assertState(server, saved, told);
      if (!done.some((kind) => shortening.includes(kind))) assert.equal(server.lastZxid, whole.lastZxid, told);
    }
    if (saved === undefined) {
      count('lost');
      continue;
    }
    const isTrusted = !findings.some(({ kind, text }) => kind === 'digest' || /no digest tells/.test(text));
    const expected = member.expected(saved.lastZxid);
    // Of sessions that came or went in a gap nothing tells.
    const hasGap = findings.some(({ kind }) => kind === 'gap');
    if (isTrusted) assertState(saved, hasGap ? { ...expected, sessions: saved.sessions } : expected, told);
    await assertMended(member, checked, told);
    count(isTrusted ? 'mended' : 'mended in doubt');
  }
  for (const fate of ['sound', 'mended', 'lost']) assert.ok(seen.has(fate), JSON.stringify([...seen]));
});

async function assertMended(member: Member, { saved, membership }: Checked, what: string): Promise<void> {
  const { sim, machine } = member;
  assert.ok(saved !== undefined);
  const mended = { dataDir: '/mended', dataLogDir: '/mended' };
  await sim.complete(writeMended(machine.runtime, mended.dataDir, saved, membership));
  assert.ok(isSound(checkDirectories(machine.runtime, mended, treeOptions)), what);
  const recovered = await sim.complete(new FileSnapLog(machine.runtime, { ...mended, tree: treeOptions }).recover());
  assert.equal(recovered.lastZxid, saved.lastZxid as Zxid, what);
  assertState(recovered, saved, what);
}
