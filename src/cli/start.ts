import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { clientLoginOf } from '../config/client-login.ts';
import { ConfigError } from '../config/config-error.ts';
import { idlePollMsOf } from '../config/idle-poll.ts';
import { parseProperties } from '../config/properties.ts';
import { systemPropertiesOf } from '../config/system-properties.ts';
import { zooCfgOf } from '../config/zoo-cfg.ts';
import { KafkaConfig } from '../kafka/broker/config/kafka-config.ts';
import { type KafkaBroker, startKafka } from '../kafka/broker/kafka-broker.ts';
import { DiskError } from '../runtime/disk.ts';
import { nodeRuntime } from '../runtime/node/node-runtime.ts';
import { outliveOutput } from '../runtime/node/outlive-output.ts';
import { RotatingFile } from '../runtime/node/rotating-file.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { startZookeeper } from '../zookeeper/ensemble/start-zookeeper.ts';
import type { ZookeeperServer } from '../zookeeper/server/zookeeper-server.ts';
import { stopSignal } from './stop-signal.ts';

interface Options {
  readonly conf: string;
  readonly data: string;
  readonly verbose: boolean;
}

/** Both systems in one process until a signal comes. Answers the exit code. */
export async function start(args: readonly string[]): Promise<number> {
  let options: Options;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        conf: { type: 'string' },
        data: { type: 'string', default: 'data' },
        verbose: { type: 'boolean', default: false },
      },
    });
    options = { ...values, conf: values.conf ?? ownConf() };
  } catch (error) {
    process.stderr.write(`odradek start: ${messageOf(error)}\n`);
    return 1;
  }
  try {
    return await run(options);
  } catch (error) {
    process.stderr.write(`odradek start: ${messageOf(error)}\n`);
    return 1;
  }
}

/** That of the current folder, else the one that came with the program: two folders above this file, also where it is built. */
function ownConf(): string {
  return existsSync('conf') ? 'conf' : join(import.meta.dirname, '../../conf');
}

async function run(options: Options): Promise<number> {
  outliveOutput();
  mkdirSync(options.data, { recursive: true });
  const runtime = openRuntime(options);
  const stopped = stopSignal(process, runtime.clock, () => process.exit(130));
  let zookeeperFailed: (error: unknown) => void = () => undefined;
  const zookeeperFailure = new Promise<unknown>((settle) => {
    zookeeperFailed = settle;
  });
  const zookeeper = await startZookeeper(runtime, readZooCfg(options), { onFatal: zookeeperFailed });
  const { port: zookeeperPort } = zookeeper.clientAddress;
  say(`ZooKeeper is ready on localhost:${zookeeperPort}, its data are in ${join(options.data, 'zookeeper')}`);
  let kafka: KafkaBroker;
  try {
    const systemProperties = systemPropertiesOf(process.env.KAFKA_OPTS ?? '');
    const login = clientLoginOf(systemProperties, (path) => readFileSync(path, 'utf8'));
    if (login.failure !== undefined) runtime.log.warn(`no SASL to ZooKeeper: ${login.failure}`);
    kafka = await startKafka(runtime, readServerProperties(options, zookeeperPort), {
      zookeeperSasl: login.sasl,
      systemProperties,
    });
  } catch (error) {
    await zookeeper.close();
    throw error;
  }
  const port = kafka.endpoints[0]?.port;
  say(`Kafka is ready on localhost:${port}, its data are in ${join(options.data, 'kafka')}`);
  say(nextCommands(zookeeperPort, port));
  const failure = await Promise.race([stopped, kafka.failed.then(asFailure), zookeeperFailure.then(asFailure)]);
  say(failure === undefined ? 'Stopping Kafka, then ZooKeeper …' : `Stopping: ${failure}`);
  await stop(kafka, zookeeper);
  return failure === undefined ? 0 : 1;
}

/** The broker first: it says goodbye to ZooKeeper. */
async function stop(kafka: KafkaBroker, zookeeper: ZookeeperServer): Promise<void> {
  await kafka.close();
  await zookeeper.close();
}

function asFailure(error: unknown): string {
  return messageOf(error);
}

/** What both servers say goes to a file; the terminal is for the person. */
function openRuntime({ data, verbose }: Options): Runtime {
  const idlePollMs = idlePollMsOf(process.env);
  if (verbose) return nodeRuntime({ idlePollMs });
  return nodeRuntime({ idlePollMs, logStream: new RotatingFile({ path: join(data, 'odradek.log') }) });
}

function readZooCfg({ conf, data }: Options): ReturnType<typeof zooCfgOf> {
  const given = readConf(conf, 'zoo.cfg');
  given.set('dataDir', resolve(data, 'zookeeper'));
  const { SERVER_JVMFLAGS = '', JVMFLAGS = '' } = process.env;
  const systemProperties = systemPropertiesOf(`${SERVER_JVMFLAGS} ${JVMFLAGS}`);
  return zooCfgOf(given, systemProperties, { text: [...given].map(([key, value]) => `${key}=${value}\n`).join('') });
}

function readServerProperties({ conf, data }: Options, zookeeperPort: number): KafkaConfig {
  const given = readConf(conf, 'server.properties');
  given.delete('log.dir');
  given.set('log.dirs', resolve(data, 'kafka'));
  given.set('zookeeper.connect', `127.0.0.1:${zookeeperPort}`);
  if (!given.has('advertised.listeners')) given.set('advertised.listeners', advertised(given));
  return new KafkaConfig(given);
}

/** Whoever starts this sits at the same machine: `localhost` with the ports of `listeners`. */
function advertised(given: ReadonlyMap<string, string>): string {
  const listeners = given.get('listeners') ?? 'PLAINTEXT://:9092';
  return listeners.replace(/:\/\/[^,]*:(\d+)/g, '://localhost:$1');
}

function readConf(conf: string, file: string): Map<string, string> {
  if (!existsSync(conf)) throw new ConfigError('--conf', conf, 'there is no such folder');
  const path = join(conf, file);
  if (!existsSync(path)) return new Map();
  return parseProperties(readFileSync(path, 'latin1'));
}

function nextCommands(zookeeperPort: number, port: number | undefined): string {
  return `
Next, in another terminal:
  bin/kafka-topics.sh --create --topic morris --bootstrap-server localhost:${port}
  bin/kafka-console-producer.sh --topic morris --bootstrap-server localhost:${port}
  bin/kafka-console-consumer.sh --topic morris --from-beginning --bootstrap-server localhost:${port}
  bin/zkCli.sh -server localhost:${zookeeperPort} ls /brokers/topics
Ctrl-C stops both; what was acknowledged is there after the next start.`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function messageOf(error: unknown): string {
  if (error instanceof DiskError && error.code === 'EBUSY') {
    const holder = /process \d+/.exec(error.message)?.[0] ?? 'another process';
    return `${error.path} is in use by ${holder}: stop it, or give another folder with --data`;
  }
  return error instanceof Error ? error.message : String(error);
}
