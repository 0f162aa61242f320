/** The offline tools beside Apache's, on the same files: the same lines, files and exit codes. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { silent } from '../../src/runtime/log.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { FileSnapLog } from '../../src/zookeeper/persistence/file-snap-log.ts';
import { drawFrom, RandomTxns } from '../../src/zookeeper/tree/random-txns.fixture.ts';
import { chosen, fullTest } from './breadth.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { type Outcome, run } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { javaClass } from './peers/tools.ts';
import { entryPositions, recordedDataDir } from './zookeeper-files.ts';

const bin = fileURLToPath(new URL('../../bin/', import.meta.url));
const tools = {
  zkSnapShotToolkit: 'SnapshotFormatter',
  zkTxnLogToolkit: 'persistence.TxnLogToolkit',
  zkSnapshotComparer: 'SnapshotComparer',
  zkSnapshotRecursiveSummaryToolkit: 'SnapshotRecursiveSummary',
} as const;
type Tool = keyof typeof tools;

interface Run {
  readonly args: readonly string[];
  readonly stdin?: string;
  readonly cwd: string;
  readonly timeZone?: string;
}

function environment(timeZone = 'UTC'): Record<string, string> {
  return { TZ: timeZone, LC_ALL: 'C.UTF-8' };
}

function ours(tool: Tool, { args, stdin, cwd, timeZone }: Run): Promise<Outcome> {
  return run(join(bin, `${tool}.sh`), args, {
    cwd,
    env: environment(timeZone),
    ...(stdin === undefined ? {} : { stdin }),
  });
}

function apache(tool: Tool, { args, stdin, cwd, timeZone }: Run): Promise<Outcome> {
  const options = { cwd, env: environment(timeZone), ...(stdin === undefined ? {} : { stdin }) };
  return javaClass('zookeeper-3.9.4', `org.apache.zookeeper.server.${tools[tool]}`, args, options);
}

/** What differs between any two runs: times, and the JVM's own words. */
function comparable({ code, stdout, stderr }: Outcome): { code: number | null; stdout: string[]; stderr: string } {
  const lines = stderr
    .split('\n')
    .filter((line) => !/^\[?main\]? |^\d+ \[main\]|^\tat |Exiting JVM|^\d{4}-.*\[main\]|^Caused by/.test(line));
  const text = lines.join('\n').trimEnd();
  return {
    code,
    stdout: stdout
      .replace(/in \d+\.\d{6} seconds/g, 'in N seconds')
      .replace(/"timestamp":\d+/, '"timestamp":N')
      .split('\n'),
    // A tool of ours says in a line what Java's trace begins with.
    stderr: text.startsWith('Exception in thread') ? 'an exception' : text,
  };
}

async function assertSame(tool: Tool, mine: Run, theirs: Run = mine): Promise<Outcome> {
  const [our, their] = await Promise.all([ours(tool, mine), apache(tool, theirs)]);
  const [got, want] = [comparable(our), comparable(their)];
  const what = `${tool} ${mine.args.join(' ')}`;
  assert.deepEqual(got.stdout, want.stdout, what);
  assert.equal(got.code, want.code, `${what}: ${our.stderr}`);
  if (want.stderr === 'an exception') assert.match(our.stderr, /^[^\n]+\n$/, what);
  else assert.equal(got.stderr, want.stderr, what);
  return our;
}

/** What our server leaves, with thousands of nodes. */
async function ourDirectory(compression: 'none' | 'gz' | 'snappy'): Promise<string> {
  const dataDir = tempDir();
  const tree = { extendedTypes: true };
  const storage = new FileSnapLog(nodeRuntime({ log: silent }), { dataDir, tree, compression });
  const recovered = await storage.recover();
  const txns = new RandomTxns(recovered.tree, drawFrom(5));
  for (let index = 0; index < 4000; index += 1) storage.log.append(txns.next());
  await storage.takeSnapshot({ tree: txns.tree, sessions: new Map(txns.sessions) });
  await new Promise((resolve) => storage.log.close(resolve));
  return join(dataDir, 'version-2');
}

function names(directory: string, prefix: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.startsWith(prefix))
    .sort();
}

const recorded = join(recordedDataDir('3.9.4'), 'version-2');
const old = join(recordedDataDir('3.4.8'), 'version-2');

test('zkSnapShotToolkit.sh shows a snapshot of either server, plain, gzip or Snappy, as Apache’s does', async () => {
  for (const cwd of [
    recorded,
    old,
    await ourDirectory('none'),
    await ourDirectory('gz'),
    await ourDirectory('snappy'),
  ]) {
    const newest = names(cwd, 'snapshot.').at(-1) as string;
    for (const name of cwd === recorded ? names(cwd, 'snapshot.') : [newest]) {
      for (const flags of [[], ['-d'], ['-json']])
        await assertSame('zkSnapShotToolkit', { args: [...flags, name], cwd });
    }
  }
  await assertSame('zkSnapShotToolkit', { args: ['snapshot.0'], cwd: recorded, timeZone: 'America/New_York' });
});

fullTest('zkSnapShotToolkit.sh refuses what Apache’s refuses, and shows a snapshot whose seal is wrong', async () => {
  const cwd = tempDir();
  cpSync(recorded, cwd, { recursive: true });
  const name = names(cwd, 'snapshot.')[1] as string;
  const bytes = readFileSync(join(cwd, name));
  writeFileSync(join(cwd, 'snapshot.77'), bytes.subarray(0, -30));
  writeFileSync(join(cwd, 'snapshot.78'), bytes.subarray(0, 1200));
  writeFileSync(join(cwd, 'snapshot.79'), '');
  writeFileSync(join(cwd, 'snapshot.80'), Buffer.from('no snapshot at all'));
  writeFileSync(join(cwd, 'backup'), bytes);
  for (const args of [[], ['-d'], ['absent'], ['.'], ['-d', '-json', name], [name, '-d'], ['-x'], ['backup']]) {
    await assertSame('zkSnapShotToolkit', { args, cwd });
  }
  for (const damaged of ['snapshot.77', 'snapshot.78', 'snapshot.79', 'snapshot.80']) {
    await assertSame('zkSnapShotToolkit', { args: [damaged], cwd });
  }
});

test('zkTxnLogToolkit.sh shows every transaction as Apache’s does', async () => {
  const ourLogs = await ourDirectory('none');
  for (const cwd of [recorded, old, ourLogs]) {
    for (const name of names(cwd, 'log.')) await assertSame('zkTxnLogToolkit', { args: [name], cwd });
  }
  for (const timeZone of ['Europe/Berlin', 'Asia/Tokyo', 'America/Los_Angeles']) {
    await assertSame('zkTxnLogToolkit', { args: ['-d', 'log.100000001'], cwd: recorded, timeZone });
  }
});

/** Copies of a log, each damaged in its own way. */
function damagedLogs(directory: string): string[] {
  const log = readFileSync(join(recorded, 'log.100000001'));
  const at = entryPositions(log);
  const put = (name: string, bytes: Buffer): void => writeFileSync(join(directory, name), bytes);
  const changed = (change: (bytes: Buffer) => void): Buffer => {
    const bytes = Buffer.from(log);
    change(bytes);
    return bytes;
  };
  const end = at.at(-1) as number;
  put(
    'log.crc',
    changed((bytes) => bytes.writeUInt8(0x21, (at[2] as number) - 20)),
  );
  put(
    'log.crcs',
    changed((bytes) => {
      for (const index of [3, 9, 12]) bytes.writeInt32BE(77, (at[index] as number) + 4);
    }),
  );
  put(
    'log.body',
    changed((bytes) => bytes.writeUInt8(0xff, (at[4] as number) + 12 + 32)),
  );
  put('log.torn', log.subarray(0, end - 9));
  put(
    'log.torn-zeros',
    changed((bytes) => bytes.fill(0, end - 9)),
  );
  put('log.no-end', log.subarray(0, end - 1));
  put('log.exact', log.subarray(0, end));
  put(
    'log.magic',
    changed((bytes) => bytes.writeInt32BE(1, 0)),
  );
  put('log.short', log.subarray(0, 9));
  put('log.empty', Buffer.alloc(0));
  put(
    'log.negative',
    changed((bytes) => bytes.writeInt32BE(-5, (at[3] as number) + 8)),
  );
  put(
    'log.huge',
    changed((bytes) => bytes.writeInt32BE(0x7000_0000, (at[3] as number) + 8)),
  );
  put('log.gap', Buffer.concat([log.subarray(0, at[5]), log.subarray(at[8], end)]));
  return names(directory, 'log.');
}

fullTest('zkTxnLogToolkit.sh shows damage, and makes the same copy with right checksums', async () => {
  const [mine, theirs] = [tempDir(), tempDir()];
  damagedLogs(theirs);
  for (const name of damagedLogs(mine)) {
    await assertSame('zkTxnLogToolkit', { args: [name], cwd: mine });
    for (const flags of chosen([['-r', '-y'], ['-rvy'], ['--recover', '--yes']], ([first]) => first === '-rvy')) {
      await assertSame(
        'zkTxnLogToolkit',
        { args: [...flags, name], cwd: mine },
        { args: [...flags, name], cwd: theirs },
      );
    }
    await assertSame('zkTxnLogToolkit', { args: ['-r', name], cwd: mine }, { args: ['-r', name], cwd: theirs });
  }
  const fixed = names(mine, 'log.').filter((name) => name.endsWith('.fixed'));
  assert.deepEqual(
    fixed,
    names(theirs, 'log.').filter((name) => name.endsWith('.fixed')),
  );
  assert.ok(fixed.length > 8);
  for (const name of fixed) assert.ok(readFileSync(join(mine, name)).equals(readFileSync(join(theirs, name))), name);
});

fullTest('zkTxnLogToolkit.sh asks before it fixes, and takes yes, no and abort', async () => {
  const [mine, theirs] = [tempDir(), tempDir()];
  for (const directory of [mine, theirs]) damagedLogs(directory);
  for (const stdin of ['y\nno\nYes\n', 'x y N\n y', 'n\na\n', '', 'y\n']) {
    const args = ['-r', 'log.crcs'];
    await assertSame('zkTxnLogToolkit', { args, cwd: mine, stdin }, { args, cwd: theirs, stdin });
    const [our, their] = [mine, theirs].map((directory) => readFileSync(join(directory, 'log.crcs.fixed')));
    assert.ok(our?.equals(their as Buffer), JSON.stringify(stdin));
    for (const directory of [mine, theirs])
      writeFileSync(join(directory, 'log.crcs'), readFileSync(join(directory, 'log.crcs')));
    await Promise.all([mine, theirs].map((cwd) => run('rm', ['log.crcs.fixed'], { cwd })));
  }
});

test('zkTxnLogToolkit.sh cuts the same copy at a zxid', async () => {
  const [mine, theirs] = [tempDir(), tempDir()];
  for (const directory of [mine, theirs]) damagedLogs(directory);
  const last = (0x1_0000_0007).toString();
  const runs = [
    ['-c', '-z', last, 'log.exact'],
    ['-c', '-z', '0x100000009', 'log.exact'],
    ['-c', '-z', '0x100000007', 'log.gap'],
    ['-c', '-z', '0x10000000a', 'log.gap'],
    ['-c', '-z', '#100000008', 'log.crcs'],
    ['--chop', '--zxid', '4294967299', 'log.torn'],
    ['-c', '-z', '0x1ffffffff', 'log.torn'],
    ['-c', '-z', '0', 'log.exact'],
    ['-c', '-z', '07', 'log.exact'],
    ['-c', '-z5', 'log.magic'],
    ['-c', '-z', '5', 'log.short'],
    ['-c', '-z', '0x1ffffffff', 'log.no-end'],
    ['-c', '-z', '0x1ffffffff', 'log.negative'],
    ['-c', '-z', 'x', 'log.exact'],
    ['-c', '-z', '-7', 'log.exact'],
    ['-c', '-z', '5', 'absent'],
  ];
  for (const args of runs) await assertSame('zkTxnLogToolkit', { args, cwd: mine }, { args, cwd: theirs });
  const chopped = names(mine, 'log.').filter((name) => name.includes('.chopped'));
  assert.deepEqual(
    chopped,
    names(theirs, 'log.').filter((name) => name.includes('.chopped')),
  );
  assert.ok(chopped.length > 8);
  for (const name of chopped) assert.ok(readFileSync(join(mine, name)).equals(readFileSync(join(theirs, name))), name);
});

fullTest('zkTxnLogToolkit.sh understands the words that Apache’s does', async () => {
  for (const args of [
    [],
    ['-h'],
    ['--help'],
    ['-x'],
    ['-z'],
    ['-z', '-v'],
    ['-rx', 'log.1'],
    ['--rec', 'absent'],
    ['absent'],
    ['-c', 'log.100000001'],
    ['log.100000001', '-x'],
    ['-q5', 'log.100000001'],
    ['--dump=1', 'log.100000001'],
    ['-y', 'log.200000001', 'more'],
  ]) {
    await assertSame('zkTxnLogToolkit', { args, cwd: recorded });
  }
});

test('zkSnapshotComparer.sh finds the same differences', async () => {
  const cwd = tempDir();
  for (const name of names(recorded, 'snapshot.')) cpSync(join(recorded, name), join(cwd, name));
  for (const compression of ['none', 'snappy'] as const) {
    const directory = await ourDirectory(compression);
    for (const name of names(directory, 'snapshot.')) cpSync(join(directory, name), join(cwd, name));
  }
  const [first = '', , , ...rest] = names(cwd, 'snapshot.');
  const [second = '', third = ''] = [rest.at(0), rest.at(-1)];
  for (const args of [
    ['-l', first, '-r', second, '-b', '2', '-n', '1'],
    ['-l', second, '-r', first, '-b', '0', '-n', '0', '-d'],
    ['--left', second, '--right', third, '--bytes', '10', '--nodes', '5', '--debug'],
    ['-l', third, '-r', third, '-b', '1', '-n', '1'],
    ['-l', first, '-r', second, '-b', '2'],
    ['-l', first],
    ['-q'],
    ['-l', first, '-r', second, '-b', 'x', '-n', '1'],
    ['-l', first, '-r', 'absent', '-b', '1', '-n', '1'],
    ['-l', first, '-r'],
  ]) {
    await assertSame('zkSnapshotComparer', { args, cwd });
  }
  const stdin = '\n/plain\n9\n1\n/absent\nnonsense\n-1\n\n\n/\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n';
  await assertSame('zkSnapshotComparer', { args: ['-i', '-l', first, '-r', second, '-b', '2', '-n', '1'], cwd, stdin });
  await assertSame('zkSnapshotComparer', {
    args: ['-i', '-l', first, '-r', second, '-b', '2', '-n', '1'],
    cwd,
    stdin: '',
  });
});

/** Path and depth. */
const summaries = [
  ['/', '0'],
  ['/', '1'],
  ['/', '2'],
  ['/zookeeper', '0'],
  ['/zookeeper/config', '3'],
  ['', '0'],
] as const;

fullTest('zkSnapshotRecursiveSummaryToolkit.sh counts the same', async () => {
  const mine = await ourDirectory('snappy');
  for (const cwd of [recorded, mine]) {
    for (const name of names(cwd, 'snapshot.')) {
      for (const rest of chosen(summaries, ([, depth]) => depth !== '0')) {
        await assertSame('zkSnapshotRecursiveSummaryToolkit', { args: [name, ...rest], cwd });
      }
    }
  }
  for (const args of [[], ['a'], ['snapshot.0', '/', 'x'], ['snapshot.0', '/absent', '0'], ['absent', '/', '0']]) {
    await assertSame('zkSnapshotRecursiveSummaryToolkit', { args, cwd: recorded });
  }
});

/** A directory for each of the tools, alike, with old files to remove. */
function purgeable(isSplit: boolean): { dataDir: string; dataLogDir: string; config: string } {
  const root = tempDir();
  const [dataDir, dataLogDir] = [join(root, 'data'), join(root, isSplit ? 'logs' : 'data')];
  const snapshot = readFileSync(join(recorded, 'snapshot.0'));
  const log = readFileSync(join(recorded, 'log.100000001')).subarray(0, 500);
  for (const directory of [dataDir, dataLogDir]) mkdirSync(join(directory, 'version-2'), { recursive: true });
  const put = (directory: string, name: string, bytes: Uint8Array): void => {
    const path = join(directory, 'version-2', name);
    writeFileSync(path, bytes);
    utimesSync(path, 1_700_000_000, 1_700_000_000);
  };
  for (const zxid of ['1', '10', '20', '2f', '40', '50']) put(dataDir, `snapshot.${zxid}`, snapshot);
  put(dataDir, 'snapshot.45', snapshot.subarray(0, 100));
  for (const zxid of ['1', '5', '11', '2a', '2f', '33', '41', '55']) put(dataLogDir, `log.${zxid}`, log);
  put(dataDir, 'acceptedEpoch', Buffer.from('1'));
  const config = join(root, 'zoo.cfg');
  writeFileSync(
    config,
    `tickTime=2000\n  dataDir=${dataDir}\n${isSplit ? `dataLogDir=${dataLogDir}\n` : ''}clientPort=1\n`,
  );
  return { dataDir, dataLogDir, config };
}

test('zkCleanup.sh removes the files that Apache’s removes, and says so', async () => {
  for (const isSplit of [false, true]) {
    for (const count of ['3', '5', '9']) {
      const [mine, theirs] = [purgeable(isSplit), purgeable(isSplit)];
      const env = environment('Europe/Berlin');
      const our = await run(join(bin, 'zkCleanup.sh'), ['-n', count], { env: { ...env, ZOOCFG: mine.config } });
      const directories = isSplit ? [theirs.dataLogDir, theirs.dataDir] : [theirs.dataDir];
      const their = await javaClass(
        'zookeeper-3.9.4',
        'org.apache.zookeeper.server.PurgeTxnLog',
        [...directories, '-n', count],
        { env },
      );
      const lines = (text: string, root: string): string[] => text.replaceAll(root, 'ROOT').split('\n').sort();
      assert.deepEqual(lines(our.stdout, join(mine.dataDir, '..')), lines(their.stdout, join(theirs.dataDir, '..')));
      assert.equal(our.code, their.code);
      for (const [a, b] of [
        [mine.dataDir, theirs.dataDir],
        [mine.dataLogDir, theirs.dataLogDir],
      ] as const) {
        assert.deepEqual(readdirSync(join(a, 'version-2')), readdirSync(join(b, 'version-2')));
      }
    }
  }
});

fullTest('zkCleanup.sh refuses the words that Apache’s refuses', async () => {
  const { dataDir, config } = purgeable(false);
  for (const words of [[], ['-n'], ['-n', '2'], ['-n', 'x'], ['-m', '3'], ['3'], ['-n', '3', '4', '5']]) {
    const our = await run(join(bin, 'zkCleanup.sh'), words, { env: { ...environment(), ZOOCFG: config } });
    const their = await javaClass('zookeeper-3.9.4', 'org.apache.zookeeper.server.PurgeTxnLog', [dataDir, ...words], {
      env: environment(),
    });
    assert.deepEqual(comparable(our), comparable(their), words.join(' '));
  }
  const missing = join(tempDir(), 'zoo.cfg');
  writeFileSync(missing, `dataDir=${join(tempDir(), 'absent')}\n`);
  const { code, stderr } = await run(join(bin, 'zkCleanup.sh'), ['-n', '3'], { env: { ZOOCFG: missing } });
  assert.equal(code, 1);
  assert.match(stderr, /^Path '.*\/absent' does not exist\. $/m);
  assert.equal(basename(missing), 'zoo.cfg');
});

test('Apache 3.9.4 starts where zkServer-initialize.sh made the directories and may create no database by itself', async (t) => {
  const root = tempDir();
  const dataDir = join(root, 'data');
  const config = join(root, 'zoo.cfg');
  writeFileSync(config, `dataDir=${dataDir}\n`);
  const { code, stdout } = await run(join(bin, 'zkServer-initialize.sh'), ['--myid=3', `--configfile=${config}`]);
  assert.deepEqual({ code, stdout }, { code: 0, stdout: 'Using myid of 3\n' });
  const refusing = { 'datadir.autocreate': 'false', 'db.autocreate': 'false' };
  const server = await startApacheZookeeper({ version: '3.9.4', dataDir, config: refusing });
  t.after(() => server.stop());
  assert.match(await server.ask('srvr'), /Zxid: 0x0\n/);
});
