import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { SessionId } from '../jute/ids.ts';
import type { FileSnapLog, SnapshotSubject } from '../persistence/file-snap-log.ts';
import type { AclSchemes } from '../tree/acl.ts';
import type { DataTree } from '../tree/data-tree.ts';
import type { Applier } from './applier.ts';
import type { ServerMetrics } from './metrics/server-metrics.ts';
import type { PendingRequest } from './pending-request.ts';
import type { Preparer } from './prepare.ts';
import type { RequestCursor } from './request-cursor.ts';
import type { ServerMode } from './server-view.ts';
import type { Session, Sessions } from './sessions.ts';

/** The parts of a server that its role works with. */
export interface RoleParts {
  readonly config: ZooCfg;
  readonly clock: Clock;
  readonly log: Log;
  readonly tree: DataTree;
  readonly snapshotSubject: SnapshotSubject;
  readonly files: FileSnapLog;
  readonly sessions: Sessions;
  readonly applier: Applier;
  readonly schemes: AclSchemes;
  readonly cursor: RequestCursor;
  readonly metrics: ServerMetrics;
}

/** What a server is among others: standalone, leader, follower or observer. It decides how a write comes to be agreed. */
export interface Role {
  readonly mode: ServerMode;
  /** Sessions end, containers go and transactions are made only here; undefined where another server does that. */
  readonly preparer: Preparer | undefined;
  /** Proposed or asked for, and not yet applied. */
  readonly pendingCount: number;
  /** A write or a sync. It is applied, and the requester answered, by the applier. */
  submit(request: PendingRequest): void;
  /** Where transactions are made: the session went silent (it is closing already). */
  expireSession(id: SessionId): void;
  /** Where transactions are made: a container or a node whose time is over. */
  deleteContainer(path: string): void;
  /** A client comes back with a session. `answer` hears, perhaps later, whether it lives; then it belongs to this server. */
  revalidate(id: SessionId, timeoutMs: number, answer: (session: Session | undefined) => void): void;
  /** Commits no more. Resolves when nothing is being written any more. */
  close(): Promise<void>;
}
