import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { ProcessFacts } from '../../runtime/process-facts.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { SessionId } from '../jute/ids.ts';
import type { ClientConnection } from '../server/client-connection.ts';
import type { EnsembleView } from '../server/ensemble-view.ts';
import type { ServerMetrics } from '../server/metrics/server-metrics.ts';
import type { ProcessFigures } from '../server/process-figures.ts';
import { ServerFiles } from '../server/server-files.ts';
import type { ServerStats } from '../server/server-stats.ts';
import type { ServerView } from '../server/server-view.ts';
import { Sessions } from '../server/sessions.ts';
import type { DataTree } from '../tree/data-tree.ts';
import type { Database } from './database.ts';

export interface IdleViewOptions {
  readonly runtime: Runtime;
  readonly config: ZooCfg;
  readonly database: Database;
  readonly figures: ProcessFigures;
  readonly ensemble: EnsembleView;
}

/** What is to be seen of a member while it serves nobody: what it has on its disk and in memory, and no clients. */
export class IdleView implements ServerView {
  readonly mode = 'looking';
  readonly config: ZooCfg;
  readonly ensemble: EnsembleView;
  readonly process: ProcessFacts;
  readonly host: string;
  readonly metrics: ServerMetrics;
  readonly stats: ServerStats;
  readonly trace: ProcessFigures['trace'];
  readonly files: ServerFiles;
  readonly sessions: Sessions;
  readonly connections: ReadonlySet<ClientConnection> = new Set();
  readonly clientPort = -1;
  readonly secureClientPort = -1;
  readonly outstandingCount = 0;
  readonly connectionDropChance = 0;
  readonly uptimeMs = 0;
  readonly #options: IdleViewOptions;

  constructor(options: IdleViewOptions) {
    const { runtime, config, database, figures, ensemble } = options;
    const { clock, process, network } = runtime;
    this.#options = options;
    this.config = config;
    this.ensemble = ensemble;
    this.process = process;
    this.host = network.hostname;
    this.metrics = figures.metrics;
    this.stats = figures.stats;
    this.trace = figures.trace;
    const { files, subject, recovered } = database;
    const log = runtime.log.named('zookeeper');
    this.files = new ServerFiles({ runtime, config, log, files, subject, recoveredSnapshot: recovered.snapshot });
    this.sessions = new Sessions({
      clock,
      tickTimeMs: config.tickTimeMs,
      onExpired: () => undefined,
      isHeldBack: () => true,
    });
  }

  get serverId(): number {
    return this.ensemble.self;
  }

  get tree(): DataTree {
    return this.#options.database.tree;
  }

  get globalSessions(): ReadonlyMap<SessionId, number> {
    return this.#options.database.sessions;
  }

  resetStats(): void {
    this.stats.reset();
  }

  wallMs(): number {
    return this.#options.runtime.clock.wallMs();
  }

  monotonicMs(): number {
    return this.#options.runtime.clock.monotonicMs();
  }
}
