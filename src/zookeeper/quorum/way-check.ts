import type { Clock } from '../../runtime/clock.ts';
import type { Address, Network } from '../../runtime/network.ts';
import { FirstConnection } from './first-connection.ts';

export interface WayCheckOptions {
  readonly network: Network;
  readonly clock: Clock;
  /** `multiAddress.reachabilityCheckTimeoutMs` */
  readonly timeoutMs: number;
}

const nobody = { data: () => undefined, closed: () => undefined };

/**
 * Whether the way on which a connection was made is still open (QuorumCnxManager.asyncValidateIfSocketIsStillReachable): a server with
 * several addresses can be reached on another one, and the connection itself would tell of its end only after minutes. Any answer
 * will do, a refusal too.
 */
export class WayCheck {
  readonly #options: WayCheckOptions;

  constructor(options: WayCheckOptions) {
    this.#options = options;
  }

  /** @param cut called if nothing was heard in time */
  begin(to: Address, cut: () => void): void {
    const { network, clock, timeoutMs } = this.#options;
    const over = (): void => timer.cancel();
    const timer = clock.after(timeoutMs, () => {
      probe.close();
      cut();
    });
    const probe = new FirstConnection({
      network,
      addresses: [to],
      opened: (connection) => {
        over();
        connection.destroy();
        return nobody;
      },
      failed: over,
    });
  }
}
