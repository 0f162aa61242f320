import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { httpDate } from '../base/java-date.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { ConnectionDuplex } from '../runtime/connection-duplex.ts';
import {
  type Address,
  type Connection,
  type ConnectionHandler,
  type Listener,
  type Network,
  NetworkError,
} from '../runtime/network.ts';
import type { ServerTls } from '../runtime/tls.ts';

export interface HttpEndpointOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly at: Address;
  /** A connection without traffic is closed after so long; 0 is never. */
  readonly idleTimeoutMs: number;
  readonly tls?: ServerTls | undefined;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** Before its first request. */
  readonly accepted?: (connection: Connection) => void;
}

/** A small web server on the runtime's network: no request has anything to do with clients. */
export class HttpEndpoint {
  readonly #options: HttpEndpointOptions;
  /** From the first connection on. */
  #server: Server | undefined;
  readonly #open = new Set<ConnectionDuplex>();
  #listener: Listener | undefined;

  private constructor(options: HttpEndpointOptions) {
    this.#options = options;
  }

  /** @throws NetworkError, EADDRINUSE where another holds the port */
  static async listen(options: HttpEndpointOptions): Promise<HttpEndpoint> {
    const endpoint = new HttpEndpoint(options);
    const accept = (connection: Connection): ConnectionHandler => {
      options.accepted?.(connection);
      const duplex = new ConnectionDuplex(connection);
      endpoint.#watchOver(duplex);
      endpoint.#serve(duplex);
      return duplex.handler;
    };
    endpoint.#listener = await options.network.listen(options.at, accept, { tls: options.tls });
    return endpoint;
  }

  get address(): Address {
    return this.#listener?.address ?? this.#options.at;
  }

  async close(): Promise<void> {
    for (const duplex of this.#open) duplex.destroy();
    await this.#listener?.close();
  }

  /** Node's web server is loaded for the first who asks: most servers are never asked, and each would start later and larger for it. */
  #serve(duplex: ConnectionDuplex): void {
    this.#server ??= this.#createServer();
    this.#server.emit('connection', duplex);
  }

  #createServer(): Server {
    const { clock, handle } = this.#options;
    const { createServer } = process.getBuiltinModule('node:http');
    // Never listens itself: neither its timers nor its idea of the date are used.
    return createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }, (request, response) => {
      response.sendDate = false;
      response.setHeader('Date', httpDate(clock.wallMs()));
      handle(request, response);
    });
  }

  #watchOver(duplex: ConnectionDuplex): void {
    const { clock, idleTimeoutMs } = this.#options;
    let timer: Timer | undefined;
    const arm = (): void => {
      timer?.cancel();
      if (idleTimeoutMs > 0 && !duplex.destroyed) timer = clock.after(idleTimeoutMs, () => duplex.destroy());
    };
    this.#open.add(duplex);
    duplex.onActivity = arm;
    duplex.on('close', () => {
      timer?.cancel();
      this.#open.delete(duplex);
    });
    arm();
  }
}

/** One line for a log: what a port that could not be taken means. */
export function listenFault(error: unknown): string {
  if (error instanceof NetworkError) return error.message;
  throw error;
}
