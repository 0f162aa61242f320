/** One ZooKeeper by itself, ours or Apache's, that is killed and started again on its directory. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ENGINE_FLAGS } from '../../src/runtime/node/engine-flags.ts';
import { freePort } from '../../test/interop/peers/free-port.ts';
import { startService } from '../../test/interop/peers/process.ts';
import {
  APACHE_HEAP_MIB,
  askProbe,
  cpuMs,
  type LoopHeld,
  residentBytes,
  startApacheZookeeper,
  writeProperties,
  zookeeperReady,
} from './servers.ts';

const ROOT = resolve(import.meta.dirname, '../..');

export interface AloneOptions {
  readonly dir: string;
  readonly config?: Readonly<Record<string, string | number>>;
  /** Apache's, default as shipped. */
  readonly heapMiB?: number;
  /** Prefix of CPU profiles; only ours. */
  readonly profile?: string;
}

export interface ZookeeperAlone {
  readonly name: 'ours' | 'Apache';
  readonly port: number;
  readonly dataDir: string;
  /** From the start of the process to its first answer. */
  readonly readyMs: number;
  readonly readyCpuMs: number;
  residentBytes(): number;
  /** What is in use of the memory that the runtime holds: of a JVM after a full collection. */
  usedBytes(): Promise<number>;
  cpuMs(): number;
  /** Undefined for Apache. */
  loopDelay(): Promise<LoopHeld | undefined>;
  kill(): Promise<void>;
}

export type StartAlone = (options: AloneOptions) => Promise<ZookeeperAlone>;

export const startOurs: StartAlone = async ({ dir, config, profile }) => {
  mkdirSync(dir, { recursive: true });
  const [port, dataDir, file] = [await freePort(), join(dir, 'data'), join(dir, 'zoo.cfg')];
  writeProperties(file, { tickTime: 2000, dataDir, clientPort: port, 'admin.enableServer': false, ...config });
  const [probeFile, logFile] = [join(dir, 'probe.json'), join(dir, 'ours.log')];
  rmSync(probeFile, { force: true });
  const begun = performance.now();
  const program = [join(ROOT, 'scripts/bench/probe.ts'), join(ROOT, 'src/zookeeper/cli/quorum-peer-main.ts'), file];
  const service = startService(process.execPath, [...ENGINE_FLAGS, '--expose-gc', '--import', ...program], {
    logFile,
    env: { BENCH_PROBE: probeFile, ...(profile === undefined ? {} : { BENCH_PROFILE: profile }) },
  });
  const readyMs = (await zookeeperReady(port, service, logFile)) - begun;
  return {
    name: 'ours',
    port,
    dataDir,
    readyMs,
    readyCpuMs: cpuMs(service.pid),
    residentBytes: () => residentBytes(service.pid),
    usedBytes: async () => (await askProbe(service.pid, probeFile)).usedBytes,
    cpuMs: () => cpuMs(service.pid),
    loopDelay: () => askProbe(service.pid, probeFile),
    kill: () => service.kill(),
  };
};

export const startApache: StartAlone = async ({ dir, config, heapMiB = APACHE_HEAP_MIB }) => {
  mkdirSync(dir, { recursive: true });
  const [port, dataDir, logFile] = [await freePort(), join(dir, 'data'), join(dir, 'zookeeper.log')];
  const begun = performance.now();
  const service = await startApacheZookeeper(dir, dataDir, port, config, heapMiB);
  const readyMs = (await zookeeperReady(port, service, logFile)) - begun;
  return {
    name: 'Apache',
    port,
    dataDir,
    readyMs,
    readyCpuMs: cpuMs(service.pid),
    residentBytes: () => residentBytes(service.pid),
    usedBytes: async () => {
      spawnSync('jcmd', [String(service.pid), 'GC.run']);
      const { stdout } = spawnSync('jcmd', [String(service.pid), 'GC.heap_info'], { encoding: 'utf8' });
      return 1024 * Number(/heap +total \d+K, used (\d+)K/.exec(stdout)?.[1] ?? Number.NaN);
    },
    cpuMs: () => cpuMs(service.pid),
    loopDelay: () => Promise.resolve(undefined),
    kill: () => service.kill(),
  };
};
