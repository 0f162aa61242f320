import assert from 'node:assert/strict';
import test from 'node:test';
import { systemPropertiesOf } from '../../config/system-properties.ts';
import { type Command, wordsOf } from './command.ts';
import { CliError, type OptionSpec, parseWords, splitWords } from './command-line.ts';
import { clientConfigLine } from './ensemble-config.ts';
import { javaDate } from './java-date.ts';
import { readLines } from './lines.ts';
import { aclLines, hexDump, parseAcl } from './output.ts';
import { formatQuota, parseQuota } from './quota-commands.ts';
import { parseArguments } from './run-cli.ts';
import { APACHE_MARK, classify, OUR_MARK } from './server-process.ts';
import { zkEnvironment } from './zk-environment.ts';

const lines: readonly { line: string; words: readonly string[] }[] = [
  { line: '', words: [] },
  { line: '   ', words: [] },
  { line: '  ls   / ', words: ['ls', '/'] },
  { line: 'create /x "two  words"', words: ['create', '/x', 'two  words'] },
  { line: `create /x 'a "b" c'`, words: ['create', '/x', 'a "b" c'] },
  { line: 'create /x a"b c"d', words: ['create', '/x', 'a"b', 'c"d'] },
  { line: 'create /x ""', words: ['create', '/x', ''] },
  { line: 'create /x "a"b', words: ['create', '/x', 'a', 'b'] },
];
for (const { line, words } of lines) {
  test(`the words of ${JSON.stringify(line)}`, () => assert.deepEqual(splitWords(line), words));
}

const spec: OptionSpec = { s: 'flag', w: 'flag', v: 'value', members: 'value' };
const optionCases: readonly { words: string; positional: string; options: Record<string, string> }[] = [
  { words: '-s /x', positional: '/x', options: { s: '' } },
  { words: '/x -sw', positional: '/x', options: { s: '', w: '' } },
  { words: '-v 5 /x', positional: '/x', options: { v: '5' } },
  { words: '-v5 /x', positional: '/x', options: { v: '5' } },
  { words: '-v -5 /x', positional: '/x', options: { v: '-5' } },
  { words: '-sv 5 /x', positional: '/x', options: { s: '', v: '5' } },
  { words: '-members a -s', positional: '', options: { members: 'a', s: '' } },
  { words: '-s -- -v', positional: '-v', options: { s: '' } },
  { words: '/x -', positional: '/x -', options: {} },
  { words: '-v=5 /x', positional: '/x', options: { v: '5' } },
  { words: '-v 1 -v 7 /x', positional: '/x', options: { v: '1' } },
];
for (const { words, positional, options } of optionCases) {
  test(`the options of ${words}`, () => {
    const parsed = parseWords(words.split(' '), spec);
    assert.equal(parsed.positional.join(' '), positional);
    assert.deepEqual(Object.fromEntries(parsed.options), options);
  });
}

test('an unknown option and a missing value are refused in the words of commons-cli', () => {
  assert.throws(
    () => parseWords(['-q'], spec),
    new CliError('org.apache.commons.cli.UnrecognizedOptionException: Unrecognized option: -q'),
  );
  for (const word of ['--s', '--members', '-s=1', '-sv=5', '-members=a']) {
    assert.throws(
      () => parseWords([word], spec),
      new CliError(`org.apache.commons.cli.UnrecognizedOptionException: Unrecognized option: ${word}`),
    );
  }
  for (const words of [['-v'], ['-v', '-s'], ['-v', '-v', '1'], ['-v', '-members'], ['-v', '--']]) {
    assert.throws(
      () => parseWords(words, spec),
      new CliError('org.apache.commons.cli.MissingArgumentException: Missing argument for option: v'),
    );
  }
});

test('the arguments of zkCli', () => {
  const complaints: string[] = [];
  const parse = (text: string) => parseArguments(text.split(' '), (line) => complaints.push(line));
  assert.deepEqual(parse('-server a:1/b -timeout 500 -r get -s /x'), {
    ...{ connect: 'a:1/b', sessionTimeoutMs: 500, readOnly: true, waitsForConnection: false },
    clientConfiguration: undefined,
    command: ['get', '-s', '/x'],
  });
  assert.equal(parse('-client-configuration /c.properties ls /').clientConfiguration, '/c.properties');
  assert.deepEqual(parse('-unknown ls /').command, ['ls', '/']);
  assert.deepEqual(parse('-server').command, []);
  assert.deepEqual(complaints, ['Error: no argument found for option -server']);
});

test('access lists are read and printed', () => {
  const complaints: string[] = [];
  const acl = parseAcl('world:anyone:cdrwa,digest:a:b=:rx,bad', (line) => complaints.push(line));
  assert.deepEqual(acl, [
    { perms: 31, id: { scheme: 'world', id: 'anyone' } },
    { perms: 1, id: { scheme: 'digest', id: 'a:b=' } },
  ]);
  assert.deepEqual(complaints, ['Unknown perm type: x', 'bad does not have the form scheme:id:perm']);
  assert.deepEqual(aclLines([{ perms: 6, id: { scheme: 'sasl', id: 'a,b}%\n' } }]), [`'sasl,'a%2Cb%7D%25%0A`, ': cw']);
});

test('bytes are dumped in rows of sixteen', () => {
  const rows = hexDump(Buffer.from('0123456789abcdef\x00é')).split('\n');
  assert.equal(rows[3], '|00000000| 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66 |0123456789abcdef|');
  assert.equal(rows[4], `|00000010| 00 c3 a9${' '.repeat(39)} |...             |`);
  assert.equal(hexDump(new Uint8Array()), '');
});

const dates: readonly { zone: string; text: string }[] = [
  { zone: 'UTC', text: 'Mon Sep 21 14:13:20 UTC 2026' },
  { zone: 'Europe/Berlin', text: 'Mon Sep 21 16:13:20 CEST 2026' },
  { zone: 'America/New_York', text: 'Mon Sep 21 10:13:20 EDT 2026' },
  { zone: 'Asia/Tokyo', text: 'Mon Sep 21 23:13:20 JST 2026' },
  { zone: 'Asia/Kolkata', text: 'Mon Sep 21 19:43:20 IST 2026' },
  { zone: 'Australia/Sydney', text: 'Tue Sep 22 00:13:20 AEST 2026' },
  { zone: 'Europe/Moscow', text: 'Mon Sep 21 17:13:20 MSK 2026' },
  { zone: 'America/Sao_Paulo', text: 'Mon Sep 21 11:13:20 BRT 2026' },
  { zone: 'Asia/Shanghai', text: 'Mon Sep 21 22:13:20 CST 2026' },
];
for (const { zone, text } of dates) {
  test(`a date in ${zone} is printed as Java does`, (t) => {
    const before = process.env.TZ;
    t.after(() => {
      if (before === undefined) delete process.env.TZ;
      else process.env.TZ = before;
    });
    process.env.TZ = zone;
    assert.equal(javaDate(1_790_000_000_000), text);
  });
}

test('lines are cut at any byte of the input', async () => {
  const bytes = Buffer.from('ls /\r\näöü\n\nlast');
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const found: string[] = [];
    for await (const line of readLines(chunks(bytes.subarray(0, cut), bytes.subarray(cut)))) found.push(line);
    assert.deepEqual(found, ['ls /', 'äöü', '', 'last']);
  }
});

async function* chunks(...parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

test('quotas are written in the form that servers before 3.7 read too', () => {
  const quota = { count: 5n, bytes: -1n, countHardLimit: 7n, byteHardLimit: 2n ** 63n - 1n };
  const text = 'count=5,bytes=-1=;byteHardLimit=9223372036854775807;countHardLimit=7';
  assert.equal(formatQuota(quota), text);
  assert.deepEqual(parseQuota(text), quota);
  assert.deepEqual(parseQuota('count=1,bytes=2'), { count: 1n, bytes: 2n, countHardLimit: -1n, byteHardLimit: -1n });
});

test('the client part of a configuration', () => {
  const config = 'server.1=a:1:2:participant;10.0.0.1:2181\nserver.2=b:1:2:observer;2182\nversion=100000000';
  assert.equal(clientConfigLine(config), '100000000 10.0.0.1:2181,b:2182');
  assert.equal(clientConfigLine(''), ' ');
});

test('a process is ours only with both marks', () => {
  assert.equal(classify(`node main.ts ${APACHE_MARK} ${OUR_MARK} zoo.cfg`), 'ours');
  assert.equal(classify(`java -cp /opt/odradek/lib ${APACHE_MARK} zoo.cfg`), 'jvm');
  assert.equal(classify('vim odradek'), 'other');
});

test('where the configuration and the logs are', () => {
  const of = (env: Record<string, string>, options = {}): string => zkEnvironment(env, options).configFile;
  assert.match(of({}), /\/conf\/zoo\.cfg$/);
  assert.equal(of({ ZOOCFGDIR: '/etc/zk' }), '/etc/zk/zoo.cfg');
  assert.equal(of({ ZOOCFGDIR: '/etc/zk', ZOOCFG: 'a.cfg' }), '/etc/zk/a.cfg');
  assert.equal(of({ ZOOCFGDIR: '/etc/zk' }, { config: 'b.cfg' }), '/etc/zk/b.cfg');
  assert.equal(of({ ZOOCFGDIR: '/etc/zk' }, { config: './b.cfg' }), './b.cfg');
  assert.equal(of({ ZOOCFGDIR: '/etc/zk' }, { configDir: '/c', config: 'b.cfg' }), '/c/b.cfg');
  assert.match(zkEnvironment({ ZOO_LOG_DIR: '/l', USER: 'u' }, {}).outputFile, /^\/l\/zookeeper-u-server-.+\.out$/);
});

test('system properties are found among the flags of a JVM', () => {
  assert.deepEqual(systemPropertiesOf('-Xmx1g -Djute.maxbuffer=5 -Dzookeeper.skipACL=yes -Dempty'), {
    ...{ 'jute.maxbuffer': '5', 'zookeeper.skipACL': 'yes', empty: '' },
  });
});

test('where there is more than a path, the second word is taken for -w, whatever it is', () => {
  const command: Command = {
    ...{ name: 'get', usage: '[-s] [-w] path', options: { s: 'flag', w: 'flag' }, wordsMin: 1 },
    ...{ newWatchForm: 'get [-w] path', run: () => undefined },
  };
  const complaints: string[] = [];
  const parsed = (line: string): unknown => {
    const { positional, options } = wordsOf(command, splitWords(line), (complaint) => complaints.push(complaint));
    return [[...positional], [...options.keys()]];
  };
  assert.deepEqual(parsed('-s /a'), [['/a'], ['s']]);
  assert.deepEqual(complaints, []);
  assert.deepEqual(parsed('/a true'), [['/a'], ['w']]);
  assert.deepEqual(parsed('-s /a true'), [['true'], ['s', 'w']]);
  assert.deepEqual(parsed('-s "" /a'), [['/a'], ['s', 'w']]);
  assert.deepEqual(
    complaints,
    Array(3).fill("'get path [watch]' has been deprecated. Please use 'get [-w] path' instead."),
  );
});

test('of options that exclude each other one may be given, before any value is missed', () => {
  const command: Command = {
    ...{ name: 'setquota', usage: 'path', options: { n: 'value', b: 'value' }, exclusive: ['n', 'b'] },
    ...{ missingOption: '-n num, -b bytes', wordsMin: 1, run: () => undefined },
  };
  const refused = (line: string): string => {
    try {
      wordsOf(command, splitWords(line), () => undefined);
    } catch (error) {
      return (error as CliError).message;
    }
    return '';
  };
  assert.equal(refused('-n 1 -n 2 /a'), '');
  assert.match(refused('-n 1 /a -b'), /^org\.apache\.commons\.cli\.AlreadySelectedException: The option 'b' was /);
  assert.match(refused(''), /MissingOptionException: Missing required option: \[-n num, -b bytes\]$/);
  assert.equal(refused('-n 1'), 'setquota path');
});
