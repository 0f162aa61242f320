/** What all walks share: a copy of the checkout in a namespace, and the lines a user types there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type JavaOptions, javaLine } from '../peers/java.ts';
import { type KafkaToolName, type KafkaToolVersion, kafkaToolLine } from '../peers/kafka-tools.ts';
import { type Outcome, PeerError, until } from '../peers/process.ts';
import { copyOfCheckout } from './checkout.ts';
import { type Inhabitant, openNamespace } from './namespace.ts';

export interface Walk {
  /** The copy of the checkout, in which every line is typed. */
  readonly dir: string;
  /** A line as a user types it, `stdin` piped into it; words are divided by blanks. */
  type(line: string, stdin?: string): Promise<Outcome>;
  /** Apache's tool of the same name as ours. */
  kafka(version: KafkaToolVersion, line: string, stdin?: string): Promise<Outcome>;
  zkCli(line: string): Promise<Outcome>;
  /** `npm start`, without npm: the process gets our signals. */
  npmStart(): Promise<Started>;
  /** Resolves once something listens on the port. */
  listening(port: number): Promise<void>;
}

export interface Started extends Inhabitant {
  printed(): string;
}

export async function walk(t: { after(done: () => unknown): void }): Promise<Walk> {
  const dir = await copyOfCheckout();
  const namespace = await openNamespace();
  t.after(() => namespace.close());
  const path = `${join(dir, 'node_modules/.bin')}:${process.env.PATH}`; // as npm sets it
  const env = { PATH: path, LOG_DIR: join(dir, 'logs'), ZOO_LOG_DIR: join(dir, 'logs') };
  const java = (line: { command: string; args: readonly string[] }, stdin = ''): Promise<Outcome> =>
    namespace.run(line.command, line.args, { cwd: dir, stdin });
  return {
    dir,
    type: (line, stdin = '') => {
      const [command = '', ...args] = line.split(' ');
      return namespace.run(command.startsWith('bin/') ? join(dir, command) : command, args, { cwd: dir, stdin, env });
    },
    async kafka(version, line, stdin) {
      const [name, ...args] = line.split(' ');
      return java(await kafkaToolLine(name as KafkaToolName, version, args, QUIET), stdin);
    },
    async zkCli(line) {
      const args = ['-waitforconnection', '-server', '127.0.0.1:2181', ...line.split(' ')];
      return java(await javaLine('zookeeper-3.9.4', 'org.apache.zookeeper.ZooKeeperMain', args, QUIET));
    },
    async npmStart() {
      const logFile = join(dir, `start-${performance.now()}.log`);
      const process_ = namespace.start('sh', ['-c', `exec ${startLine(dir)}`], { cwd: dir, logFile, env });
      const printed = (): string => readFileSync(logFile, 'utf8');
      await until('next commands from npm start', () => {
        if (!process_.alive()) throw new PeerError(`npm start ended\n${printed()}`);
        return printed().includes('Ctrl-C') || undefined;
      });
      return { ...process_, printed };
    },
    async listening(port) {
      await until(`listener on ${port}`, async () => {
        const { code } = await namespace.run('bash', ['-c', `exec 3<>/dev/tcp/127.0.0.1/${port}`]);
        return code === 0 || undefined;
      });
    },
  };
}

/** Standard error without the tools' own warnings. */
const QUIET: JavaOptions = { logLevel: 'ERROR' };

/** The program that npm's shell becomes for `npm start`, with its arguments. */
export function startLine(dir: string): string {
  const { scripts } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as { scripts: { start: string } };
  return scripts.start.replace(/^exec /, '');
}

/** The lines of a text. */
export function lines(...text: readonly string[]): string {
  return text.map((line) => `${line}\n`).join('');
}
