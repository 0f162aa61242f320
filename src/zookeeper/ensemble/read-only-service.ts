import type { Timer } from '../../runtime/clock.ts';
import type { ServingServer } from '../server/serving-server.ts';
import { ReadOnlyRole } from './read-only-role.ts';
import type { TermHost } from './term.ts';

/** An election takes less where there is a quorum. */
const GRACE_MS_MIN = 2000;

/** Serves reads while the member finds no leader, if `readonlymode.enabled` (QuorumPeer.run). */
export class ReadOnlyService {
  readonly #host: Pick<TermHost, 'runtime' | 'config' | 'serve' | 'fatal'>;
  #timer: Timer | undefined;
  #server: ServingServer | undefined;
  /** A beginning under way; it ends before what follows. */
  #work: Promise<void> = Promise.resolve();

  constructor(host: Pick<TermHost, 'runtime' | 'config' | 'serve' | 'fatal'>) {
    this.#host = host;
  }

  /** Undefined while a leader is there, or may soon be. */
  get server(): ServingServer | undefined {
    return this.#server;
  }

  /** The member looks for a leader from now on. */
  begin(): void {
    const { runtime, config } = this.#host;
    if (!config.readOnlyModeEnabled) return;
    this.#timer = runtime.clock.after(Math.max(GRACE_MS_MIN, config.tickTimeMs), () => {
      this.#work = this.#serve();
    });
  }

  /** There is a leader, or no member any more. Resolves when nobody is served here. */
  async end(): Promise<void> {
    this.#timer?.cancel();
    await this.#work;
    const server = this.#server;
    this.#server = undefined;
    await server?.close();
  }

  async #serve(): Promise<void> {
    try {
      this.#server = await this.#host.serve(
        (parts) => new ReadOnlyRole(parts),
        () => undefined,
      );
    } catch (error) {
      this.#host.fatal(error);
    }
  }
}
