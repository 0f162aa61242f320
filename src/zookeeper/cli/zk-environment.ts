import { readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseProperties } from '../../config/properties.ts';
import type { SystemProperties } from '../../config/zoo-cfg.ts';

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

/** The checkout's or the package's root: this file stands three folders below it. */
export const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

/** A plain name is looked up in the configuration directory; anything with a slash is a path. */
export function zkEnvironment(env: Environment, options: { configDir?: string; config?: string }): ZkEnvironment {
  const configDir = options.configDir ?? env.ZOOCFGDIR ?? join(root, 'conf');
  const name = options.config ?? env.ZOOCFG ?? 'zoo.cfg';
  const logDir = env.ZOO_LOG_DIR ?? join(root, 'logs');
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

/** `-Dname=value` among other flags, which are the JVM's. */
export function systemPropertiesOf(flags: string): SystemProperties {
  const properties: Record<string, string> = {};
  for (const [, name = '', value = ''] of flags.matchAll(/(?:^|\s)-D([^\s=]+)=?(\S*)/g)) properties[name] = value;
  return properties;
}

/** The same of words that are apart already, so that a value may hold blanks. */
export function systemPropertiesIn(words: readonly string[]): SystemProperties {
  const flags = words.filter((word) => word.startsWith('-D')).map((word) => word.slice(2));
  return Object.fromEntries(
    flags.map((flag) => {
      const [name = '', ...value] = flag.split('=');
      return [name, value.join('=')];
    }),
  );
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
