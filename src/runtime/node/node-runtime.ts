import type { Writable } from 'node:stream';
import type { Log } from '../log.ts';
import type { Runtime } from '../runtime.ts';
import { NodeClock } from './node-clock.ts';
import { NodeCompute } from './node-compute.ts';
import { NodeDisk } from './node-disk.ts';
import { type LogLevel, type LogRoute, NodeLog } from './node-log.ts';
import { NodeNetwork } from './node-network.ts';
import { NodeProcess } from './node-process.ts';
import { NodeRandom } from './node-random.ts';

export interface NodeRuntimeOptions {
  /** Another sink for what is logged; the two options below then say nothing. */
  readonly log?: Log;
  /** The least level that is written; `info` by default. */
  readonly logLevel?: LogLevel;
  /** Where log lines go; standard output by default, as Apache's console appender. */
  readonly logStream?: Pick<Writable, 'write'>;
  /** Components whose lines go elsewhere. */
  readonly logRoutes?: ReadonlyMap<string, LogRoute>;
  /**
   * For how long the event loop stays awake after input has been served, in milliseconds, while more of it tends to come that
   * soon; 0, the default, for never.
   */
  readonly idlePollMs?: number;
}

/** The real world. */
export function nodeRuntime(options: NodeRuntimeOptions = {}): Runtime {
  const clock = new NodeClock();
  const log =
    options.log ??
    new NodeLog({
      clock,
      stream: options.logStream ?? process.stdout,
      level: options.logLevel ?? 'info',
      ...(options.logRoutes === undefined ? {} : { routes: options.logRoutes }),
    });
  const network = new NodeNetwork(log.named('network'), clock, options.idlePollMs ?? 0);
  return {
    clock,
    random: new NodeRandom(),
    network,
    disk: new NodeDisk(),
    log,
    process: new NodeProcess(),
    openCompute: () => new NodeCompute(),
  };
}
