/** After kill -9: what Apache's readers find on our directories. */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../../test/interop/peers/free-port.ts';
import { kafkaToolLine } from '../../test/interop/peers/kafka-tools.ts';
import { PeerError } from '../../test/interop/peers/process.ts';
import { startApacheZookeeper, zookeeperReady } from './servers.ts';
import { statOf } from './zookeeper-frames.ts';

/** Records in valid batches of one topic, counted by Apache's DumpLogSegments; throws at an invalid batch. */
export async function countRecords(logDir: string, topic: string): Promise<number> {
  const folders = readdirSync(logDir).filter((name) => name.startsWith(`${topic}-`) && !name.endsWith('-delete'));
  const files = folders.flatMap((folder) =>
    readdirSync(join(logDir, folder))
      .filter((name) => name.endsWith('.log'))
      .map((name) => join(logDir, folder, name)),
  );
  const line = await kafkaToolLine('kafka-dump-log', '3.9.1', ['--files', files.join(',')], { heapMiB: 512 });
  const child = spawn(line.command, line.args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let records = 0;
  for await (const text of createInterface({ input: child.stdout })) {
    const [, count, valid] = / count: (\d+) .*isvalid: (true|false)/.exec(text) ?? [];
    if (valid === 'false') throw new PeerError(`an invalid batch in ${topic}: ${text}`);
    records += Number(count ?? 0);
  }
  return records;
}

/** Starts Apache's ZooKeeper on a copy of our data, and sums over the nodes. */
export async function sumOfStats(
  dataDir: string,
  paths: readonly string[],
  what: 'version' | 'children',
): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-verify-'));
  const copy = join(dir, 'data');
  cpSync(dataDir, copy, { recursive: true });
  const port = await freePort();
  const server = await startApacheZookeeper(dir, copy, port);
  try {
    await zookeeperReady(port, server, join(dir, 'zookeeper.log'));
    let sum = 0;
    for (const path of paths) sum += (await statOf(port, path))[what];
    return sum;
  } finally {
    await server.kill();
    rmSync(dir, { recursive: true });
  }
}
