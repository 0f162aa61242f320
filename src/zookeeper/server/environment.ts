import type { ProcessView } from './server-view.ts';
import { SERVER_VERSION } from './version.ts';

const MIB = 1_048_576;

/** What `envi` and the admin server's `environment` show: Apache's keys, save those that only a JVM has. */
export function environmentOf({ host, process }: ProcessView): [key: string, value: string][] {
  const { heapUsed, heapTotal, heapMax } = process.memory();
  const inMib = (bytes: number): string => `${Math.floor(bytes / MIB)}MB`;
  return [
    ['zookeeper.version', SERVER_VERSION],
    ['host.name', host],
    ['node.version', process.nodeVersion],
    ['java.io.tmpdir', process.temporaryDirectory],
    ['os.name', process.osName],
    ['os.arch', process.osArch],
    ['os.version', process.osVersion],
    ['user.name', process.userName],
    ['user.home', process.userHome],
    ['user.dir', process.workingDirectory],
    ['os.memory.free', inMib(heapTotal - heapUsed)],
    ['os.memory.max', inMib(heapMax)],
    ['os.memory.total', inMib(heapTotal)],
  ];
}
