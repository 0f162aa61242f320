/** What can be wrong with the words of a zkCli command: the same lines and exit codes as Apache's, each CLI against its own server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { Shell } from '../../src/zookeeper/cli/shell.ts';
import { startBoth } from './operator/both-servers.ts';
import { javaProgram } from './peers/tools.ts';

const program = fileURLToPath(new URL('clients/CliLines.java', import.meta.url));

/** A command with the words it takes; and its options. */
const commands: readonly (readonly [name: string, words: readonly string[], ...options: readonly string[]])[] = [
  ['addWatch', ['/a'], '-m'],
  ['create', ['/new', 'data', 'world:anyone:r'], '-s', '-e', '-c', '-t'],
  ['delete', ['/a/b'], '-v'],
  ['deleteall', ['/a/b'], '-b'],
  ['delquota', ['/a'], '-n', '-b', '-N', '-B'],
  ['get', ['/a'], '-s', '-w', '-b', '-x'],
  ['getAcl', ['/a'], '-s'],
  ['getAllChildrenNumber', ['/a']],
  ['getEphemerals', ['/a']],
  ['listquota', ['/a']],
  ['ls', ['/a'], '-s', '-w', '-R'],
  ['reconfig', [], '-s', '-v', '-file', '-members', '-add', '-remove'],
  ['removewatches', ['/a'], '-c', '-d', '-a', '-l'],
  ['set', ['/a', 'data'], '-s', '-v', '-b'],
  ['setAcl', ['/a', 'world:anyone:cdrwa'], '-s', '-v', '-R'],
  ['setquota', ['-n', '10', '/a'], '-n', '-b', '-N', '-B'],
  ['stat', ['/a'], '-w'],
  ['sync', ['/a']],
  ['version', []],
  ['whoami', []],
  ['config', [], '-c', '-s'],
];
const wrongPaths = ['/missing', 'a', '/a/', '//', '/a//b', '/a/./b', '/../a', '""', "' '", '/missing/x', '" /a"', '-1'];

const THERE = ['create /a x', 'create /a/b y'];
/** Whatever one side deleted and the other did not, down to the counts of its Stat. */
const ANEW = ['deleteall /a', ...THERE];

function* wrongWords(): Generator<string> {
  for (const [name, words, ...options] of commands) {
    yield* [...THERE, name, `${name} -q`, `${name} --`, `${name} -`];
    for (const more of ['extra', 'extra more', '-q']) yield* [[name, ...words, more].join(' '), ...ANEW];
    for (const before of ['-q', '--quux', '--']) yield [name, before, ...words].join(' ');
    for (const path of words.length > 0 ? wrongPaths : []) {
      yield [name, ...words.map((word) => (word.startsWith('/') ? path : word))].join(' ');
    }
    for (const option of options) {
      yield* [`${name} ${option}`, [name, ...words, option].join(' ')];
      yield* [[name, option, ...words, 'extra'].join(' '), ...ANEW];
      for (const value of ['', option, '""', 'abc', '5', '-1', '-2', '99999999999', '99999999999999999999']) {
        yield [name, option, value, ...words].filter((word) => word !== '').join(' ');
        yield* ['deleteall /new', ...THERE, 'setAcl /a world:anyone:cdrwa'];
      }
    }
    yield* ['deleteall /new', 'delquota /a'];
  }
}

const lines = [
  ...wrongWords(),
  ...[
    'create /z data bad:acl',
    'create /z data ""',
    'create /z data ,',
    'create /z data world:anyone:r,',
    'create "" x',
  ],
  ...['create -e -c /z', 'create -t 5 -e /z', 'create -t 5 -c /z', 'create -s "" data bad', 'create /missing/x'],
  ...['setAcl /a bad', 'setAcl -R /a bad', 'setAcl /a ""', 'setAcl /a foo:bar:r', 'setAcl -R /a foo:bar:r'],
  ...['setAcl -R /missing world:anyone:r', 'setAcl -v 99 -R /a world:anyone:cdrwa', 'setAcl -v x bad bad'],
  ...['setquota -n 0 /a', 'setquota -b -5 /a', 'setquota -n x /a', 'setquota -n x /zookeeper/quota', 'setquota /a'],
  ...['setquota -n 5 -b 6 -N 8 /a', 'setquota -n 5 /', 'setquota -n 5 /a', 'setquota -n 5 /a/b', 'delquota -n -b /a'],
  ...['delquota -n /a', 'listquota /a', 'delquota /a', 'delquota /a', 'delquota a', 'delquota /'],
  ...['get -s /a extra', 'get /a -s extra', 'ls -s -w /a extra', 'stat /a extra more', 'ls -w /missing extra'],
  ...[
    'delete /a 99',
    'delete /a/b x',
    ...ANEW,
    'set -b /a aGl',
    'get /a',
    'set -b /a aGk=',
    'get -b /a',
    'set -b "" a',
  ],
  ...[
    'removewatches /a',
    'removewatches -c -d /a',
    'addWatch -m x /a',
    'addWatch -m persistent /a',
    'rm /a',
    '"ls /a"',
  ],
  ...['redo', 'redo 99999', 'redo -1', 'printwatches x y', 'deleteall /zookeeper', 'ls "/a" \'/a/b\'', 'ls "/a'],
];

interface Told {
  readonly line: string;
  readonly answer: string;
}

/** What is printed behind each `###`, without what differs between any two servers. */
function told(output: string): Told[] {
  return output
    .split(/^### /m)
    .slice(1)
    .map((part) => {
      const [line = '', ...printed] = part.split('\n');
      const answer = printed
        .join('\n')
        // `setAcl -R` ends no line.
        .replace(/(?<!^)=> (?=\d+\n)/gm, '\n=> ')
        .replace(/^((?:c|m)time) = .*/gm, '$1 = DATE')
        .replace(/0x[0-9a-f]+/g, 'HEX')
        .replace(/CLI version: .*/g, 'CLI version: V')
        .replace(/\n+/g, '\n')
        .trim();
      return { line, answer };
    });
}

async function ourAnswers(connect: string): Promise<Told[]> {
  const printed: string[] = [];
  const print = (line: string): void => void printed.push(line);
  const shell = new Shell(
    nodeRuntime({ logLevel: 'off' }),
    { print, complain: print },
    { connect, sessionTimeoutMs: 30_000, readOnly: false, waitsForConnection: true },
  );
  await shell.client.connected({ timeoutMs: 20_000 });
  await shell.run(['printwatches', 'off']);
  for (const line of lines) {
    print(`### ${line}`);
    await shell.runLine(line);
    print(`=> ${shell.exitCode}`);
  }
  await shell.client.close();
  return told(printed.join('\n'));
}

/** Apache says how Java's decoder puts it; both end with 1. */
const base64Fault = /^(Input byte\[\] should|Illegal base64|.* is not base64)/;

test('wrong words, too many, too few, and paths that are none end as with Apache’s zkCli', async (t) => {
  const { apache, ours } = await startBoth({ keys: { reconfigEnabled: true, extendedTypesEnabled: true } });
  t.after(() => Promise.all([apache.close(), ours.close()]));
  const stdin = `${lines.join('\n')}\n`;
  const args = ['-waitforconnection', '-server', apache.connect];
  const { stdout, stderr } = await javaProgram('zookeeper-3.9.4', program, args, { stdin, logLevel: 'ERROR' });
  const theirs = told(stdout);
  const mine = await ourAnswers(ours.connect);
  assert.equal(theirs.length, lines.length, stderr);
  for (const [index, { line, answer }] of theirs.entries()) {
    const ourAnswer = mine[index]?.answer ?? '';
    // The one difference on purpose: ours heeds the version of the old form.
    if (answer.startsWith("'delete path [version]' has been deprecated.")) continue;
    if (base64Fault.test(answer) && base64Fault.test(ourAnswer)) continue;
    assert.equal(ourAnswer, answer, `line ${index}: ${line}`);
  }
});
