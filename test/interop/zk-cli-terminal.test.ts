/** zkCli at a terminal, beside Apache's with JLine: what Tab offers, the history, and how it ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { javaLine } from './peers/java.ts';
import { run } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';

const terminal = fileURLToPath(new URL('./clients/terminal.py', import.meta.url));
const ourCli = fileURLToPath(new URL('../../src/zookeeper/cli/zk-cli.ts', import.meta.url));

/** Apache's client tells it at its end where it sees the server close the connection before it has closed itself. */
const DISCONNECTED = /WATCHER::\n\nWatchedEvent state:Disconnected .*\n\n(?=WATCHER::\n\nWatchedEvent state:Closed )/;

/** Waits for a text (a regular expression), then types. */
type Step = readonly [text: string, keys: string];
const PROMPT = 'CONNECTED\\) \\d+\\] ';
const [UP, DOWN, CTRL_C, CTRL_D, CTRL_U] = ['\x1b[A', '\x1b[B', '\x03', '\x04', '\x15'];

interface Session {
  readonly code: number;
  /** What was printed, without the lines of prompts. */
  readonly lines: readonly string[];
}

async function converse(command: readonly string[], steps: readonly Step[]): Promise<Session> {
  const { stdout, stderr } = await run('python3', [terminal, JSON.stringify(steps), ...command]);
  assert.equal(stderr, '');
  const { code, screen } = JSON.parse(stdout) as { code: number; screen: string };
  const lines = screen.replaceAll('\r', '').split('\n');
  // The JVM's farewell is logged, in a line of its own.
  const kept = lines.filter((line) => !/\[zk: |Exiting JVM|^Connecting to/.test(line));
  return { code, lines: kept.join('\n').replace(DISCONNECTED, '').trimEnd().split('\n') };
}

const sessions: readonly { readonly name: string; readonly steps: readonly Step[] }[] = [
  {
    name: 'Tab completes commands and paths, and shows several in columns',
    steps: [
      [PROMPT, 'create /apple 1\r'],
      [PROMPT, 'create /apricot 2\r'],
      [PROMPT, 'cr\t'],
      ['create ', '/ap\t'],
      ['apricot', 'p\t'],
      ['le ', 'x\r'],
      [PROMPT, 'ge\t'],
      ['getEphemerals', `${CTRL_U}get /zookeeper/q\t`],
      ['uota ', '\r'],
      [PROMPT, 'get \t'],
      ['whoami', CTRL_U],
      [PROMPT, 'ls /none\t'],
      ['none', `${CTRL_U}ls /none/\t`],
      ['none/', `${CTRL_U}zz\t`],
      ['zz', `${CTRL_U}get /apple\r`],
      [PROMPT, CTRL_D],
    ],
  },
  {
    name: 'the arrows bring back lines, and Ctrl-D ends with the last command’s exit code',
    steps: [
      [PROMPT, 'create /a first\r'],
      [PROMPT, 'get /a\r'],
      [PROMPT, 'set /a second\r'],
      [PROMPT, `${UP}${UP}\r`],
      // The line is drawn anew while it is edited, with its prompt: so these wait for what was printed.
      [`second[\\r\\n]+[^\\n]*${PROMPT}`, `${UP}${UP}${UP}${UP}${DOWN}\r`],
      [`second[\\r\\n]+[^\\n]*${PROMPT}`, 'redo 1\r'],
      [`second[\\r\\n]+[^\\n]*${PROMPT}`, 'nonsense\r'],
      ['not found nonsense[^$]*CONNECTED\\) \\d+\\] ', CTRL_D],
    ],
  },
  { name: 'Ctrl-C ends it, whatever was typed', steps: [[PROMPT, `ls /${CTRL_C}`]] },
  { name: 'quit ends it', steps: [[PROMPT, 'quit\r']] },
];

for (const { name, steps } of sessions) {
  test(`zkCli at a terminal: ${name}`, async (t) => {
    const start = async (): Promise<string> => {
      const server = await startApacheZookeeper({ version: '3.9.4', dataDir: tempDir() });
      t.after(() => server.kill());
      return server.connect;
    };
    const flags = async (): Promise<string[]> => ['-waitforconnection', '-server', await start()];
    const java = await javaLine('zookeeper-3.9.4', 'org.apache.zookeeper.ZooKeeperMain', await flags());
    const apache = await converse([java.command, ...java.args], steps);
    const ours = await converse([process.execPath, ourCli, ...(await flags())], steps);
    assert.deepEqual(ours, apache);
  });
}
