import { lookup } from 'node:dns/promises';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import type { Log } from '../log.ts';
import type { Address, Connection, ConnectionHandler, Listener, Network } from '../network.ts';
import { addressOf, NodeConnection, networkError } from './node-connection.ts';

/** Half-open connections are the handler's decision (`ended`), so the socket must not decide by itself. */
const socketOptions = { allowHalfOpen: true, noDelay: true, keepAlive: true } as const;

export class NodeNetwork implements Network {
  readonly hostname = hostname();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** An empty host listens on every address of the machine, IPv4 and IPv6, as Java's wildcard does. */
  listen(at: Address, accept: (connection: Connection) => ConnectionHandler): Promise<Listener> {
    const server = createServer(socketOptions, (socket) => {
      const connection = new NodeConnection(socket, addressOf(socket.remoteAddress, socket.remotePort));
      connection.attach(accept(connection));
    });
    return new Promise((resolve, reject) => {
      const refused = (error: NodeJS.ErrnoException) => reject(networkError(error));
      server.once('error', refused);
      server.listen({ port: at.port, exclusive: true, ...(at.host === '' ? {} : { host: at.host }) }, () => {
        server.off('error', refused);
        server.on('error', (error: NodeJS.ErrnoException) => {
          this.#log.error('cannot accept a connection', { code: error.code, port: at.port });
        });
        resolve(new NodeListener(server));
      });
    });
  }

  connect(to: Address, handler: ConnectionHandler): Connection {
    const socket = connect({ host: to.host, port: to.port, ...socketOptions });
    const connection = new NodeConnection(socket, to);
    connection.attach(handler);
    return connection;
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

class NodeListener implements Listener {
  readonly address: Address;
  readonly #server: Server;

  constructor(server: Server) {
    const bound = server.address() as AddressInfo;
    this.address = { host: bound.address, port: bound.port };
    this.#server = server;
  }

  close(): Promise<void> {
    // The server's own callback waits for every accepted connection; the port is free as soon as the handle is closed.
    this.#server.close();
    return new Promise((resolve) => setImmediate(resolve));
  }
}
