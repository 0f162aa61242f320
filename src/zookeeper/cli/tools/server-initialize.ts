/** zkServer-initialize.sh: makes the data directories of a configuration, empty, with `myid` and the mark that allows a new database. */
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION_DIRECTORY } from '../../persistence/file-names.ts';
import { type Environment, looseConfig, zkEnvironment } from '../zk-environment.ts';
import { ExitCode, runTool, type ToolIo } from './tool.ts';

interface Invocation {
  readonly configFile: string;
  readonly myid: string;
  readonly isForced: boolean;
}

/** Answers the exit code. */
export function serverInitialize(args: readonly string[], io: ToolIo, env: Environment = process.env): number {
  const print = (line: string): void => io.write(`${line}\n`);
  const invocation = parse(args, zkEnvironment(env, {}).configFile, print);
  return invocation === undefined ? ExitCode.unexpectedError : initialize(invocation, print);
}

/** Undefined, after the usage, for unknown words. */
function parse(args: readonly string[], standard: string, print: (line: string) => void): Invocation | undefined {
  let [configFile, myid, isForced] = [standard, '', false];
  for (let index = 0; index < args.length && args[index] !== ''; index += 1) {
    const arg = args[index] as string;
    const [, name, value] = /^(--configfile|--myid)(?:=(.+))?$/s.exec(arg) ?? [];
    if (arg === '--force') isForced = true;
    else if (name !== undefined) {
      if (value === undefined) index += 1;
      const given = value ?? args[index] ?? '';
      if (name === '--myid') myid = given;
      else configFile = given;
    } else {
      if (arg !== '-h' && arg !== '--help') print(`Unknown option: ${arg}`);
      print(usage(configFile));
      return undefined;
    }
  }
  return { configFile, myid, isForced };
}

function usage(configFile: string): string {
  return `usage: zkServer-initialize.sh <parameters>
  Optional parameters:
     -h                                                    Display this message
     --help                                                Display this message
     --configfile=${configFile.padEnd(40)} ZooKeeper config file
     --myid=#                                              Set the myid to be used, if any (1-255)
     --force                                               Force creation of the data/txnlog dirs`;
}

function initialize({ configFile, myid, isForced }: Invocation, print: (line: string) => void): number {
  const refuse = (line: string): number => {
    print(line);
    return ExitCode.unexpectedError;
  };
  if (!existsSync(configFile)) return refuse(`Unable to find config file at ${configFile}`);
  const config = looseConfig(configFile);
  const [dataDir = '', dataLogDir = ''] = [config.get('dataDir'), config.get('dataLogDir')];
  if (dataDir === '') return refuse(`Unable to determine dataDir from ${configFile}`);
  const directories = [
    ['data', dataDir],
    ['txnlog', dataLogDir],
  ].filter(([, path]) => path !== '') as [string, string][];
  if (isForced) print('Force enabled, data/txnlog directories will be re-initialized');
  for (const [what, path] of isForced ? [] : directories) {
    if (!isDirectory(join(path, VERSION_DIRECTORY))) continue;
    return refuse(`ZooKeeper ${what} directory already exists at ${path} (or use --force to force re-initialization)`);
  }
  for (const [, path] of directories) makeEmpty(path);
  if (myid === '') print(`No myid provided, be sure to specify it in ${dataDir}/myid if using non-standalone`);
  else {
    print(`Using myid of ${myid}`);
    writeFileSync(join(dataDir, 'myid'), `${myid}\n`);
  }
  writeFileSync(join(dataDir, 'initialize'), '', { flag: 'a' });
  return ExitCode.finished;
}

/** The directory itself stays, with whatever rights it has. */
function makeEmpty(path: string): void {
  for (const name of ['myid', VERSION_DIRECTORY]) rmSync(join(path, name), { recursive: true, force: true });
  mkdirSync(join(path, VERSION_DIRECTORY), { recursive: true });
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

if (import.meta.main) await runTool(serverInitialize);
