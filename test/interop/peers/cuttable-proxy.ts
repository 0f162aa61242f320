/** A TCP relay on a stable port in front of a server: tests cut a client off, or let it hang, without touching the server. */
import { connect, createServer, type Socket } from 'node:net';

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

export async function startCuttableProxy(targetPort: number): Promise<CuttableProxy> {
  /** Where what comes from each goes. */
  const open = new Map<Socket, Socket>();
  let isCut = false;
  let isHeld = false;
  const server = createServer((client) => {
    if (isCut) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ port: targetPort, host: '127.0.0.1' });
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
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const breakAll = (): void => {
    for (const socket of open.keys()) socket.destroy();
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
