import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { Log } from '../../runtime/log.ts';
import type { Connection, ConnectionHandler } from '../../runtime/network.ts';
import { authClientOf } from './auth/authentication.ts';
import { ConnectionIdentity } from './auth/connection-identity.ts';
import { ClientConnection } from './client-connection.ts';
import type { ClientPortKind } from './client-listeners.ts';
import type { ConnectionHost } from './connection-host.ts';

/** Who is connected: limits, and what waits to be sent or handled when a group is applied. */
export class ClientPort {
  readonly #config: ZooCfg;
  readonly #log: Log;
  readonly #connections = new Set<ClientConnection>();
  /** Wait for their peers to close; nobody is told of them. */
  readonly #ending = new Set<ClientConnection>();
  readonly #countByHost = new Map<string, number>();
  #withOutput: ClientConnection[] = [];
  #heldBack = new Set<ClientConnection>();
  #isClosed = false;
  #isShut = false;

  constructor(config: ZooCfg, log: Log) {
    this.#config = config;
    this.#log = log;
  }

  get connections(): ReadonlySet<ClientConnection> {
    return this.#connections;
  }

  accept(host: ConnectionHost, connection: Connection, port: ClientPortKind): ConnectionHandler {
    const address = connection.remote.host;
    const count = this.#countByHost.get(address) ?? 0;
    const { maxClientCnxns, maxCnxns } = this.#config;
    const refusal =
      maxClientCnxns > 0 && count >= maxClientCnxns
        ? `Too many connections from /${address} - max is ${maxClientCnxns}`
        : maxCnxns > 0 && this.#connections.size >= maxCnxns
          ? `Too many connections - max is ${maxCnxns}`
          : undefined;
    if (refusal !== undefined || this.#isClosed || this.#isShut) {
      host.stats.connectionsRejected += 1;
      if (refusal !== undefined) this.#log.warn(refusal);
      connection.destroy();
      return ignored;
    }
    const identity = this.#identify(connection, host);
    if (identity === undefined) return ignored;
    this.#countByHost.set(address, count + 1);
    const client = new ClientConnection(connection, host, identity, port);
    this.#connections.add(client);
    return client;
  }

  /** Undefined, and the connection is closed: its certificate is nobody's here. */
  #identify(connection: Connection, host: ConnectionHost): ConnectionIdentity | undefined {
    const { authentication, stats } = host;
    const client = authClientOf(connection);
    const ids = authentication.idsOf(client);
    if (ids !== undefined) return new ConnectionIdentity(authentication, client, ids);
    stats.authFailedCount += 1;
    this.#log.error('closing a connection: its certificate could not be authenticated', {
      client: client.host,
      scheme: authentication.config.sslAuthProvider,
    });
    connection.destroy();
    return undefined;
  }

  ending(client: ClientConnection): void {
    if (!this.#connections.has(client)) return;
    this.removed(client);
    this.#ending.add(client);
  }

  removed(client: ClientConnection): void {
    this.#ending.delete(client);
    if (!this.#connections.delete(client)) return;
    this.#heldBack.delete(client);
    const address = client.remote.host;
    const count = (this.#countByHost.get(address) ?? 1) - 1;
    if (count === 0) this.#countByHost.delete(address);
    else this.#countByHost.set(address, count);
  }

  hasOutput(client: ClientConnection): void {
    // A flush of nothing costs nothing: what matters is that the usual run of replies to one client is one entry.
    if (this.#withOutput[this.#withOutput.length - 1] !== client) this.#withOutput.push(client);
  }

  isHeldBack(client: ClientConnection): void {
    this.#heldBack.add(client);
  }

  /** A group was applied: what it caused leaves, and who waited for room goes on. */
  groupApplied(): void {
    const withOutput = this.#withOutput;
    this.#withOutput = [];
    for (const client of withOutput) client.flush();
    if (this.#heldBack.size === 0) return;
    const heldBack = this.#heldBack;
    this.#heldBack = new Set();
    for (const client of heldBack) client.pump();
  }

  /** Nobody stays, and nobody comes until `reopen`. */
  shut(): void {
    this.#isShut = true;
    for (const client of [...this.#connections, ...this.#ending]) client.destroy();
  }

  reopen(): void {
    this.#isShut = false;
  }

  close(): void {
    this.#isClosed = true;
    for (const client of [...this.#connections, ...this.#ending]) client.destroy();
  }
}

const ignored: ConnectionHandler = { data: () => undefined, closed: () => undefined };
