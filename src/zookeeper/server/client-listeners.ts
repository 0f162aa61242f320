import { CertificateReload } from '../../config/certificate-reload.ts';
import { loadTlsMaterial } from '../../config/tls-settings.ts';
import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { Log } from '../../runtime/log.ts';
import type { Address, Connection, ConnectionHandler, Listener } from '../../runtime/network.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { HandshakeObserver, ServerTls } from '../../runtime/tls.ts';
import type { ServerStats } from './server-stats.ts';

/** Which of the two ports a client came to. */
export type ClientPortKind = 'plain' | 'secure';

export interface ClientListenersOptions {
  readonly runtime: Runtime;
  readonly config: ZooCfg;
  readonly log: Log;
  readonly stats: ServerStats;
  readonly accept: (connection: Connection, port: ClientPortKind) => ConnectionHandler;
}

/** Where clients come in: clientPort, secureClientPort, or both. */
export class ClientListeners {
  readonly #options: ClientListenersOptions;
  #plain: Listener | undefined;
  #secure: Listener | undefined;
  #reload: CertificateReload | undefined;
  #isClosed = false;

  private constructor(options: ClientListenersOptions) {
    this.#options = options;
  }

  /** @throws ConfigError when key material cannot be used, NetworkError when a port cannot be had */
  static async open(options: ClientListenersOptions): Promise<ClientListeners> {
    const listeners = new ClientListeners(options);
    try {
      await listeners.#open();
    } catch (error) {
      await listeners.close();
      throw error;
    }
    return listeners;
  }

  async #open(): Promise<void> {
    const { config, runtime, log } = this.#options;
    const { clientPort, clientPortAddress: host = '', tls } = config;
    if (clientPort !== undefined) this.#plain = await this.#listen({ host, port: clientPort }, 'plain');
    if (tls.secureClientPort !== undefined) {
      const at = { host: tls.secureClientPortAddress ?? '', port: tls.secureClientPort };
      this.#secure = await this.#listen(at, 'secure');
    }
    if (!tls.certReload) return;
    if (this.#secure === undefined && !(tls.portUnification && this.#plain !== undefined)) return;
    this.#reload = new CertificateReload({
      runtime,
      log,
      settings: tls.settings,
      replace: (material) => {
        this.#secure?.replaceTls(material);
        if (tls.portUnification) this.#plain?.replaceTls(material);
      },
    });
  }

  #listen(at: Address, port: ClientPortKind): Promise<Listener> {
    const { config, runtime, accept } = this.#options;
    const isSecured = port === 'secure' || config.tls.portUnification;
    const tls = isSecured ? this.#tls(port === 'plain') : undefined;
    return runtime.network.listen(at, (connection) => this.#accept(connection, port, accept), { tls });
  }

  #tls(plainAllowed: boolean): ServerTls {
    const { config, runtime } = this.#options;
    const { settings } = config.tls;
    const { clientAuthentication, protocols, cipherSuites, handshakeTimeoutMs } = settings;
    return {
      material: loadTlsMaterial(runtime.disk, settings),
      clientAuthentication,
      protocols,
      cipherSuites,
      handshakeTimeoutMs,
      plainAllowed,
      handshakes: this.#observer,
    };
  }

  #accept(connection: Connection, port: ClientPortKind, accept: ClientListenersOptions['accept']): ConnectionHandler {
    const { config, stats } = this.#options;
    // Apache counts them in the factory that TLS needs (NettyServerCnxnFactory.channelActive); NIO's does not.
    const { secureClientPort, portUnification } = config.tls;
    if (connection.tls === undefined && (secureClientPort !== undefined || portUnification)) {
      if (isLoopback(connection.remote.host)) stats.nonMtlsLocalConnections += 1;
      else stats.nonMtlsRemoteConnections += 1;
    }
    return accept(connection, port);
  }

  readonly #observer: HandshakeObserver = {
    began: () => {
      const { stats, config } = this.#options;
      const limit = config.tls.outstandingHandshakeLimit;
      if (limit > 0 && stats.outstandingTlsHandshakes >= limit) {
        stats.tlsHandshakesExceeded += 1;
        return false;
      }
      stats.outstandingTlsHandshakes += 1;
      return true;
    },
    ended: (error) => {
      const { stats, log } = this.#options;
      stats.outstandingTlsHandshakes -= 1;
      if (error === undefined) return;
      stats.unsuccessfulHandshakes += 1;
      stats.authFailedCount += 1;
      log.warn('Unsuccessful handshake', { reason: error.message });
    },
  };

  get plainAddress(): Address | undefined {
    return this.#plain?.address;
  }

  get secureAddress(): Address | undefined {
    return this.#secure?.address;
  }

  /** `clientPort` is another one from now on; who came in by the old one stays. Rejects with NetworkError: then there is none. */
  async movePlain(to: Address): Promise<void> {
    await this.#plain?.close();
    this.#plain = undefined;
    const listener = await this.#listen(to, 'plain');
    if (this.#isClosed) await listener.close();
    else this.#plain = listener;
  }

  /** Stops accepting. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#reload?.close();
    await Promise.all([this.#plain?.close(), this.#secure?.close()]);
  }
}

function isLoopback(host: string): boolean {
  return host.startsWith('127.') || host === '::1';
}
