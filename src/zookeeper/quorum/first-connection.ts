import type {
  Address,
  Connection,
  ConnectionHandler,
  ConnectOptions,
  Network,
  NetworkError,
} from '../../runtime/network.ts';

export interface FirstConnectionOptions {
  readonly network: Network;
  /** Of one server. */
  readonly addresses: readonly Address[];
  readonly options?: ConnectOptions;
  /** The first address has answered, the others are given up; what is answered hears of this connection from now on. */
  readonly opened: (connection: Connection) => ConnectionHandler;
  /** None of them answers; the reason of the last. */
  readonly failed: (reason?: NetworkError) => void;
}

/**
 * A connection to a server at whichever of its addresses answers first (MultipleAddresses, ZOOKEEPER-3188): all are tried at once, so
 * that one whose way is cut costs no time.
 */
export class FirstConnection {
  readonly #options: FirstConnectionOptions;
  readonly #candidates = new Set<Connection>();
  #isOver = false;

  constructor(options: FirstConnectionOptions) {
    this.#options = options;
    for (const address of options.addresses) this.#try(address);
  }

  /** Gives up; a connection that was opened lives on. */
  close(): void {
    this.#isOver = true;
    for (const connection of this.#candidates) connection.destroy();
  }

  #try(address: Address): void {
    const { network, options, opened, failed } = this.#options;
    let handler: ConnectionHandler | undefined;
    const relay: ConnectionHandler = {
      connected: () => {
        if (this.#isOver) return;
        this.#candidates.delete(connection);
        this.close();
        handler = opened(connection);
        handler.connected?.();
      },
      data: (chunk) => handler?.data(chunk),
      drained: () => handler?.drained?.(),
      closed: (reason) => {
        this.#candidates.delete(connection);
        if (handler !== undefined) handler.closed(reason);
        else if (!this.#isOver && this.#candidates.size === 0) failed(reason);
      },
    };
    const connection = network.connect(address, relay, options);
    this.#candidates.add(connection);
  }
}
