import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { ProcessFacts } from '../../runtime/process-facts.ts';
import type { SessionId } from '../jute/ids.ts';
import type { DataTree } from '../tree/data-tree.ts';
import type { ClientConnection } from './client-connection.ts';
import type { EnsembleView } from './ensemble-view.ts';
import type { ServerMetrics } from './metrics/server-metrics.ts';
import type { ServerStats } from './server-stats.ts';
import type { Sessions } from './sessions.ts';

export type ServerMode = 'standalone' | 'leader' | 'follower' | 'observer' | 'read-only';

/** It judges no session that others know too. */
export function isLearner(mode: ServerView['mode']): boolean {
  return mode === 'follower' || mode === 'observer' || mode === 'read-only';
}

/** What is there also while nobody is served: an answer of the process, not of a server. */
export interface ProcessView {
  readonly config: ZooCfg;
  readonly process: ProcessFacts;
  readonly host: string;
  readonly metrics: ServerMetrics;
  /** ZooTrace's mask: kept for those who ask, nothing is traced by it. */
  readonly trace: { mask: bigint };
}

/** What operators may look at: four-letter words and the admin server read nothing else. */
export interface ServerView extends ProcessView {
  readonly tree: DataTree;
  readonly sessions: Sessions;
  readonly stats: ServerStats;
  readonly connections: ReadonlySet<ClientConnection>;
  /** `looking`: nobody is served. */
  readonly mode: ServerMode | 'looking';
  /** Undefined where there are no others. */
  readonly ensemble: EnsembleView | undefined;
  /** Whose creation is applied here, with their timeouts in milliseconds. */
  readonly globalSessions: ReadonlyMap<SessionId, number>;
  readonly serverId: number;
  /** Bound, which is not what the configuration says where that says 0; -1 where there is none. */
  readonly clientPort: number;
  readonly secureClientPort: number;
  readonly outstandingCount: number;
  /** Of the connection throttle, 0 to 1. */
  readonly connectionDropChance: number;
  readonly uptimeMs: number;
  readonly files: DirectoryView;
  /** `srst`. */
  resetStats(): void;
  wallMs(): number;
  monotonicMs(): number;
}

export interface DirectoryView {
  /** Absolute, with `version-2`. */
  readonly snapshotDirectory: string;
  readonly logDirectory: string;
  /** Bytes of the files in a directory. */
  sizeOf(directory: string): number;
}
