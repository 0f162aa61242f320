import { lookup } from 'node:dns/promises';
import { type AddressInfo, connect, createServer, type OnReadOpts, type Server, Socket } from 'node:net';
import { hostname } from 'node:os';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type {
  Address,
  Connection,
  ConnectionHandler,
  ConnectOptions,
  Listener,
  ListenOptions,
  Network,
} from '../network.ts';
import { handshakeError, type TlsMaterial } from '../tls.ts';
import { IdlePoll } from './idle-poll.ts';
import { addressOf, NodeConnection, networkError } from './node-connection.ts';
import { ReceiveBuffer } from './receive-buffer.ts';
import { connectTls } from './tls-connect.ts';
import { TlsListener } from './tls-listener.ts';

/** Half-open connections are the handler's decision (`ended`), so the socket must not decide by itself. */
const socketOptions = { allowHalfOpen: true, noDelay: true } as const;

export class NodeNetwork implements Network {
  readonly hostname = hostname();
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #receiveBuffer = new ReceiveBuffer();
  readonly #idlePoll: IdlePoll | undefined;

  /** @param idlePollMs how long the loop may stay awake for more input; 0 for never */
  constructor(log: Log, clock: Clock, idlePollMs: number) {
    this.#log = log;
    this.#clock = clock;
    if (idlePollMs > 0) this.#idlePoll = new IdlePoll(clock, idlePollMs);
  }

  /** An empty host listens on every address of the machine, IPv4 and IPv6, as Java's wildcard does. */
  async listen(
    at: Address,
    accept: (connection: Connection) => ConnectionHandler,
    { tls, keepAlive = true }: ListenOptions = {},
  ): Promise<Listener> {
    const take = (accepted: Socket, wrap: (socket: Socket, onread: OnReadOpts) => Socket): void => {
      const remote = addressOf(accepted.remoteAddress, accepted.remotePort);
      const open = (received: (size: number) => void): Socket => wrap(accepted, this.#onRead(received));
      const connection = new NodeConnection(open, remote, this.#receiveBuffer);
      connection.attach(accept(connection));
    };
    const secure =
      tls === undefined ? undefined : new TlsListener(tls, this.#clock, (socket) => take(socket, fillByEvents));
    // A client that ends the stream during its handshake is gone; after it half-open connections are as everywhere.
    const allowHalfOpen = secure === undefined;
    const server = createServer({ ...socketOptions, keepAlive, allowHalfOpen, pauseOnConnect: true }, (accepted) => {
      if (secure === undefined) take(accepted, adopt);
      else secure.take(accepted);
    });
    return new Promise((resolve, reject) => {
      const refused = (error: NodeJS.ErrnoException) => reject(networkError(error));
      server.once('error', refused);
      server.listen({ port: at.port, exclusive: true, ...(at.host === '' ? {} : { host: at.host }) }, () => {
        server.off('error', refused);
        server.on('error', (error: NodeJS.ErrnoException) => {
          this.#log.error('cannot accept a connection', { code: error.code, port: at.port });
        });
        resolve(new NodeListener(server, secure));
      });
    });
  }

  connect(to: Address, handler: ConnectionHandler, { tls, keepAlive = true }: ConnectOptions = {}): Connection {
    const open = (received: (size: number) => void): Socket =>
      tls === undefined
        ? connect({ host: to.host, port: to.port, ...socketOptions, keepAlive, onread: this.#onRead(received) })
        : fillByEvents(connectTls(to, tls, this.#clock, keepAlive), this.#onRead(received));
    const connection = new NodeConnection(open, to, this.#receiveBuffer);
    connection.attach(handler);
    return connection;
  }

  #onRead(received: (size: number) => void): OnReadOpts {
    return {
      buffer: this.#receiveBuffer.shared,
      callback: (size) => {
        this.#idlePoll?.input();
        received(size);
        return true;
      },
    };
  }

  async resolve(host: string): Promise<readonly string[]> {
    try {
      const found = await lookup(host, { all: true, order: 'verbatim' });
      return found.map((each) => each.address);
    } catch (error) {
      throw networkError(error as NodeJS.ErrnoException);
    }
  }
}

/**
 * Node lets only outgoing sockets say where they read into (`onread`), so an accepted one, which has read nothing yet, is wrapped
 * again. Where that is not to be had the usual events fill the buffer.
 */
function adopt(accepted: Socket, onread: OnReadOpts): Socket {
  const internals = accepted as Socket & { _handle: { useUserBuffer?: unknown } | null };
  const handle = internals._handle;
  if (typeof handle?.useUserBuffer !== 'function') return fillByEvents(accepted, onread);
  internals._handle = null;
  return new Socket({ ...socketOptions, handle, onread } as ConstructorParameters<typeof Socket>[0]);
}

export function fillByEvents(socket: Socket, { buffer, callback }: OnReadOpts): Socket {
  const shared = buffer as Buffer;
  socket.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; at += shared.length) {
      callback(chunk.copy(shared, 0, at), shared);
    }
  });
  return socket.resume();
}

class NodeListener implements Listener {
  readonly address: Address;
  readonly #server: Server;
  readonly #tls: TlsListener | undefined;

  constructor(server: Server, tls: TlsListener | undefined) {
    const bound = server.address() as AddressInfo;
    this.address = { host: bound.address, port: bound.port };
    this.#server = server;
    this.#tls = tls;
  }

  replaceTls(material: TlsMaterial): void {
    if (this.#tls === undefined) throw handshakeError('this port is plain');
    this.#tls.replace(material);
  }

  close(): Promise<void> {
    // The server's own callback waits for every accepted connection; the port is free as soon as the handle is closed.
    this.#server.close();
    this.#tls?.close();
    return new Promise((resolve) => setImmediate(resolve));
  }
}
