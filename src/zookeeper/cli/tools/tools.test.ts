import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseJavaLong } from './chop-log.ts';
import { hashOrder, longHash, stringHash } from './java-hash.ts';
import { serverInitialize } from './server-initialize.ts';
import { ToolError, type ToolIo } from './tool.ts';
import { parseToolOptions } from './tool-options.ts';

test('names come in the order of a HashSet of eight buckets that grows', () => {
  // Printed by a java.util.HashSet(8) of Java 17.
  const names = [
    'plain',
    'private',
    'empty',
    'zookeeper',
    'multi',
    'kept-container',
    'with-stat',
    'ttl',
    'ttl-0000000009',
  ];
  assert.deepEqual(hashOrder(names, stringHash, 8), [
    'private',
    'zookeeper',
    'plain',
    'kept-container',
    'with-stat',
    'ttl',
    'ttl-0000000009',
    'empty',
    'multi',
  ]);
  assert.equal(longHash(-1n), 0);
  assert.equal(longHash(0x1_0000_0002n), 3);
});

test('longs are decoded as Long.decode does', () => {
  assert.equal(parseJavaLong('0x1F'), 31n);
  assert.equal(parseJavaLong('#1f'), 31n);
  assert.equal(parseJavaLong('017'), 15n);
  assert.equal(parseJavaLong('-12'), -12n);
  assert.equal(parseJavaLong('0'), 0n);
  for (const text of ['', 'x', '08', '0x', '9223372036854775808', '1 '])
    assert.throws(() => parseJavaLong(text), ToolError);
});

test('options may be bundled, cut and joined with their values', () => {
  const table = [
    { short: 'r', long: 'recover', kind: 'flag' },
    { short: 'y', long: 'yes', kind: 'flag' },
    { short: 'z', long: 'zxid', kind: 'value' },
  ] as const;
  const parsed = (...args: string[]) => {
    const { options, words } = parseToolOptions(args, table);
    return [Object.fromEntries(options), words];
  };
  assert.deepEqual(parsed('-ry', 'f'), [{ r: '', y: '' }, ['f']]);
  assert.deepEqual(parsed('f', '--rec', '-z5'), [{ r: '', z: '5' }, ['f']]);
  assert.deepEqual(parsed('-recover', '--zxid=7', '--', '-y'), [{ r: '', z: '7' }, ['-y']]);
  assert.throws(() => parsed('-rx'), /Unrecognized option: -rx/);
  assert.throws(() => parsed('-z'), /Missing argument for option: z/);
});

class Recorder implements ToolIo {
  text = '';
  write(text: string): void {
    this.text += text;
  }
  complain(line: string): void {
    this.text += `! ${line}\n`;
  }
  async room(): Promise<void> {}
  async readLine(): Promise<undefined> {
    return undefined;
  }
}

test('zkServer-initialize.sh makes directories, myid and the mark, and takes what is there only by force', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'initialize-'));
  t.after(() => rmSync(root, { recursive: true }));
  const config = join(root, 'zoo.cfg');
  const [data, logs] = [join(root, 'data'), join(root, 'logs')];
  const initialize = (...args: string[]): { code: number; text: string } => {
    const io = new Recorder();
    const code = serverInitialize(args, io, { ZOOCFGDIR: root });
    return { code, text: io.text };
  };
  assert.deepEqual(initialize(), { code: 1, text: `Unable to find config file at ${config}\n` });
  writeFileSync(config, 'clientPort=1\n');
  assert.deepEqual(initialize(), { code: 1, text: `Unable to determine dataDir from ${config}\n` });
  writeFileSync(config, `  dataDir=${data}\ndataLogDir=${logs}\n`);
  assert.deepEqual(initialize('--myid=7'), { code: 0, text: 'Using myid of 7\n' });
  assert.deepEqual(readdirSync(data), ['initialize', 'myid', 'version-2']);
  assert.deepEqual(readdirSync(logs), ['version-2']);
  assert.equal(readFileSync(join(data, 'myid'), 'utf8'), '7\n');
  writeFileSync(join(data, 'version-2', 'snapshot.0'), 'old');
  const there = 'already exists at';
  const force = '(or use --force to force re-initialization)\n';
  assert.deepEqual(initialize(), { code: 1, text: `ZooKeeper data directory ${there} ${data} ${force}` });
  assert.ok(existsSync(join(data, 'version-2', 'snapshot.0')));
  rmSync(join(data, 'version-2'), { recursive: true });
  assert.deepEqual(initialize(), { code: 1, text: `ZooKeeper txnlog directory ${there} ${logs} ${force}` });
  assert.deepEqual(initialize('--configfile', config, '--force'), {
    code: 0,
    text: `Force enabled, data/txnlog directories will be re-initialized\nNo myid provided, be sure to specify it in ${data}/myid if using non-standalone\n`,
  });
  assert.deepEqual(readdirSync(data), ['initialize', 'version-2']);
  for (const [arg, head] of [
    ['-h', ''],
    ['--nonsense', 'Unknown option: --nonsense\n'],
  ] as const) {
    const { code, text } = initialize(arg);
    assert.equal(code, 1);
    assert.ok(text.startsWith(`${head}usage: zkServer-initialize.sh <parameters>\n`), text);
    assert.match(text, /^ {5}--myid=# {46}Set the myid to be used, if any \(1-255\)$/m);
  }
});
