import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ConfigError } from '../../config/config-error.ts';
import { idlePollMsOf } from '../../config/idle-poll.ts';
import { type SystemProperties, systemPropertiesIn, systemPropertiesOf } from '../../config/system-properties.ts';
import { readZooCfg, type ZooCfg } from '../../config/zoo-cfg.ts';
import { DiskError } from '../../runtime/disk.ts';
import type { Log } from '../../runtime/log.ts';
import { NetworkError } from '../../runtime/network.ts';
import { nodeRuntime } from '../../runtime/node/node-runtime.ts';
import { outliveOutput } from '../../runtime/node/outlive-output.ts';
import { keepCompiledCode } from '../../runtime/node/package-files.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { startZookeeper } from '../ensemble/start-zookeeper.ts';
import { ElectionPortError } from '../quorum/election-port.ts';
import { SERVER_VERSION } from '../server/version.ts';
import { openServerLog } from './server-log.ts';
import type { StartMessage } from './server-process.ts';

/** org.apache.zookeeper.server.ExitCode. */
const ExitCode = {
  UNEXPECTED_ERROR: 1,
  INVALID_INVOCATION: 2,
  UNABLE_TO_ACCESS_DATADIR: 3,
  UNABLE_TO_BIND_QUORUM_PORT: 14,
} as const;
/** As a JVM ends by these signals. */
const signalCodes = { SIGTERM: 143, SIGINT: 130, SIGHUP: 129 } as const;

interface Refusal {
  readonly reason: string;
  readonly exitCode: number;
}

/** Runs a server until a signal ends it. Answers only when it could not start. `flags` hold Java's `-Dname=value`. */
export async function runServer(configFile: string, flags: readonly string[] = []): Promise<number> {
  outliveOutput();
  const properties = propertiesOf(flags);
  try {
    const runtime = openRuntime(properties);
    const log = runtime.log.named('zookeeper');
    const config = readConfig(configFile, properties);
    log.info(`Zookeeper version: ${SERVER_VERSION}`, { config: configFile, dataDir: config.dataDir });
    warnOfLoggerFiles(configFile, log);
    const server = await startZookeeper(runtime, config, {
      onFatal: (error) => {
        log.error('the server has stopped', { error });
        process.exit(ExitCode.UNEXPECTED_ERROR);
      },
    });
    for (const [signal, code] of Object.entries(signalCodes)) {
      process.once(signal, () => {
        log.info('stopping', { signal });
        server.close().finally(() => process.exit(code));
      });
    }
    log.info('serving', { host: server.clientAddress.host, port: server.clientAddress.port });
    tell({ kind: 'started' });
    keepCompiledCode();
    return await new Promise<never>(() => undefined);
  } catch (error) {
    const { reason, exitCode } = refusalOf(error);
    process.stderr.write(`${reason}\n`);
    tell({ kind: 'refused', reason });
    return exitCode;
  }
}

/** What the user gives wins over what the scripts give. */
function propertiesOf(flags: readonly string[]): SystemProperties {
  const { SERVER_JVMFLAGS = '', JVMFLAGS = '' } = process.env;
  return { ...systemPropertiesIn(flags), ...systemPropertiesOf(`${SERVER_JVMFLAGS} ${JVMFLAGS}`) };
}

function openRuntime(properties: SystemProperties): Runtime {
  const { level, file, routes } = openServerLog(properties);
  if (file !== undefined) process.stdout.write(`The log is ${file.path}\n`);
  return nodeRuntime({
    idlePollMs: idlePollMsOf(process.env),
    logLevel: level,
    logRoutes: routes,
    ...(file === undefined ? {} : { logStream: file }),
  });
}

/** Who has set up Apache's logging beside the configuration must not wait for it. */
function warnOfLoggerFiles(configFile: string, log: Log): void {
  for (const name of ['logback.xml', 'log4j.properties']) {
    const path = join(dirname(configFile), name);
    if (!existsSync(path)) continue;
    log.warn(`${name} is not read: -Dzookeeper.log.* in SERVER_JVMFLAGS says where the log goes`, { path });
  }
}

function readConfig(configFile: string, properties: SystemProperties): ZooCfg {
  let text: string;
  try {
    text = readFileSync(configFile, 'latin1');
  } catch {
    throw new ConfigError('config', configFile, 'the file cannot be read');
  }
  return readZooCfg(text, properties, pathOf(configFile));
}

/** Absolute, and without links in its directory: the file names others beside it, and is replaced. */
function pathOf(configFile: string): string {
  return join(realpathSync(dirname(configFile)), basename(configFile));
}

/** One line that says what to change. */
function refusalOf(error: unknown): Refusal {
  if (error instanceof ConfigError) {
    return { reason: `Invalid config, exiting abnormally: ${error.message}`, exitCode: ExitCode.INVALID_INVOCATION };
  }
  if (error instanceof ElectionPortError) {
    return { reason: error.message, exitCode: ExitCode.UNABLE_TO_BIND_QUORUM_PORT };
  }
  if (error instanceof NetworkError) return { reason: error.message, exitCode: ExitCode.UNEXPECTED_ERROR };
  if (error instanceof DiskError && error.code !== 'EBUSY') {
    const reason = `Unable to access datadir, exiting abnormally: ${error.message}`;
    return { reason, exitCode: ExitCode.UNABLE_TO_ACCESS_DATADIR };
  }
  const reason = error instanceof Error ? error.message : String(error);
  return { reason: `Unexpected exception, exiting abnormally: ${reason}`, exitCode: ExitCode.UNEXPECTED_ERROR };
}

/** The script that started us waits for this. */
function tell(message: StartMessage): void {
  if (process.send === undefined) return;
  process.send(message, () => process.disconnect?.());
}
