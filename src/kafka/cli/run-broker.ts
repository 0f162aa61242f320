import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientLoginOf } from '../../config/client-login.ts';
import { ConfigError } from '../../config/config-error.ts';
import { idlePollMsOf } from '../../config/idle-poll.ts';
import { readProperties } from '../../config/properties.ts';
import { systemPropertiesOf } from '../../config/system-properties.ts';
import { DiskError } from '../../runtime/disk.ts';
import { NetworkError } from '../../runtime/network.ts';
import { nodeRuntime } from '../../runtime/node/node-runtime.ts';
import { outliveOutput } from '../../runtime/node/outlive-output.ts';
import { keepCompiledCode } from '../../runtime/node/package-files.ts';
import { RotatingFile } from '../../runtime/node/rotating-file.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { KafkaConfig } from '../broker/config/kafka-config.ts';
import { startKafka } from '../broker/kafka-broker.ts';
import { KafkaError } from '../protocol/errors.ts';
import { APACHE_MARK, OUR_MARK, type StartMessage } from './server-process.ts';

/** As a JVM ends by these signals. */
const signalCodes = { SIGTERM: 143, SIGINT: 130, SIGHUP: 129 } as const;

/**
 * Runs a broker until a signal ends it. Answers an exit code only when it could not start, or failed. Its log is `server.log` in
 * `logDir`, or the console.
 */
export async function runBroker(args: readonly string[], logDir?: string): Promise<number> {
  outliveOutput();
  let runtime: Runtime;
  try {
    runtime = openRuntime(logDir);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    process.stderr.write(`Exiting Kafka due to fatal exception: ${error.message}\n`);
    tell({ kind: 'refused', reason: error.message });
    return 1;
  }
  const log = runtime.log.named('kafka.server.KafkaServer');
  try {
    const config = readConfig(args);
    const systemProperties = systemPropertiesOf(process.env.KAFKA_OPTS ?? '');
    const login = clientLoginOf(systemProperties, (path) => readFileSync(path, 'utf8'));
    // As Apache's client: a JAAS file may be there for others, and ZooKeeper may serve us all the same.
    if (login.failure !== undefined) log.warn(`no SASL to ZooKeeper: ${login.failure}`);
    const broker = await startKafka({ ...runtime, log }, config, { zookeeperSasl: login.sasl, systemProperties });
    let isStopping = false;
    for (const [signal, code] of Object.entries(signalCodes)) {
      process.on(signal, () => {
        if (isStopping) return;
        isStopping = true;
        runtime.log
          .named('org.apache.kafka.common.utils.LoggingSignalHandler')
          .info(`Terminating process due to signal ${signal}`);
        broker.close().then(
          () => process.exit(code),
          (error: unknown) => {
            log.error('the broker did not stop cleanly', { error });
            process.exit(1);
          },
        );
      });
    }
    tell({ kind: 'started' });
    keepCompiledCode();
    log.error('Exiting Kafka due to fatal exception', { error: await broker.failed });
    await broker.close().catch(() => undefined);
    return 1;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (isRefusal(error)) log.error(`Exiting Kafka due to fatal exception: ${reason}`);
    else log.error('Exiting Kafka due to fatal exception', { error });
    tell({ kind: 'refused', reason });
    return 1;
  }
}

/** Which lines are written is the broker's to say, logger by logger. */
function openRuntime(logDir: string | undefined): Runtime {
  const options = { idlePollMs: idlePollMsOf(process.env), logLevel: 'debug' } as const;
  if (logDir === undefined) return nodeRuntime(options);
  const path = join(logDir, 'server.log');
  process.stdout.write(`The log is ${path}\n`);
  return nodeRuntime({ ...options, logStream: new RotatingFile({ path }) });
}

/** What a person can put right: a bad value, a port or a directory in use. One line says it, without our stack. */
function isRefusal(error: unknown): error is Error {
  return [ConfigError, NetworkError, DiskError, KafkaError].some((kind) => error instanceof kind);
}

/** The file, then `--override key=value` on top. @throws ConfigError */
export function readConfig(args: readonly string[]): KafkaConfig {
  const [path = '', ...rest] = args;
  const properties = fileProperties(path);
  for (let index = 0; index < rest.length; index += 1) {
    const word = rest[index]!;
    if (word !== '--override' && !word.startsWith('--override=')) {
      throw new ConfigError('argument', word, 'only --override key=value may follow the configuration file');
    }
    if (word === '--override') index += 1;
    const pair = word === '--override' ? (rest[index] ?? '') : word.slice('--override='.length);
    const equals = pair.indexOf('=');
    if (equals <= 0) throw new ConfigError('--override', pair, 'write it as key=value');
    properties.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
  return new KafkaConfig(properties);
}

function fileProperties(path: string): Map<string, string> {
  try {
    return readProperties(readFileSync(path));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError('config', path, 'the file cannot be read');
  }
}

/** The script that started us waits for this. */
function tell(message: StartMessage): void {
  if (process.send === undefined) return;
  process.send(message, () => process.disconnect?.());
}

/** The marks stand before the user's words, wherever the process was started from. */
export function withoutMarks(args: readonly string[]): readonly string[] {
  return args[0] === APACHE_MARK && args[1] === OUR_MARK ? args.slice(2) : args;
}
