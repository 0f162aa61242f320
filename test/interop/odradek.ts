/** Starts our servers in a process of their own, as the peers start Apache's. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OdradekPorts, OdradekSpec } from './odradek-process.ts';
import { PeerError, type Service, startService, until } from './peers/process.ts';

export type Odradek = Service & {
  readonly zookeeper: string;
  readonly bootstrap: string;
  readonly zookeeperPort: number;
  readonly kafkaPort: number;
  readonly metricsPort: number;
  readonly logFile: string;
};

/** Of brokers that are killed and come back: they wait for the end of the session that they had. */
export const SHORT_SESSION = { 'zookeeper.session.timeout.ms': '2000' } as const;

let started = 0;

export async function startOdradek(spec: OdradekSpec): Promise<Odradek> {
  started += 1;
  const logFile = join(spec.dir, `odradek-${started}.log`);
  const service = startService(
    process.execPath,
    [join(import.meta.dirname, 'odradek-process.ts'), JSON.stringify(spec)],
    { logFile },
  );
  const ports = await until('our servers are ready', () => readPorts(service, logFile), {
    everyMs: 20,
  });
  return Object.assign(service, {
    ...ports,
    logFile,
    zookeeper: spec.zookeeperConnect ?? `127.0.0.1:${ports.zookeeperPort}`,
    bootstrap: `127.0.0.1:${ports.kafkaPort}`,
  });
}

function readPorts(service: Service, logFile: string): OdradekPorts | undefined {
  const text = readFileSync(logFile, 'utf8');
  const line = /^\{"zookeeperPort".*\}$/m.exec(text)?.[0];
  if (line !== undefined) return JSON.parse(line) as OdradekPorts;
  if (!service.alive()) throw new PeerError(`our servers did not start:\n${text}`);
  return undefined;
}
