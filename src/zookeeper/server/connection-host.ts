import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { ConnectRequest } from '../jute/proto.ts';
import type { DataTree } from '../tree/data-tree.ts';
import type { Authentication } from './auth/authentication.ts';
import type { ClientConnection } from './client-connection.ts';
import type { LargeRequests } from './large-requests.ts';
import type { ServerMetrics } from './metrics/server-metrics.ts';
import type { PendingRequest } from './pending-request.ts';
import type { ReadRequests } from './reads.ts';
import type { RequestCursor } from './request-cursor.ts';
import type { RequestThrottler } from './request-throttler.ts';
import type { ServerStats } from './server-stats.ts';
import type { Sessions } from './sessions.ts';

/** What a connection needs of its server. */
export interface ConnectionHost {
  readonly clock: Clock;
  readonly log: Log;
  readonly config: ZooCfg;
  readonly tree: DataTree;
  readonly sessions: Sessions;
  readonly reads: ReadRequests;
  /** Shared by all that decode: no request is decoded inside another. */
  readonly cursor: RequestCursor;
  readonly stats: ServerStats;
  readonly metrics: ServerMetrics;
  readonly authentication: Authentication;
  /** When the group being applied came, monotonic. */
  readonly appliedMs: number;
  /** `globalOutstandingLimit` is reached: who has requests under way is not read. */
  readonly isOverloaded: boolean;
  /** Undefined where no such limit is set: then it costs nothing. */
  readonly throttler: RequestThrottler | undefined;
  readonly largeRequests: LargeRequests | undefined;
  /** Requests that have a place in some session's order. */
  outstandingCount: number;
  submit(request: PendingRequest): void;
  /** The answer to a four-letter word; undefined if these bytes are none. */
  fourLetterWord(word: string, connection: ClientConnection, rest: Uint8Array): string | undefined;
  /** Decides on a ConnectRequest; answers through `established`, `rejected` or `destroy`. */
  connect(request: ConnectRequest, connection: ClientConnection): void;
  /** Something waits to be sent when the group is applied. */
  hasOutput(connection: ClientConnection): void;
  /** It waits for room, to be pumped after the next group. */
  isHeldBack(connection: ClientConnection): void;
  /** It said its last word: as Apache closes here at once, it counts no more. */
  connectionEnding(connection: ClientConnection): void;
  connectionClosed(connection: ClientConnection): void;
  /** A broken invariant: this server stops, its host lives. */
  fatal(error: unknown): void;
}
