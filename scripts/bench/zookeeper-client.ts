/**
 * Our ZooKeeper client and node-zookeeper-client in turns, each in a process of its own, on one server of ours:
 * `node scripts/bench/zookeeper-client.ts [rounds] [seconds] [--profile DIR]`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installNode } from '../../test/interop/peers/install.ts';
import { PeerError, run, startService, until } from '../../test/interop/peers/process.ts';
import { tempDir } from '../../test/interop/peers/temp-dir.ts';
import { median } from './table.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { profile: { type: 'string' } },
});
const rounds = Number(positionals[0] ?? 5);
const seconds = positionals[1] ?? '2';
const LOADS = ['getData 128 at a time', 'getData one by one', 'setData 128 at a time', 'getChildren with watches'];
const CLIENTS = ['ours', 'node-zookeeper-client'];

interface Result {
  readonly perSecond: number;
  /** CPU time of the whole process. */
  readonly cpuMicros: number;
}

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const dir = tempDir();
const server = await startServer();
const nodeModules = await installNode();
for (const load of LOADS) {
  const results = new Map<string, Result[]>(CLIENTS.map((client) => [client, []]));
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? CLIENTS : CLIENTS.toReversed();
    for (const client of order) results.get(client)?.push(await measure(client, load));
  }
  const [ours, theirs] = CLIENTS.map((client) => summary(results.get(client) ?? [])) as [Result, Result];
  process.stdout.write(
    `${load.padEnd(26)} ${show(ours)}  against ${show(theirs)}: ${(ours.perSecond / theirs.perSecond).toFixed(2)}x the requests, ` +
      `${(theirs.cpuMicros / ours.cpuMicros).toFixed(2)}x less CPU\n`,
  );
}
await server.service.stop();

async function startServer() {
  const config = join(dir, 'zoo.cfg');
  const address = ['clientPort=0', 'clientPortAddress=127.0.0.1', 'admin.enableServer=false'];
  writeFileSync(config, [`dataDir=${dir}/data`, ...address, ''].join('\n'));
  const logFile = join(dir, 'server.log');
  const service = startService(process.execPath, [here('../../test/interop/zookeeper-server-process.ts'), config], {
    logFile,
  });
  const port = await until('a server', async () => /serving on (\d+)/.exec(readFileSync(logFile, 'utf8'))?.[1], {
    timeoutMs: 20_000,
  });
  return { service, connect: `127.0.0.1:${port}` };
}

async function measure(client: string, load: string): Promise<Result> {
  const profile =
    values.profile === undefined || client !== 'ours' ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`];
  const preload = here('../../test/interop/peers/resolve-from-cache.ts');
  const outcome = await run(
    process.execPath,
    [...profile, '--import', preload, here('zookeeper-client-load.ts'), client, load, server.connect, seconds],
    { env: { PEER_NODE_MODULES: nodeModules } },
  );
  if (outcome.code !== 0) throw new PeerError(outcome.stderr);
  return JSON.parse(outcome.stdout) as Result;
}

function summary(results: readonly Result[]): Result {
  return {
    perSecond: median(results.map(({ perSecond }) => perSecond)),
    cpuMicros: median(results.map(({ cpuMicros }) => cpuMicros)),
  };
}

function show({ perSecond, cpuMicros }: Result): string {
  return `${Math.round(perSecond).toLocaleString('en')} requests/s at ${cpuMicros.toFixed(1)} µs CPU`;
}
