import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Clock, Timer } from '../../../runtime/clock.ts';
import { type Address, type Listener, type Network, NetworkError } from '../../../runtime/network.ts';
import { httpDate } from '../java-date.ts';
import { ConnectionDuplex } from './connection-duplex.ts';

export interface HttpEndpointOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly at: Address;
  /** A connection without traffic is closed after so long; 0 is never. */
  readonly idleTimeoutMs: number;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
}

/** A small web server on the runtime's network: no request has anything to do with clients. */
export class HttpEndpoint {
  readonly #options: HttpEndpointOptions;
  readonly #server: Server;
  readonly #open = new Set<ConnectionDuplex>();
  #listener: Listener | undefined;

  private constructor(options: HttpEndpointOptions) {
    this.#options = options;
    // Never listens itself: neither its timers nor its idea of the date are used.
    this.#server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }, (request, response) => {
      response.sendDate = false;
      response.setHeader('Date', httpDate(options.clock.wallMs()));
      options.handle(request, response);
    });
  }

  /** @throws NetworkError, EADDRINUSE where another holds the port */
  static async listen(options: HttpEndpointOptions): Promise<HttpEndpoint> {
    const endpoint = new HttpEndpoint(options);
    endpoint.#listener = await options.network.listen(options.at, (connection) => {
      const duplex = new ConnectionDuplex(connection);
      endpoint.#watchOver(duplex);
      endpoint.#server.emit('connection', duplex);
      return duplex.handler;
    });
    return endpoint;
  }

  get address(): Address {
    return this.#listener?.address ?? this.#options.at;
  }

  async close(): Promise<void> {
    for (const duplex of this.#open) duplex.destroy();
    await this.#listener?.close();
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
