/** Three ZooKeepers of one kind as an ensemble on this machine, each killed and started again by itself. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ENGINE_FLAGS } from '../../src/runtime/node/engine-flags.ts';
import { fourLetterWord } from '../../test/interop/peers/apache-zookeeper.ts';
import { freePorts } from '../../test/interop/peers/free-port.ts';
import { PeerError, type Service, startService, until } from '../../test/interop/peers/process.ts';
import { buildPackage } from '../build.ts';
import { askProbe, cpuMs, type LoopHeld, startApacheZookeeper, writeProperties } from './servers.ts';
import { createNode } from './zookeeper-frames.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** What users install; below the root, so that it finds the optional packages. */
const PACKAGE = join(ROOT, 'build/package');
const IDS = [1, 2, 3] as const;
const ANSWER_MS = 1_000;

export interface ThreeServers {
  readonly name: 'ours' | 'Apache';
  readonly ports: readonly number[];
  readonly dataDirs: readonly string[];
  /** From the first process's start until a node was created, in milliseconds. */
  start(): Promise<number>;
  /** Kills who leads; how long until a node was created through one of the others. Brings the killed one back. */
  loseLeader(): Promise<number>;
  cpuMs(): number;
  /** The longest of the three; undefined for Apache. */
  loopDelay(): Promise<LoopHeld | undefined>;
  kill(): Promise<void>;
}

/** @param profile prefix of CPU profiles; only ours */
export async function threeServers(name: 'ours' | 'Apache', dir: string, profile?: string): Promise<ThreeServers> {
  const free = await freePorts(3 * IDS.length);
  const ports = free.slice(0, IDS.length);
  const members = IDS.map((id, index) => {
    const [peer, election] = free.slice(IDS.length + 2 * index);
    return [`server.${id}`, `127.0.0.1:${peer}:${election}`] as const;
  });
  const config = Object.fromEntries(members);
  const homes = IDS.map((id) => join(dir, `${id}`));
  const dataDirs = homes.map((home) => join(home, 'data'));
  const services: Service[] = [];
  if (name === 'ours') await buildPackage(PACKAGE);
  for (const [index, dataDir] of dataDirs.entries()) {
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(join(dataDir, 'myid'), `${IDS[index]}\n`);
  }
  const launch = async (index: number): Promise<void> => {
    const [home = '', dataDir = '', port = 0] = [homes[index], dataDirs[index], ports[index]];
    if (name === 'Apache') services[index] = await startApacheZookeeper(home, dataDir, port, config);
    else services[index] = startOne(home, dataDir, port, config, profile && `${profile}-${IDS[index]}`);
  };
  return {
    name,
    ports,
    dataDirs,
    async start() {
      const begun = performance.now();
      await Promise.all(IDS.map((_, index) => launch(index)));
      const servingMs = (await firstCreate(ports)) - begun;
      for (const port of ports) await serves(port);
      return servingMs;
    },
    async loseLeader() {
      const leader = await leaderOf(ports);
      const begun = performance.now();
      await services[leader]?.kill();
      const lostMs = (await firstCreate(ports.filter((_, index) => index !== leader))) - begun;
      await launch(leader);
      await serves(ports[leader] ?? 0);
      return lostMs;
    },
    cpuMs: () => services.reduce((sum, { pid }) => sum + cpuMs(pid), 0),
    async loopDelay() {
      if (name === 'Apache') return undefined;
      const held = await Promise.all(
        services.map(({ pid }, index) => askProbe(pid, join(homes[index] ?? '', 'probe'))),
      );
      const most = (figure: keyof LoopHeld): number => Math.max(...held.map((each) => each[figure]));
      return { longestMs: most('longestMs'), longestCpuMs: most('longestCpuMs'), usedBytes: most('usedBytes') };
    },
    async kill() {
      await Promise.all(services.map((service) => service.kill()));
    },
  };
}

function startOne(
  home: string,
  dataDir: string,
  port: number,
  config: Readonly<Record<string, string>>,
  profile: string | undefined,
): Service {
  const file = join(home, 'zoo.cfg');
  const words = { '4lw.commands.whitelist': 'srvr', 'admin.enableServer': false };
  writeProperties(file, {
    tickTime: 2000,
    initLimit: 10,
    syncLimit: 5,
    dataDir,
    clientPort: port,
    ...words,
    ...config,
  });
  const probe = join(home, 'probe');
  rmSync(probe, { force: true });
  const program = [join(ROOT, 'scripts/bench/probe.ts'), join(PACKAGE, 'dist/zookeeper/cli/quorum-peer-main.js'), file];
  return startService(process.execPath, [...ENGINE_FLAGS, '--import', ...program], {
    logFile: join(home, 'ours.log'),
    // As bin/ starts it.
    env: {
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      BENCH_PROBE: probe,
      ...(profile === undefined ? {} : { BENCH_PROFILE: profile }),
    },
  });
}

const COMPILE_CACHE = process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'node-compile-cache');
let created = 0;

/** Asks all of them, again and again, for another node each time: the moment when one of them has made it. */
async function firstCreate(ports: readonly number[]): Promise<number> {
  const attempt = async (port: number): Promise<number> => {
    created += 1;
    await within(ANSWER_MS, createNode(port, `/first-${created}`, Buffer.alloc(0)));
    return performance.now();
  };
  return until('a node in the ensemble', () => Promise.any(ports.map(attempt)).catch(() => undefined), { everyMs: 5 });
}

async function serves(port: number): Promise<void> {
  await until(`a server on port ${port}`, async () => (await modeOf(port)) !== '' || undefined, { everyMs: 10 });
}

async function leaderOf(ports: readonly number[]): Promise<number> {
  return until('a leader', async () => {
    const modes = await Promise.all(ports.map(modeOf));
    const leader = modes.indexOf('leader');
    return leader === -1 ? undefined : leader;
  });
}

async function modeOf(port: number): Promise<string> {
  const answer = await fourLetterWord(port, 'srvr').catch(() => '');
  return /Mode: (\w+)/.exec(answer)?.[1] ?? '';
}

function within<T>(timeoutMs: number, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new PeerError('no answer')), timeoutMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
