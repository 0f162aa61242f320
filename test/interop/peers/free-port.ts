import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { PeerError } from './process.ts';

/**
 * A loopback port that was free a moment ago. Another process may take it before its user binds it, so whoever can
 * bind port 0 itself should; the others must be ready to ask again.
 */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new PeerError('a listening socket has no port'));
      });
    });
  });
}

/**
 * Different ports for servers that come back on theirs: below the range from which the system takes ports for whoever asks for
 * any, so that nobody's connection sits on one meanwhile.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await memberPort());
  return ports;
}

const given = new Set<number>();

/** One of these, given to nobody else in this process. */
export async function memberPort(): Promise<number> {
  for (;;) {
    const port = LOWEST_PORT + Math.floor(Math.random() * (lowestEphemeralPort() - LOWEST_PORT));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

const LOWEST_PORT = 10_000;

function lowestEphemeralPort(): number {
  const range = '/proc/sys/net/ipv4/ip_local_port_range';
  return existsSync(range) ? Number.parseInt(readFileSync(range, 'latin1'), 10) : 32_768;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
