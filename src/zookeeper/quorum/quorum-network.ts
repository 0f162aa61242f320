import { CertificateReload } from '../../config/certificate-reload.ts';
import { loadTlsMaterial } from '../../config/tls-settings.ts';
import type { QuorumTlsConfig } from '../../config/zoo-cfg-quorum-security.ts';
import type { Log } from '../../runtime/log.ts';
import type {
  Address,
  Connection,
  ConnectionHandler,
  ConnectOptions,
  Listener,
  ListenOptions,
  Network,
} from '../../runtime/network.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { ServerTls, TlsMaterial } from '../../runtime/tls.ts';

export interface QuorumNetworkOptions {
  readonly runtime: Pick<Runtime, 'network' | 'disk' | 'clock'>;
  readonly log: Log;
  readonly tls: QuorumTlsConfig;
}

/**
 * The network as the servers of an ensemble use it among themselves: with TLS where zoo.cfg says so (`sslQuorum`,
 * `portUnification`), and nobody above sees it.
 */
export class QuorumNetwork implements Network {
  readonly #options: QuorumNetworkOptions;
  readonly #listeners = new Set<Listener>();
  readonly #reload: CertificateReload | undefined;
  /** Undefined: no TLS at all. */
  #material: TlsMaterial | undefined;

  /** @throws ConfigError when key material cannot be used */
  constructor(options: QuorumNetworkOptions) {
    this.#options = options;
    const { runtime, log, tls } = options;
    if (!tls.isOn && !tls.portUnification) return;
    this.#material = loadTlsMaterial(runtime.disk, tls.settings);
    if (!tls.certReload) return;
    this.#reload = new CertificateReload({
      runtime,
      log,
      settings: tls.settings,
      replace: (material) => {
        for (const listener of this.#listeners) listener.replaceTls(material);
        this.#material = material;
      },
    });
  }

  get hostname(): string {
    return this.#options.runtime.network.hostname;
  }

  resolve(host: string): Promise<readonly string[]> {
    return this.#options.runtime.network.resolve(host);
  }

  async listen(
    at: Address,
    accept: (connection: Connection) => ConnectionHandler,
    options: ListenOptions = {},
  ): Promise<Listener> {
    const listener = await this.#options.runtime.network.listen(at, accept, { ...options, tls: this.#serverTls() });
    if (this.#material === undefined) return listener;
    this.#listeners.add(listener);
    return {
      address: listener.address,
      replaceTls: (material) => listener.replaceTls(material),
      close: () => {
        this.#listeners.delete(listener);
        return listener.close();
      },
    };
  }

  connect(to: Address, handler: ConnectionHandler, options: ConnectOptions = {}): Connection {
    const { runtime, tls } = this.#options;
    if (!tls.isOn || this.#material === undefined) return runtime.network.connect(to, handler, options);
    const { protocols, cipherSuites, handshakeTimeoutMs, verifyHostname } = tls.settings;
    const material = this.#material;
    const secured = { material, protocols, cipherSuites, handshakeTimeoutMs, verifyHostname, serverName: to.host };
    return runtime.network.connect(to, handler, { ...options, tls: secured });
  }

  /** Changed key stores are not looked at any more. Listeners and connections live on. */
  close(): void {
    this.#reload?.close();
  }

  #serverTls(): ServerTls | undefined {
    if (this.#material === undefined) return undefined;
    const { log, tls } = this.#options;
    const { clientAuthentication, protocols, cipherSuites, handshakeTimeoutMs } = tls.settings;
    return {
      material: this.#material,
      clientAuthentication,
      protocols,
      cipherSuites,
      handshakeTimeoutMs,
      plainAllowed: tls.portUnification,
      handshakes: {
        ended: (error) => {
          if (error !== undefined) log.warn('a server that connects is refused', { reason: error.message });
        },
      },
    };
  }
}
