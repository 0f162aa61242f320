import type { Timer } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { NetworkError } from '../runtime/network.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { TlsMaterial } from '../runtime/tls.ts';
import { ConfigError } from './config-error.ts';
import { loadTlsMaterial, type TlsSettings, tlsFiles } from './tls-settings.ts';

/** Apache has the system watch the directories; a look at the files is enough, and works on every file system. */
const CHECK_INTERVAL_MS = 1000;

export interface CertificateReloadOptions {
  readonly runtime: Pick<Runtime, 'clock' | 'disk'>;
  readonly log: Log;
  readonly settings: TlsSettings;
  /** Takes what the files hold now. May throw NetworkError, as `Listener.replaceTls` does. */
  readonly replace: (material: TlsMaterial) => void;
}

/**
 * `client.certReload`, `sslQuorumReloadCertFiles`: key and trust stores that change are read again. What cannot be used leaves the
 * old ones in place.
 */
export class CertificateReload {
  readonly #options: CertificateReloadOptions;
  #seen: string;
  #timer: Timer;

  constructor(options: CertificateReloadOptions) {
    this.#options = options;
    this.#seen = this.#look();
    this.#timer = this.#arm();
  }

  close(): void {
    this.#timer.cancel();
  }

  #arm(): Timer {
    return this.#options.runtime.clock.after(CHECK_INTERVAL_MS, () => {
      this.#check();
      this.#timer = this.#arm();
    });
  }

  #check(): void {
    const found = this.#look();
    if (found === this.#seen) return;
    this.#seen = found;
    const { runtime, log, settings, replace } = this.#options;
    try {
      replace(loadTlsMaterial(runtime.disk, settings));
      log.info('key and trust stores were read again');
    } catch (error) {
      if (!(error instanceof ConfigError || error instanceof NetworkError)) throw error;
      log.error('changed key or trust stores cannot be used, the old ones stay', { reason: error.message });
    }
  }

  /** Times and sizes of the files. */
  #look(): string {
    const { runtime, settings } = this.#options;
    return tlsFiles(settings)
      .map((path) => runtime.disk.stat(path))
      .map((stat) => `${stat?.modifiedMs} ${stat?.size}`)
      .join();
  }
}
