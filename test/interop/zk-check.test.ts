/** zkCheck.sh on damage of every kind: what it says, and that both servers start on the copy with all that could be saved. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { adler32 } from '../../src/base/adler32.ts';
import { zooCfg } from '../../src/config/zoo-cfg.ts';
import { silent } from '../../src/runtime/log.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { connectZookeeper } from '../../src/zookeeper/client/client.ts';
import { startZookeeper } from '../../src/zookeeper/ensemble/start-zookeeper.ts';
import type { SessionId, Zxid } from '../../src/zookeeper/jute/ids.ts';
import { OpCode } from '../../src/zookeeper/jute/op-codes.ts';
import { FileSnapLog } from '../../src/zookeeper/persistence/file-snap-log.ts';
import { chosen } from './breadth.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { freePort } from './peers/free-port.ts';
import { run } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { entryPositions, recordedDataDir } from './zookeeper-files.ts';

const zkCheck = fileURLToPath(new URL('../../bin/zkCheck.sh', import.meta.url));
const runtime = nodeRuntime({ log: silent });

interface Report {
  readonly state: string;
  readonly lastZxid: string | null;
  readonly lost: { readonly from: string; readonly to: string } | null;
  readonly findings: readonly { readonly kind: string; readonly severity: string; readonly text: string }[];
}

/**
 * Sixty nodes, /n1 to /n60, each by the transaction of its number: log.1 (1 to 20), snapshot.14, log.15 (21 to 40), log.29 (41 to
 * 60), and snapshot.0 of the beginning.
 */
const pristine = tempDir();

before(async () => {
  const storage = new FileSnapLog(runtime, { dataDir: pristine, log: { preAllocBytes: 65_536 } });
  const { tree } = await storage.recover();
  const flushed = (): Promise<void> => new Promise((resolve) => storage.log.flush(() => resolve()));
  for (let number = 1; number <= 60; number += 1) {
    const header = {
      clientId: 1n as SessionId,
      cxid: number,
      zxid: BigInt(number) as Zxid,
      time: 1,
      type: OpCode.create,
    };
    const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
    const data = Buffer.from(`data of ${number}`);
    const txn = { type: OpCode.create, path: `/n${number}`, data, acl, ephemeral: false, parentCVersion: number };
    tree.apply(header, txn);
    storage.log.append({ header, txn, digest: { version: 2, treeDigest: tree.treeDigest } });
    if (number % 20 !== 0) continue;
    await flushed();
    storage.log.roll();
    if (number === 20) await storage.takeSnapshot({ tree, sessions: new Map([[7n as SessionId, 5000]]) });
  }
  await new Promise((resolve) => storage.log.close(resolve));
});

interface Log {
  bytes: Buffer;
  /** Of each entry, and last of the zeros. */
  readonly at: readonly number[];
}

function change(directory: string, name: string, edit: (log: Log) => void): void {
  const path = join(directory, name);
  const bytes = readFileSync(path);
  const log = { bytes, at: entryPositions(bytes) };
  edit(log);
  writeFileSync(path, log.bytes);
}

function flip(bytes: Buffer, at: number): void {
  bytes.writeUInt8(bytes.readUInt8(at) ^ 0x10, at);
}

/** Places in log.15 of the entry with zxid 30. */
const THIRTY = 9;

interface Damage {
  readonly name: string;
  /** Gets `<dataDir>/version-2` and dataDir. */
  damage(directory: string, dataDir: string): void;
  readonly kinds: readonly string[];
  readonly code: number;
  /** How many of the sixty nodes are saved. */
  readonly saved: number;
  /** Whether zxids above are lost. */
  readonly isLossy?: boolean;
}

const damages: readonly Damage[] = [
  { name: 'nothing', damage: () => undefined, kinds: [], code: 0, saved: 60 },
  {
    name: 'foreign files',
    damage: (directory) => writeFileSync(join(directory, 'notes.txt'), 'mine'),
    kinds: ['foreign-file'],
    code: 0,
    saved: 60,
  },
  {
    name: 'an empty newest log',
    damage: (directory) => writeFileSync(join(directory, 'log.3d'), ''),
    kinds: ['empty-log'],
    code: 0,
    saved: 60,
  },
  {
    name: 'a torn tail',
    damage: (directory) => change(directory, 'log.29', (log) => void log.bytes.fill(0, (log.at.at(-1) as number) - 10)),
    kinds: ['torn-log'],
    code: 1,
    saved: 59,
  },
  {
    name: 'a wrong checksum in the middle',
    damage: (directory) => change(directory, 'log.15', ({ bytes, at }) => flip(bytes, (at[THIRTY] as number) + 6)),
    kinds: ['damaged-log', 'no-start'],
    code: 1,
    saved: 60,
  },
  {
    name: 'a wrong byte in the middle',
    damage: (directory) =>
      change(directory, 'log.15', ({ bytes, at }) => flip(bytes, (at[THIRTY] as number) + 12 + 45)),
    kinds: ['damaged-log', 'gap'],
    code: 1,
    saved: 29,
    isLossy: true,
  },
  {
    name: 'a wrong length in the middle',
    damage: (directory) =>
      change(directory, 'log.15', ({ bytes, at }) => void bytes.writeInt32BE(5000, (at[THIRTY] as number) + 8)),
    kinds: ['damaged-log', 'gap'],
    code: 1,
    saved: 29,
    isLossy: true,
  },
  {
    name: 'damage that the newest snapshot covers',
    damage: (directory) => change(directory, 'log.1', ({ bytes, at }) => flip(bytes, (at[9] as number) + 12 + 45)),
    kinds: ['damaged-log', 'no-start'],
    code: 1,
    saved: 60,
  },
  {
    name: 'a newest snapshot that cannot be read',
    damage: (directory) => change(directory, 'snapshot.14', ({ bytes }) => flip(bytes, 200)),
    kinds: ['bad-snapshot'],
    code: 1,
    saved: 60,
  },
  {
    name: 'an empty newest snapshot',
    damage: (directory) => writeFileSync(join(directory, 'snapshot.14'), ''),
    kinds: ['bad-snapshot'],
    code: 1,
    saved: 60,
  },
  {
    name: 'no snapshot, but logs from the beginning',
    damage: (directory) => {
      for (const name of ['snapshot.0', 'snapshot.14']) rmSync(join(directory, name));
    },
    kinds: ['no-snapshot', 'no-start'],
    code: 1,
    saved: 60,
  },
  {
    name: 'a missing log',
    damage: (directory) => rmSync(join(directory, 'log.15')),
    kinds: ['gap'],
    code: 1,
    saved: 20,
    isLossy: true,
  },
  {
    name: 'logs that overlap',
    damage: (directory) =>
      change(directory, 'log.29', (log) => {
        const older = readFileSync(join(directory, 'log.15'));
        const from = entryPositions(older)[THIRTY] as number;
        writeFileSync(join(directory, 'log.20'), Buffer.concat([log.bytes.subarray(0, 16), older.subarray(from)]));
      }),
    kinds: ['log-name', 'overlap', 'zxid-back'],
    code: 1,
    saved: 60,
  },
  {
    name: 'a zxid that goes back',
    damage: (directory) =>
      change(directory, 'log.29', (log) => {
        const { bytes, at } = log;
        const end = at.at(-1) as number;
        log.bytes = Buffer.concat([bytes.subarray(0, end), bytes.subarray(at[4], at[5]), bytes.subarray(end)]);
      }),
    kinds: ['zxid-back'],
    code: 1,
    saved: 60,
  },
  {
    name: 'another digest than the tree has',
    damage: (directory) =>
      change(directory, 'log.29', ({ bytes, at }) => {
        const [from, to] = [at.at(-2) as number, at.at(-1) as number];
        flip(bytes, to - 3);
        bytes.writeUInt32BE(adler32(bytes.subarray(from + 12, to - 1)), from + 4);
      }),
    kinds: ['digest'],
    code: 1,
    saved: 60,
  },
  {
    name: 'files beside version-2',
    damage: (directory, dataDir) => {
      for (const name of readdirSync(directory)) renameSync(join(directory, name), join(dataDir, name));
      rmSync(directory, { recursive: true });
    },
    kinds: ['layout'],
    code: 1,
    saved: 60,
  },
  {
    name: 'a myid that is no number',
    damage: (_directory, dataDir) => writeFileSync(join(dataDir, 'myid'), 'one\n'),
    kinds: ['myid'],
    code: 1,
    saved: 60,
  },
];

async function report(...args: string[]): Promise<Report & { code: number | null }> {
  const { code, stdout, stderr } = await run(zkCheck, ['--json', ...args]);
  assert.equal(stderr, '');
  return { ...(JSON.parse(stdout) as Report), code };
}

/** The names of all files with what they hold. */
function contents(directory: string): Map<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), 'latin1')]),
  );
}

async function childrenOf(connect: string): Promise<string[]> {
  const client = connectZookeeper(runtime, { connect, sessionTimeoutMs: 20_000 });
  const names = await client.getChildren('/');
  for (const name of names)
    if (name !== 'zookeeper')
      assert.equal((await client.getData(`/${name}`)).data?.toString(), `data of ${name.slice(1)}`);
  await client.create('/after', 'goes on');
  await client.close();
  return names.filter((name) => name !== 'zookeeper').sort();
}

async function startOurs(t: TestContext, dataDir: string): Promise<string> {
  const server = await startZookeeper(runtime, zooCfg({ dataDir, clientPort: 0, clientPortAddress: '127.0.0.1' }));
  t.after(() => server.close());
  return `127.0.0.1:${server.clientAddress.port}`;
}

/** One of each kind of mending. */
const told = new Set([
  'a torn tail',
  'a wrong checksum in the middle',
  'a newest snapshot that cannot be read',
  'no snapshot, but logs from the beginning',
  'a missing log',
  'another digest than the tree has',
]);

for (const { name, damage, kinds, code, saved, isLossy = false } of chosen(damages, (one) => told.has(one.name))) {
  test(`zkCheck.sh mends ${name}`, async (t) => {
    const [dataDir, mended, other] = [tempDir(), join(tempDir(), 'mended'), tempDir()];
    cpSync(pristine, dataDir, { recursive: true });
    damage(join(dataDir, 'version-2'), dataDir);
    const before = contents(dataDir);
    const found = await report('--repair-to', mended, dataDir);
    assert.deepEqual(contents(dataDir), before, 'the original is as it was');
    const seen = new Set(found.findings.filter(({ kind }) => kind !== 'padding').map(({ kind }) => kind));
    assert.deepEqual([...seen].sort(), [...kinds].sort(), JSON.stringify(found.findings));
    assert.equal(found.code, code);
    assert.equal(found.state, code === 0 ? 'sound' : 'mended');
    assert.equal(found.lastZxid, `0x${saved.toString(16)}`);
    assert.deepEqual(found.lost !== null, isLossy, JSON.stringify(found.lost));
    if (isLossy) assert.equal(found.lost?.from, `0x${(saved + 1).toString(16)}`);

    cpSync(mended, other, { recursive: true });
    const want = Array.from({ length: saved }, (_, index) => `n${index + 1}`).sort();
    assert.deepEqual(await childrenOf(await startOurs(t, mended)), want);
    const apache = await startApacheZookeeper({ version: '3.9.4', dataDir: other });
    t.after(() => apache.kill());
    assert.match(await apache.ask('mntr'), /zk_digest_mismatches_count\t0\n/);
    assert.deepEqual(await childrenOf(apache.connect), want);
  });
}

test('zkCheck.sh says 2 where no snapshot is left and the logs do not begin at the beginning', async () => {
  const dataDir = tempDir();
  cpSync(pristine, dataDir, { recursive: true });
  for (const name of ['snapshot.0', 'snapshot.14', 'log.1']) rmSync(join(dataDir, 'version-2', name));
  const mended = join(tempDir(), 'mended');
  const found = await report('--repair-to', mended, dataDir);
  assert.equal(found.code, 2);
  assert.deepEqual(found.lost, { from: '0x1', to: '0x3c' });
  assert.throws(() => readdirSync(mended), /ENOENT/);
});

test('zkCheck.sh mends the epochs of a member, and Apache’s ensemble of one starts', async (t) => {
  for (const [accepted, current] of [
    ['4', '9'],
    ['1', '1'],
    ['none', '4'],
  ] as const) {
    const dataDir = recordedDataDir('3.9.4');
    writeFileSync(join(dataDir, 'version-2', 'acceptedEpoch'), accepted);
    writeFileSync(join(dataDir, 'version-2', 'currentEpoch'), current);
    writeFileSync(join(dataDir, 'myid'), '1\n');
    const mended = join(tempDir(), 'mended');
    const found = await report('--repair-to', mended, dataDir);
    assert.equal(found.code, 1);
    assert.ok(found.findings.some(({ kind, severity }) => kind === 'epoch' && severity === 'damage'));
    assert.equal(found.lost, null);
    const epoch = String(Math.max(Number(current), 4));
    assert.equal(readFileSync(join(mended, 'version-2', 'currentEpoch'), 'utf8'), epoch);
    assert.equal(readFileSync(join(mended, 'version-2', 'acceptedEpoch'), 'utf8'), epoch);
    assert.equal((await report(mended)).code, 0);
    const config = {
      extendedTypesEnabled: 'true',
      standaloneEnabled: 'false',
      'server.1': `127.0.0.1:${await freePort()}:${await freePort()}`,
    };
    const apache = await startApacheZookeeper({ version: '3.9.4', dataDir: mended, config, myid: 1 });
    t.after(() => apache.kill());
    assert.match(await apache.ask('mntr'), /zk_digest_mismatches_count\t0\n/);
    const client = connectZookeeper(runtime, { connect: apache.connect, sessionTimeoutMs: 20_000 });
    assert.equal((await client.getData('/life-snappy')).data?.toString(), 'with snappy');
    await client.close();
  }
});

test('zkCheck.sh takes separate directories, and refuses wrong words with 3', async () => {
  const [dataDir, dataLogDir] = [tempDir(), tempDir()];
  cpSync(pristine, dataDir, { recursive: true });
  mkdirSync(join(dataLogDir, 'version-2'));
  for (const name of readdirSync(join(dataDir, 'version-2')).filter((name) => name.startsWith('log.')))
    renameSync(join(dataDir, 'version-2', name), join(dataLogDir, 'version-2', name));
  assert.equal((await report(dataDir, dataLogDir)).code, 0);
  const swapped = await report(dataLogDir, dataDir);
  assert.equal(swapped.code, 1);
  assert.ok(swapped.findings.some(({ kind }) => kind === 'layout'));
  const config = join(tempDir(), 'zoo.cfg');
  writeFileSync(config, `dataDir=${dataDir}\ndataLogDir=${dataLogDir}\n`);
  const { code, stdout } = await run(zkCheck, [], { env: { ZOOCFG: config } });
  assert.equal(code, 0);
  assert.match(stdout, /^What can be saved: 65 nodes and 1 sessions, up to zxid 0x3c\n.*: sound\n$/m);
  for (const words of [
    ['--fix', dataDir],
    ['a', 'b', 'c'],
    [join(dataDir, 'absent')],
    ['--repair-to'],
    ['--repair-to', join(dataDir, 'x'), dataDir],
    ['--repair-to', dataLogDir, dataDir],
  ]) {
    const outcome = await run(zkCheck, words);
    assert.equal(outcome.code, 3, words.join(' '));
    assert.match(outcome.stderr, /^zkCheck.sh: [^\n]+\nusage: zkCheck.sh/);
  }
});
