/** zkCleanup.sh: removes old snapshots, and logs that only they need, from the directories of zoo.cfg. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { DiskError } from '../../../runtime/disk.ts';
import { nodeRuntime } from '../../../runtime/node/node-runtime.ts';
import { FileSnapLog } from '../../persistence/file-snap-log.ts';
import { SNAP_RETAIN_COUNT_MIN } from '../../persistence/purge.ts';
import { RecoveryError } from '../../persistence/recovery.ts';
import { mediumJavaDate } from '../java-date.ts';
import { type Environment, looseConfig, zkEnvironment } from '../zk-environment.ts';
import { ExitCode, runTool, ToolError, type ToolIo } from './tool.ts';

const COUNT_REFUSED = `count should be greater than or equal to ${SNAP_RETAIN_COUNT_MIN}`;

const usage = `Usage:
PurgeTxnLog dataLogDir [snapDir] -n count
\tdataLogDir -- path to the txn log directory
\tsnapDir -- path to the snapshot directory
\tcount -- the number of old snaps/logs you want to keep, value should be greater than or equal to ${SNAP_RETAIN_COUNT_MIN}
`;

/** Of the configuration that the environment names. Answers the exit code. */
export function cleanup(args: readonly string[], io: ToolIo, env: Environment = process.env): number {
  const config = looseConfig(zkEnvironment(env, {}).configFile);
  const [dataDir = '', dataLogDir = ''] = [config.get('dataDir'), config.get('dataLogDir')];
  // The script splits its words once more.
  const words = args.flatMap((arg) => arg.split(/\s+/)).filter((word) => word !== '');
  return purgeTxnLog(dataLogDir === '' ? [dataDir, ...words] : [dataLogDir, dataDir, ...words], io);
}

/** `dataLogDir [snapDir] -n count`. Answers the exit code. */
export function purgeTxnLog(args: readonly string[], io: ToolIo): number {
  const refuse = (problem?: string): number => {
    if (problem !== undefined) io.complain(problem);
    io.write(usage);
    return ExitCode.unexpectedError;
  };
  if (args.length < 3 || args.length > 4) return refuse();
  const [countWord = '', option] = [args.at(-1), args.at(-2)];
  const [dataLogDir = '', dataDir = dataLogDir] = args.slice(0, -2);
  for (const path of [dataLogDir, dataDir]) {
    if (path === '' || !existsSync(path)) return refuse(`Path '${resolve(path)}' does not exist. `);
  }
  const count = /^[+-]?\d{1,10}$/.test(countWord) ? Number(countWord) : Number.NaN;
  if (!(Math.abs(count) < 2 ** 31)) return refuse(`'${countWord}' can not be parsed to integer.`);
  if (count < SNAP_RETAIN_COUNT_MIN) return refuse(COUNT_REFUSED);
  if (option !== '-n') return refuse();
  remove({ dataDir, dataLogDir }, count, io);
  return ExitCode.finished;
}

function remove(
  directories: { readonly dataDir: string; readonly dataLogDir: string },
  count: number,
  io: ToolIo,
): void {
  const runtime = nodeRuntime({ logStream: process.stderr, logLevel: 'warn' });
  for (const { path } of purgeableOf(runtime, directories, count)) {
    const date = mediumJavaDate(runtime.disk.stat(path)?.modifiedMs ?? 0);
    io.write(`Removing file: ${date}\t${path}\n`);
    try {
      runtime.disk.remove(path);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      io.complain(`Failed to remove ${path}`);
    }
  }
}

function purgeableOf(
  runtime: ReturnType<typeof nodeRuntime>,
  directories: { readonly dataDir: string; readonly dataLogDir: string },
  count: number,
) {
  try {
    return new FileSnapLog(runtime, directories).findPurgeable(count);
  } catch (error) {
    if (error instanceof RecoveryError) throw new ToolError(error.message);
    throw error;
  }
}

if (import.meta.main) await runTool(cleanup);
