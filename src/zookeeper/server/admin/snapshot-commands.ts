import type { ZooCfg } from '../../../config/zoo-cfg.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { CorruptionError, DiskError } from '../../../runtime/disk.ts';
import type { Log } from '../../../runtime/log.ts';
import { RestoreError } from '../restore.ts';
import type { AdminAnswer, AdminCommand, AdminRequest } from './admin-command.ts';
import type { AdminTarget } from './admin-target.ts';

/** One run in an interval (server.util.RateLimiter). */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  #sinceMs: number;
  #isUsed = false;

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#sinceMs = clock.monotonicMs();
  }

  allow(): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs > this.#sinceMs + this.#intervalMs) {
      this.#sinceMs = nowMs;
      this.#isUsed = false;
    }
    if (this.#isUsed) return false;
    this.#isUsed = true;
    return true;
  }
}

/** `snapshot` and `restore`: for who has all permissions on the root, and not too often. */
export function snapshotCommands(config: ZooCfg, clock: Clock, log: Log): AdminCommand[] {
  const { rateLimiterInterval } = config.admin;
  // Apache takes the same figure for microseconds here: a limit of 300 ms where 5 minutes are documented.
  const snapshotLimit = new RateLimiter(clock, Math.floor(rateLimiterInterval / 1000));
  const restoreLimit = new RateLimiter(clock, rateLimiterInterval);
  return [
    {
      names: ['snapshot', 'snap'],
      isSecured: true,
      run: (server, request) => snapshot(server, snapshotLimit, request, log),
    },
    {
      names: ['restore', 'rest'],
      method: 'POST',
      isSecured: true,
      run: (server, request) => restore(server, restoreLimit, request, log),
    },
  ];
}

async function snapshot(
  server: AdminTarget,
  limit: RateLimiter,
  { parameters }: AdminRequest,
  log: Log,
): Promise<AdminAnswer> {
  const { config, metrics } = server;
  if (!config.admin.snapshotEnabled) return refused(503, 'Snapshot command is disabled', log);
  if (!config.serializeLastProcessedZxid) {
    return refused(500, 'Snapshot command requires serializeLastProcessedZxid.enabled=true', log);
  }
  if (!limit.allow()) {
    metrics.snapshotRateLimitedCount.add();
    return refused(429, 'Snapshot request was rate limited', log);
  }
  const isStreaming = (parameters.get('streaming') ?? 'true').toLowerCase() === 'true';
  try {
    const { path, zxid, size } = await server.files.takeSnapshot();
    const headers = { last_zxid: `0x${zxid.toString(16)}`, snapshot_size: String(size) };
    if (!isStreaming) return { headers };
    return { headers, stream: { size, read: (position, length) => server.files.readSnapshot(path, position, length) } };
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    metrics.snapshotErrorCount.add();
    return refused(500, `no snapshot could be taken: ${error.message}`, log);
  }
}

async function restore(
  server: AdminTarget,
  limit: RateLimiter,
  { body }: AdminRequest,
  log: Log,
): Promise<AdminAnswer> {
  const { config, metrics } = server;
  if (!config.admin.restoreEnabled) return refused(503, 'Restore command is disabled', log);
  if (!config.serializeLastProcessedZxid) {
    return refused(500, 'Restore command requires serializeLastProcessedZxid.enabled=true', log);
  }
  if (!limit.allow()) {
    metrics.restoreRateLimitedCount.add();
    return refused(429, 'Restore request was rate limited', log);
  }
  try {
    return { data: { last_zxid: await server.restore(body) } };
  } catch (error) {
    const isExpected = error instanceof CorruptionError || error instanceof RestoreError || error instanceof DiskError;
    if (!isExpected) throw error;
    metrics.restoreErrorCount.add();
    return refused(500, `nothing was restored: ${error.message}`, log);
  }
}

/** The reason goes to the log: Apache answers with the status alone. */
function refused(status: number, reason: string, log: Log): AdminAnswer {
  log.warn(reason);
  return { status };
}
