import { join } from 'node:path';
import { ConfigError } from '../../config/config-error.ts';
import type { SystemProperties } from '../../config/zoo-cfg.ts';
import type { LogLevel, LogRoute } from '../../runtime/node/node-log.ts';
import { RotatingFile } from '../../runtime/node/rotating-file.ts';
import { AUDIT_LOGGER } from '../server/audit/audit-event.ts';

/** The properties of Apache's conf/logback.xml, given as `-D` flags (`SERVER_JVMFLAGS`). */
const LOG_FILE = 'zookeeper.log.file';
const LOG_DIR = 'zookeeper.log.dir';

export interface ServerLog {
  readonly level: LogLevel;
  /** Undefined: the console. */
  readonly file: RotatingFile | undefined;
  /** The audit log, if it has a file of its own. */
  readonly routes: ReadonlyMap<string, LogRoute>;
}

/** Of the audit log, as logback.xml has them. */
const AUDIT_SIZE_MAX = 10 * 1024 ** 2;
const AUDIT_BACKUP_COUNT = 10;

/** `-D` flags that send a server's log to a file. */
export function logFileFlags(logDir: string, file: string): string[] {
  return [`-D${LOG_DIR}=${logDir}`, `-D${LOG_FILE}=${file}`];
}

/**
 * Where a server's log goes: to the console, or to the rotating file `zookeeper.log.dir`/`zookeeper.log.file` if that is named
 * (logback's ROLLINGFILE with `zookeeper.log.threshold`, `zookeeper.log.maxfilesize`, `zookeeper.log.maxbackupindex`). Audit lines
 * go with it, or to `zookeeper.auditlog.file` in the same directory (RFAAUDIT).
 * @throws ConfigError
 */
export function openServerLog(properties: SystemProperties): ServerLog {
  const name = properties[LOG_FILE];
  const routes = auditRoute(properties);
  if (name === undefined) return { level: levelOf(properties, 'zookeeper.console.threshold'), file: undefined, routes };
  const file = new RotatingFile({
    path: join(properties[LOG_DIR] ?? '.', name),
    sizeMax: sizeOf(properties, 'zookeeper.log.maxfilesize', '256MB'),
    backupCount: countOf(properties, 'zookeeper.log.maxbackupindex', '20'),
  });
  return { level: levelOf(properties, 'zookeeper.log.threshold'), file, routes };
}

function auditRoute(properties: SystemProperties): ReadonlyMap<string, LogRoute> {
  const name = properties['zookeeper.auditlog.file'];
  const level = levelOf(properties, 'zookeeper.auditlog.threshold');
  if (name === undefined) return new Map();
  const path = join(properties[LOG_DIR] ?? '.', name);
  const stream = new RotatingFile({ path, sizeMax: AUDIT_SIZE_MAX, backupCount: AUDIT_BACKUP_COUNT });
  return new Map([[AUDIT_LOGGER, { stream, level }]]);
}

const levels: Readonly<Record<string, LogLevel>> = {
  ALL: 'debug',
  TRACE: 'debug',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
  OFF: 'off',
};

function levelOf(properties: SystemProperties, key: string): LogLevel {
  const value = properties[key] ?? 'INFO';
  const level = levels[value.toUpperCase()];
  if (level === undefined) throw new ConfigError(key, value, `choose one of ${Object.keys(levels).join(', ')}`);
  return level;
}

const units: Readonly<Record<string, number>> = { '': 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };

/** As logback's FileSize: a number, and KB, MB or GB. */
function sizeOf(properties: SystemProperties, key: string, fallback: string): number {
  const value = properties[key] ?? fallback;
  const [, count, unit = ''] = /^\s*(\d+)\s*(KB|MB|GB)?s?\s*$/i.exec(value) ?? [];
  const size = Number(count) * (units[unit.toUpperCase()] ?? Number.NaN);
  if (!(size > 0)) throw new ConfigError(key, value, 'write a size such as 256MB');
  return size;
}

function countOf(properties: SystemProperties, key: string, fallback: string): number {
  const value = properties[key] ?? fallback;
  if (!/^\d{1,4}$/.test(value) || Number(value) === 0)
    throw new ConfigError(key, value, 'write a number of files, 1 or more');
  return Number(value);
}
