/** Our ZooKeeper server as a process of its own. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Service, startService, until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';

export interface OurServer extends Service {
  readonly port: number;
  readonly connect: string;
}

const entry = fileURLToPath(new URL('./zookeeper-server-process.ts', import.meta.url));

export async function startOurs(
  dataDir: string,
  config: Readonly<Record<string, string | number>> = {},
): Promise<OurServer> {
  const lines = {
    dataDir,
    clientPort: 0,
    clientPortAddress: '127.0.0.1',
    tickTime: 2000,
    maxClientCnxns: 0,
    '4lw.commands.whitelist': '*',
    ...config,
  };
  const file = join(tempDir(), 'zoo.cfg');
  writeFileSync(
    file,
    Object.entries(lines)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
  const logFile = join(tempDir(), 'server.log');
  const service = startService(process.execPath, [entry, file], { logFile });
  const port = await until('our server', () => {
    const output = readFileSync(logFile, 'utf8');
    const [, found] = /serving on (\d+)\n/.exec(output) ?? [];
    if (found === undefined && !service.alive()) throw new assert.AssertionError({ message: output });
    return found === undefined ? undefined : Number(found);
  });
  return { ...service, port, connect: `127.0.0.1:${port}` };
}
