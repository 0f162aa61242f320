import type { Address } from '../../runtime/network.ts';
import type { ServerView } from './server-view.ts';

export interface StartOptions {
  /** The server has stopped by itself: its disk failed, or an invariant broke. Called once. */
  readonly onFatal?: (error: unknown) => void;
}

/** A running server. A member of an ensemble runs also while it serves nobody. */
export interface ZookeeperServer {
  /** Where clients connect: to the plain port if there is one. */
  readonly clientAddress: Address;
  /** Where the AdminServer listens; undefined where it is off, or its port was taken. */
  readonly adminAddress: Address | undefined;
  /** The same of `/metrics` for Prometheus. */
  readonly metricsAddress: Address | undefined;
  /** Where TLS clients connect; undefined without `secureClientPort`. */
  readonly secureClientAddress: Address | undefined;
  readonly state: 'serving' | 'failed' | 'closed';
  /** What operators may look at. */
  readonly view: ServerView;
  /** Stops serving; what was acknowledged is on the disk, sessions stay alive for the next start. */
  close(): Promise<void>;
}
