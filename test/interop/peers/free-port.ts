import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { PeerError } from './process.ts';

/**
 * A loopback port for a server that cannot take port 0, or that comes back on its own. Nobody takes it meanwhile: it lies below the
 * range from which the system takes ports for whoever asks for any, no other test process gives it away, and this one only once.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    block ??= claimBlock();
    const current = block;
    const port = (await current).pop();
    if (port !== undefined && (await isFree(port))) return port;
    if (port === undefined && block === current) block = undefined;
  }
}

/** Different ones. */
export function freePorts(count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, freePort));
}

/** What is left of this process's ports. */
let block: Promise<number[]> | undefined;

const LOWEST_PORT = 10_000;
const BLOCK_SIZE = 100;

/** Who listens on the first port of a block has the others, until its process ends. */
async function claimBlock(): Promise<number[]> {
  const blockCount = Math.floor((lowestEphemeralPort() - LOWEST_PORT) / BLOCK_SIZE);
  if (blockCount < 1) throw new PeerError(`no ports between ${LOWEST_PORT} and those that the system gives away`);
  for (;;) {
    const first = LOWEST_PORT + BLOCK_SIZE * Math.floor(Math.random() * blockCount);
    if (await listens(first, (claim) => claim.unref())) {
      return Array.from({ length: BLOCK_SIZE - 1 }, (_, index) => first + 1 + index);
    }
  }
}

function isFree(port: number): Promise<boolean> {
  return listens(port, (probe) => new Promise((resolve) => probe.close(resolve)));
}

/** Whether it can be listened on; what does is handed over before the answer. */
function listens(port: number, then: (server: Server) => unknown): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', async () => {
      await then(server);
      resolve(true);
    });
  });
}

function lowestEphemeralPort(): number {
  const range = '/proc/sys/net/ipv4/ip_local_port_range';
  return existsSync(range) ? Number.parseInt(readFileSync(range, 'latin1'), 10) : 32_768;
}
