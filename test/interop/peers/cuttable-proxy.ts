/** A TCP relay on a stable port in front of a server: tests cut a client off, or let it hang, without touching the server. */
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export interface CuttableProxyOptions {
  /**
   * How long a connection may wait for a server that does not listen yet: a client that would try again when it is refused is
   * not told that here. Default 0.
   */
  readonly patienceMs?: number;
}

export interface CuttableProxy {
  readonly port: number;
  /** `127.0.0.1:port` */
  readonly connect: string;
  /** Breaks every connection and refuses new ones. */
  cut(): void;
  mend(): void;
  /** Passes nothing on any more; both ends see a silent peer. */
  hold(): void;
  /** Passes on what was held, and all that follows. */
  release(): void;
  close(): Promise<void>;
}

export async function startCuttableProxy(
  targetPort: number,
  { patienceMs = 0 }: CuttableProxyOptions = {},
): Promise<CuttableProxy> {
  /** Where what comes from each goes. */
  const open = new Map<Socket, Socket>();
  const waiting = new Set<Socket>();
  let isCut = false;
  let isHeld = false;
  const accept = async (client: Socket): Promise<void> => {
    client.on('error', () => undefined);
    waiting.add(client);
    const upstream = await reach(targetPort, performance.now() + patienceMs);
    waiting.delete(client);
    if (upstream === undefined || client.destroyed) {
      client.destroy();
      upstream?.destroy();
      return;
    }
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.set(from, to);
      from.setNoDelay(true);
      from.on('error', () => undefined);
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
      if (!isHeld) from.pipe(to);
    }
  };
  const server = createServer((client) => {
    if (isCut) client.resetAndDestroy();
    else void accept(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const breakAll = (): void => {
    for (const socket of [...open.keys(), ...waiting]) socket.destroy();
  };
  return {
    port,
    connect: `127.0.0.1:${port}`,
    cut() {
      isCut = true;
      breakAll();
    },
    mend() {
      isCut = false;
    },
    hold() {
      isHeld = true;
      for (const [from, to] of open) from.unpipe(to);
    },
    release() {
      isHeld = false;
      for (const [from, to] of open) from.pipe(to);
    },
    close() {
      breakAll();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

const RETRY_MS = 20;

/** Undefined if the server does not listen in time. */
async function reach(port: number, deadlineMs: number): Promise<Socket | undefined> {
  for (;;) {
    const socket = connect({ port, host: '127.0.0.1' });
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    if (isOpen) return socket;
    if (performance.now() >= deadlineMs) return undefined;
    await pause(RETRY_MS);
  }
}
