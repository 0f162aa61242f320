import { readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { parseProperties } from '../../config/properties.ts';
import { type SystemProperties, systemPropertiesOf } from '../../config/system-properties.ts';
import { packageRoot } from '../../runtime/node/package-files.ts';

export type Environment = { readonly [name: string]: string | undefined };

/** What zkEnv.sh derives from the environment and the place of the scripts. */
export interface ZkEnvironment {
  readonly configFile: string;
  readonly logDir: string;
  /** Where a daemon's standard output and standard error go. */
  readonly outputFile: string;
  /** Name of a daemon's log below `logDir`. */
  readonly logFile: string;
  /** `-D` flags of the server, which Apache hands to the JVM. */
  readonly systemProperties: SystemProperties;
}

/** A plain name is looked up in the configuration directory; anything with a slash is a path. */
export function zkEnvironment(env: Environment, options: { configDir?: string; config?: string }): ZkEnvironment {
  const configDir = options.configDir ?? env.ZOOCFGDIR ?? join(packageRoot, 'conf');
  const name = options.config ?? env.ZOOCFG ?? 'zoo.cfg';
  const logDir = env.ZOO_LOG_DIR ?? join(packageRoot, 'logs');
  return {
    configFile: basename(name) === name ? join(configDir, name) : name,
    logDir,
    outputFile: join(logDir, `zookeeper-${userName(env)}-server-${hostname()}.out`),
    logFile: env.ZOO_LOG_FILE ?? `zookeeper-${userName(env)}-server-${hostname()}.log`,
    systemProperties: systemPropertiesOf(`${env.SERVER_JVMFLAGS ?? ''} ${env.JVMFLAGS ?? ''}`),
  };
}

function userName(env: Environment): string {
  return env.USER ?? userInfo().username;
}

/** A configuration as the scripts look at it: key by key, whatever else it holds. Empty when it cannot be read. */
export function looseConfig(path: string): ReadonlyMap<string, string> {
  try {
    const entries = [...parseProperties(readFileSync(path, 'latin1'))];
    return new Map(entries.map(([key, value]) => [key, value.trim()]));
  } catch {
    return new Map();
  }
}

/** `<dataDir>/zookeeper_server.pid`, unless ZOOPIDFILE says otherwise. */
export function pidFileOf(env: Environment, config: ReadonlyMap<string, string>): string | undefined {
  const dataDir = config.get('dataDir');
  return env.ZOOPIDFILE ?? (dataDir === undefined ? undefined : join(dataDir, 'zookeeper_server.pid'));
}
