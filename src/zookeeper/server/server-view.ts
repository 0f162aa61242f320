import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { ProcessFacts } from '../../runtime/process-facts.ts';
import type { DataTree } from '../tree/data-tree.ts';
import type { ClientConnection } from './client-connection.ts';
import type { ServerMetrics } from './metrics/server-metrics.ts';
import type { ServerStats } from './server-stats.ts';
import type { Sessions } from './sessions.ts';

export type ServerMode = 'standalone' | 'leader' | 'follower' | 'observer' | 'read-only';

/** What operators may look at: four-letter words and the admin server read nothing else. */
export interface ServerView {
  readonly config: ZooCfg;
  readonly tree: DataTree;
  readonly sessions: Sessions;
  readonly stats: ServerStats;
  readonly metrics: ServerMetrics;
  readonly process: ProcessFacts;
  /** ZooTrace's mask: kept for those who ask, nothing is traced by it. */
  readonly trace: { mask: bigint };
  readonly connections: ReadonlySet<ClientConnection>;
  readonly mode: ServerMode;
  readonly serverId: number;
  /** Bound, which is not what the configuration says where that says 0; -1 where there is none. */
  readonly clientPort: number;
  readonly secureClientPort: number;
  readonly outstandingCount: number;
  /** Of the connection throttle, 0 to 1. */
  readonly connectionDropChance: number;
  readonly uptimeMs: number;
  readonly host: string;
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
