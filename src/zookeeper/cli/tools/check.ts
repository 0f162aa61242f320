/** zkCheck.sh: says what is wrong with a data directory, and writes a mended copy. The original is only read. */
import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { silent } from '../../../runtime/log.ts';
import { nodeRuntime } from '../../../runtime/node/node-runtime.ts';
import { printHex } from '../../jute/ids.ts';
import { type Checked, checkDirectories } from '../../persistence/check.ts';
import type { DataDirectories } from '../../persistence/check-files.ts';
import type { Finding } from '../../persistence/finding.ts';
import { writeMended } from '../../persistence/mend.ts';
import { looseConfig, zkEnvironment } from '../zk-environment.ts';
import { runTool, ToolError, type ToolIo } from './tool.ts';

const usage = `usage: zkCheck.sh [--json] [--repair-to DIR] [dataDir [dataLogDir]]

Looks at the data directory of a server that is stopped (default: that of zoo.cfg) and changes nothing in it.

  --json             one JSON object instead of lines
  --repair-to DIR    writes what can be saved to DIR, which must be empty or absent

exit codes: 0 sound, 1 damaged but mendable (or mended), 2 not mendable, 3 wrong words
`;

const exitCodes = { sound: 0, mendable: 1, mended: 1, lost: 2 } as const;
const USAGE = 3;

interface Invocation extends DataDirectories {
  readonly asJson: boolean;
  readonly repairTo: string | undefined;
}

/** Answers the exit code. */
export async function check(args: readonly string[], io: ToolIo): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    io.write(usage);
    return exitCodes.sound;
  }
  const invocation = parse(args);
  const runtime = nodeRuntime({ log: silent });
  const options = { extendedTypes: true };
  const checked = checkDirectories(runtime, invocation, options);
  let state: keyof typeof exitCodes = stateOf(checked);
  if (invocation.repairTo !== undefined && checked.saved !== undefined) {
    await writeMended(runtime, invocation.repairTo, checked.saved, checked.membership);
    const again = checkDirectories(runtime, { dataDir: invocation.repairTo, dataLogDir: invocation.repairTo }, options);
    if (stateOf(again) !== 'sound')
      throw new ToolError(`the copy in ${invocation.repairTo} is not sound`, exitCodes.lost);
    if (state !== 'sound') state = 'mended';
  }
  print(io, invocation, state, checked);
  return exitCodes[state];
}

function stateOf({ findings, saved }: Checked): 'sound' | 'mendable' | 'lost' {
  if (saved === undefined) return 'lost';
  return findings.some(({ severity }) => severity !== 'note') ? 'mendable' : 'sound';
}

function parse(args: readonly string[]): Invocation {
  const words: string[] = [];
  let [asJson, repairTo]: [boolean, string | undefined] = [false, undefined];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] as string;
    if (arg === '--json') asJson = true;
    else if (arg === '--repair-to') {
      index += 1;
      repairTo = args[index] ?? refuse('--repair-to needs a directory');
    } else if (arg.startsWith('--repair-to=')) repairTo = arg.slice('--repair-to='.length);
    else if (arg.startsWith('-')) refuse(`unknown option ${arg}`);
    else words.push(arg);
  }
  if (words.length > 2) refuse('more than two directories');
  const directories =
    words.length > 0 ? { dataDir: words[0] as string, dataLogDir: words[1] ?? (words[0] as string) } : configured();
  if (!existsSync(directories.dataDir)) refuse(`there is no directory ${directories.dataDir}`);
  if (repairTo !== undefined) refuseTarget(repairTo, directories);
  return { ...directories, asJson, repairTo };
}

function configured(): DataDirectories {
  const { configFile } = zkEnvironment(process.env, {});
  const config = looseConfig(configFile);
  const dataDir = config.get('dataDir') ?? refuse(`no dataDir in ${configFile}`);
  return { dataDir, dataLogDir: config.get('dataLogDir') ?? dataDir };
}

function refuseTarget(target: string, { dataDir, dataLogDir }: DataDirectories): void {
  const path = resolve(target);
  for (const directory of [resolve(dataDir), resolve(dataLogDir)]) {
    if (`${path}/`.startsWith(`${directory}/`)) refuse(`${target} is inside of what is checked`);
  }
  if (existsSync(target) && readdirSync(target).length > 0) refuse(`${target} is not empty`);
}

function refuse(problem: string): never {
  throw new ToolError(`zkCheck.sh: ${problem}\n${usage}`, USAGE);
}

const verdicts = {
  sound: 'sound',
  mendable: 'damaged; --repair-to DIR writes a mended copy',
  mended: 'damaged, and mended in a copy',
  lost: 'not mendable',
} as const;

function print(io: ToolIo, invocation: Invocation, state: keyof typeof exitCodes, checked: Checked): void {
  const { findings, saved, lost } = checked;
  if (invocation.asJson) {
    const { dataDir, dataLogDir, repairTo } = invocation;
    const object = {
      dataDir,
      dataLogDir,
      state,
      lastZxid: saved === undefined ? null : printHex(saved.lastZxid),
      lost: lost === undefined ? null : { from: printHex(lost.from), to: printHex(lost.to) },
      repairedTo: saved === undefined ? null : (repairTo ?? null),
      findings: findings.map((finding) => ({
        ...finding,
        ...(finding.zxid === undefined ? {} : { zxid: printHex(finding.zxid) }),
      })),
    };
    io.write(`${JSON.stringify(object)}\n`);
    return;
  }
  for (const finding of findings) io.write(`${lineOf(finding)}\n`);
  if (saved !== undefined) {
    const { tree, sessions, lastZxid } = saved;
    io.write(
      `What can be saved: ${tree.nodeCount} nodes and ${sessions.size} sessions, up to zxid ${printHex(lastZxid)}\n`,
    );
  }
  if (lost !== undefined) io.write(`What is lost: transactions from ${printHex(lost.from)} to ${printHex(lost.to)}\n`);
  if (saved !== undefined && invocation.repairTo !== undefined) io.write(`Written to ${invocation.repairTo}\n`);
  io.write(`${invocation.dataDir}: ${verdicts[state]}\n`);
}

function lineOf({ kind, severity, path, position, text }: Finding): string {
  return `${severity}\t${kind}\t${path}${position === undefined ? '' : ` at byte ${position}`}: ${text}`;
}

if (import.meta.main) await runTool(check);
