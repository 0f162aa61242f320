import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silent } from '../../../src/runtime/log.ts';
import { nodeRuntime } from '../../../src/runtime/node/node-runtime.ts';
import { connectZookeeper, type ZookeeperClient } from '../../../src/zookeeper/client/client.ts';
import { startApacheZookeeper } from '../peers/apache-zookeeper.ts';
import { type Service, startService, until } from '../peers/process.ts';
import { enlargeDisk, mountSmallDisk } from './small-disk.ts';

const SMALL_KIB = 4096;
const DATA_SIZE = 20_011;
const serverMain = fileURLToPath(new URL('../../../src/zookeeper/cli/quorum-peer-main.ts', import.meta.url));

/** A server whose dataLogDir is full: it acknowledges nothing more and ends; with room made, it and Apache's have all of before. */
export async function zookeeperStory(dir: string): Promise<void> {
  const [dataDir, dataLogDir] = [join(dir, 'data'), join(dir, 'log')];
  mkdirSync(dataDir, { recursive: true });
  await mountSmallDisk(dataLogDir, SMALL_KIB);
  const first = await start(dir, dataDir, dataLogDir);
  const kept = await writeUntilItEnds(first.connect);
  await until('the server ends', () => (first.alive() ? undefined : true));
  assert.equal(await first.ended, 1);
  assert.match(readFileSync(first.logFile, 'utf8'), new RegExp(`the server stops.*${dataLogDir}.*ENOSPC`));
  assert.ok(kept.length * DATA_SIZE > SMALL_KIB * 1024 * 0.8, `only ${kept.length} nodes were taken`);

  await enlargeDisk(dataLogDir, 10 * SMALL_KIB);
  const second = await start(dir, dataDir, dataLogDir);
  await assertKept(second.connect, kept);
  assert.equal(await second.stop(), 143);

  const apache = await startApacheZookeeper({ version: '3.9.4', dataDir, config: { dataLogDir } });
  await assertKept(apache.connect, kept);
  await apache.kill();
}

interface Server extends Service {
  readonly connect: string;
  readonly logFile: string;
}

let started = 0;

async function start(dir: string, dataDir: string, dataLogDir: string): Promise<Server> {
  started += 1;
  const [configFile, logFile] = [join(dir, 'our.cfg'), join(dir, `server-${started}.log`)];
  const address = { clientPort: 0, clientPortAddress: '127.0.0.1', 'admin.enableServer': 'false' };
  const lines = { dataDir, dataLogDir, tickTime: 2000, ...address };
  writeFileSync(
    configFile,
    Object.entries(lines)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
  const service = startService(process.execPath, [serverMain, configFile], { logFile });
  const port = await until('the server serves', () => {
    const output = readFileSync(logFile, 'utf8');
    assert.ok(service.alive(), output);
    return /serving.*port=(\d+)/.exec(output)?.[1];
  });
  return Object.assign(service, { connect: `127.0.0.1:${port}`, logFile });
}

/** The nodes that were acknowledged. */
async function writeUntilItEnds(connect: string): Promise<string[]> {
  const kept: string[] = [];
  const client = await open(connect);
  try {
    for (let number = 0; number < 1000; number += 1) {
      const path = `/node-${number}`;
      if (!(await isCreated(client, path, number))) return kept;
      kept.push(path);
    }
    throw new assert.AssertionError({ message: 'the disk is not full' });
  } finally {
    void client.close().catch(() => undefined);
  }
}

async function isCreated(client: ZookeeperClient, path: string, number: number): Promise<boolean> {
  try {
    await client.create(path, Buffer.alloc(DATA_SIZE, number % 251));
    return true;
  } catch {
    return false;
  }
}

async function assertKept(connect: string, kept: readonly string[]): Promise<void> {
  const client = await open(connect);
  const found = new Set(await client.getChildren('/'));
  for (const [number, path] of kept.entries()) {
    assert.ok(found.has(path.slice(1)), `${path} is lost`);
    const { data } = await client.getData(path);
    assert.ok(data?.length === DATA_SIZE && data.every((byte) => byte === number % 251), path);
  }
  await client.close();
}

async function open(connect: string): Promise<ZookeeperClient> {
  const client = connectZookeeper(nodeRuntime({ log: silent }), { connect, sessionTimeoutMs: 10_000 });
  await client.exists('/');
  return client;
}
