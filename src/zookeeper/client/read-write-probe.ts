import type { TlsFor } from '../../config/client-tls.ts';
import type { Timer } from '../../runtime/clock.ts';
import type { Address, Connection, ConnectionHandler } from '../../runtime/network.ts';
import { below } from '../../runtime/random.ts';
import type { Runtime } from '../../runtime/runtime.ts';

const FIRST_DELAY_MS = 100;
const DELAY_MS_MAX = 60_000;
const ANSWER_TIMEOUT_MS = 1000;
const question = new TextEncoder().encode('isro');

/** Asks the servers in turn with `isro`, at growing intervals, until one answers `rw` (ClientCnxn.SendThread.pingRwServer). */
export class ReadWriteProbe {
  readonly #runtime: Runtime;
  readonly #servers: readonly Address[];
  readonly #tls: TlsFor | undefined;
  readonly #found: (server: Address, address: Address) => void;
  #next: number;
  #delayMs = FIRST_DELAY_MS;
  #timer: Timer | undefined;
  #connection: Connection | undefined;
  #stopped = false;

  constructor(
    runtime: Runtime,
    { hosts: servers, tls }: { readonly hosts: readonly Address[]; readonly tls: TlsFor | undefined },
    found: (server: Address, address: Address) => void,
  ) {
    this.#runtime = runtime;
    this.#servers = servers;
    this.#tls = tls;
    this.#found = found;
    this.#next = below(runtime.random, servers.length);
    this.#askLater();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#connection?.destroy();
  }

  #askLater(): void {
    this.#timer = this.#runtime.clock.after(this.#delayMs, () => void this.#ask());
    this.#delayMs = Math.min(this.#delayMs * 2, DELAY_MS_MAX);
  }

  async #ask(): Promise<void> {
    const server = this.#servers[this.#next] as Address;
    this.#next = (this.#next + 1) % this.#servers.length;
    const [host] = await this.#runtime.network.resolve(server.host).catch((): readonly string[] => []);
    if (this.#stopped) return;
    if (host === undefined) this.#askLater();
    else this.#connect(server, { host, port: server.port });
  }

  #connect(server: Address, address: Address): void {
    let answer = '';
    const handler: ConnectionHandler = {
      connected: () => void connection.write([question]),
      data: (chunk) => {
        if (answer.length < 2) answer += String.fromCharCode(...chunk.subarray(0, 2));
      },
      closed: () => {
        this.#timer?.cancel();
        if (this.#stopped) return;
        if (answer.startsWith('rw')) this.#found(server, address);
        else this.#askLater();
      },
    };
    const connection: Connection = this.#runtime.network.connect(address, handler, { tls: this.#tls?.(server.host) });
    this.#connection = connection;
    this.#timer = this.#runtime.clock.after(ANSWER_TIMEOUT_MS, () => connection.destroy());
  }
}
