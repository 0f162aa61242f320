/** Our shipped process and Apache's two, each with the configuration and the flags its own start script ships. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ENGINE_FLAGS } from '../../src/runtime/node/engine-flags.ts';
import { fourLetterWord } from '../../test/interop/peers/apache-zookeeper.ts';
import { freePort } from '../../test/interop/peers/free-port.ts';
import { installJava } from '../../test/interop/peers/install.ts';
import { PeerError, type Service, startService, until } from '../../test/interop/peers/process.ts';
import { leadersOf } from './kafka-admin.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** A JVM with ten thousand partitions on a busy machine takes minutes. */
const READY_MS = 300_000;

export interface Servers {
  readonly name: 'ours' | 'Apache';
  readonly zookeeperPort: number;
  readonly kafkaPort: number;
  readonly started: Started;
  readonly logDir: string;
  readonly zookeeperDir: string;
  residentBytes(): number;
  /** CPU time of all threads so far: what a busy machine does not distort. */
  cpuMs(): number;
  /** The longest delay of our event loop since the last call; undefined for Apache. */
  loopDelay(): Promise<LoopHeld | undefined>;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/** Milliseconds from the start of the first process to right answers. */
export interface Started {
  readonly zookeeper: number;
  /** Kafka's too. */
  readonly both: number;
  /** CPU time of all processes until then: what a busy machine does not distort. */
  readonly cpu: number;
}

export interface LoopHeld {
  /** On the clock, what other processes took included. */
  readonly longestMs: number;
  /** Of CPU time: held by the loop itself. */
  readonly longestCpuMs: number;
  /** Objects of the engine and memory of typed arrays; after a full collection where `--expose-gc` allows one. */
  readonly usedBytes: number;
}

export interface StartOptions {
  readonly dir: string;
  /** A topic whose leader Metadata must name before the broker counts as ready. */
  readonly knownTopic?: string;
  /** Prefix of CPU profiles; only ours. */
  readonly profile?: string;
  /** More keys for the broker. */
  readonly brokerConfig?: Readonly<Record<string, string>>;
  /** Without the probe nothing is loaded that `npm start` does not load. */
  readonly withProbe?: boolean;
}

interface Ports {
  readonly zookeeper: number;
  readonly kafka: number;
}

/** Both systems in one process, from `conf/` with other ports. */
export async function startOurs(options: StartOptions): Promise<Servers> {
  const { dir, profile, withProbe = true } = options;
  const ports = await choosePorts();
  const conf = join(dir, 'conf');
  mkdirSync(conf, { recursive: true });
  const kafkaListener = `PLAINTEXT://127.0.0.1:${ports.kafka}`;
  rewrite('zoo.cfg', conf, { clientPort: String(ports.zookeeper) });
  rewrite('server.properties', conf, {
    listeners: kafkaListener,
    'advertised.listeners': kafkaListener,
    ...options.brokerConfig,
  });
  const probeFile = join(dir, 'probe.json');
  rmSync(probeFile, { force: true });
  const data = join(dir, 'data');
  const logFile = join(dir, 'ours.log');
  const begun = performance.now();
  const service = startService(
    process.execPath,
    [
      ...ENGINE_FLAGS,
      ...(withProbe ? ['--import', join(ROOT, 'scripts/bench/probe.ts')] : []),
      ...[join(ROOT, 'src/cli/odradek.js'), 'start', '--conf', conf, '--data', data],
    ],
    {
      logFile,
      cwd: ROOT,
      env: { BENCH_PROBE: probeFile, ...(profile === undefined ? {} : { BENCH_PROFILE: profile }) },
    },
  );
  const zookeeper = (await zookeeperReady(ports.zookeeper, service, logFile)) - begun;
  const both = (await kafkaReady(ports.kafka, service, logFile, options.knownTopic)) - begun;
  return {
    name: 'ours',
    zookeeperPort: ports.zookeeper,
    kafkaPort: ports.kafka,
    started: { zookeeper, both, cpu: cpuMs(service.pid) },
    logDir: join(data, 'kafka'),
    zookeeperDir: join(data, 'zookeeper'),
    residentBytes: () => residentBytes(service.pid),
    cpuMs: () => cpuMs(service.pid),
    loopDelay: () => askProbe(service.pid, probeFile),
    stop: async () => void (await service.stop()),
    kill: () => service.kill(),
  };
}

/** Of zkServer.sh. */
export const APACHE_HEAP_MIB = 1000;

/** The flags of kafka-server-start.sh with kafka-run-class.sh. */
const KAFKA_FLAGS = [
  ...['-Xmx1G', '-Xms1G', '-server', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20'],
  ...['-XX:InitiatingHeapOccupancyPercent=35', '-XX:+ExplicitGCInvokesConcurrent', '-XX:MaxInlineLevel=15'],
  '-Djava.awt.headless=true',
];

/** The same keys as Apache's shipped server.properties. */
const KAFKA_CONFIG = {
  'broker.id': 0,
  'num.network.threads': 3,
  'num.io.threads': 8,
  'socket.send.buffer.bytes': 102_400,
  'socket.receive.buffer.bytes': 102_400,
  'socket.request.max.bytes': 104_857_600,
  'num.partitions': 1,
  'num.recovery.threads.per.data.dir': 1,
  'offsets.topic.replication.factor': 1,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'log.retention.hours': 168,
  'log.retention.check.interval.ms': 300_000,
  'zookeeper.connection.timeout.ms': 18_000,
  'group.initial.rebalance.delay.ms': 0,
};

/** The JVM of one ZooKeeper on a data directory; also the reader of what ours has written. `config` holds more keys. */
export async function startApacheZookeeper(
  dir: string,
  dataDir: string,
  port: number,
  config: Readonly<Record<string, string | number>> = {},
  heapMiB = APACHE_HEAP_MIB,
): Promise<Service> {
  mkdirSync(dataDir, { recursive: true });
  const file = join(dir, 'zoo.cfg');
  writeProperties(file, {
    tickTime: 2000,
    initLimit: 10,
    syncLimit: 5,
    dataDir,
    clientPort: port,
    '4lw.commands.whitelist': 'srvr,mntr',
    'admin.enableServer': false,
    ...config,
  });
  const classpath = await installJava('zookeeper-3.9.4');
  const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
  const flags = [`-Xmx${heapMiB}m`, '-Dzookeeper.jmx.log4j.disable=true'];
  return startService('java', [...flags, ...LOGGING, '-cp', classpath, main, file], {
    logFile: join(dir, 'zookeeper.log'),
  });
}

const LOGGING = [
  '-Dpeer.log.level=INFO',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=info',
];

export async function startApache(options: StartOptions): Promise<Servers> {
  const { dir } = options;
  const ports = await choosePorts();
  const zookeeperDir = join(dir, 'zookeeper');
  const logDir = join(dir, 'kafka');
  mkdirSync(logDir, { recursive: true });
  const file = join(dir, 'server.properties');
  writeProperties(file, {
    ...KAFKA_CONFIG,
    listeners: `PLAINTEXT://127.0.0.1:${ports.kafka}`,
    'log.dirs': logDir,
    'zookeeper.connect': `127.0.0.1:${ports.zookeeper}`,
    ...options.brokerConfig,
  });
  const classpath = await installJava('kafka-3.9.1');
  const begun = performance.now();
  const zookeeper = await startApacheZookeeper(dir, zookeeperDir, ports.zookeeper);
  const zookeeperMs = (await zookeeperReady(ports.zookeeper, zookeeper, join(dir, 'zookeeper.log'))) - begun;
  const kafka = startService('java', [...KAFKA_FLAGS, ...LOGGING, '-cp', classpath, 'kafka.Kafka', file], {
    logFile: join(dir, 'kafka.log'),
  });
  const ready = await kafkaReady(ports.kafka, kafka, join(dir, 'kafka.log'), options.knownTopic);
  return {
    name: 'Apache',
    zookeeperPort: ports.zookeeper,
    kafkaPort: ports.kafka,
    started: { zookeeper: zookeeperMs, both: ready - begun, cpu: cpuMs(zookeeper.pid) + cpuMs(kafka.pid) },
    logDir,
    zookeeperDir,
    residentBytes: () => residentBytes(zookeeper.pid) + residentBytes(kafka.pid),
    cpuMs: () => cpuMs(zookeeper.pid) + cpuMs(kafka.pid),
    loopDelay: () => Promise.resolve(undefined),
    async stop() {
      await kafka.stop();
      await zookeeper.stop();
    },
    async kill() {
      await kafka.kill();
      await zookeeper.kill();
    },
  };
}

/** The moment of the first `srvr` that shows a mode. */
export function zookeeperReady(port: number, service: Service, logFile: string): Promise<number> {
  return firstAnswer('ZooKeeper', service, logFile, async () =>
    (await fourLetterWord(port, 'srvr')).includes('Mode: '),
  );
}

function kafkaReady(port: number, service: Service, logFile: string, knownTopic = ''): Promise<number> {
  return firstAnswer('Kafka', service, logFile, async () => {
    // Without a topic to ask for, an answer at all must do: this start is not measured.
    const leaders = await leadersOf(port, knownTopic || 'no-such-topic');
    return knownTopic === '' || leaders > 0;
  });
}

async function firstAnswer(
  what: string,
  service: Service,
  logFile: string,
  isRight: () => Promise<boolean>,
): Promise<number> {
  const probe = async (): Promise<number | undefined> => {
    if (!service.alive())
      throw new PeerError(`${what} ended before it was ready:\n${readFileSync(logFile, 'utf8').slice(-2_000)}`);
    return (await isRight().catch(() => false)) ? performance.now() : undefined;
  };
  return until(`answer from ${what}`, probe, { timeoutMs: READY_MS, everyMs: 10 });
}

async function choosePorts(): Promise<Ports> {
  return { zookeeper: await freePort(), kafka: await freePort() };
}

function rewrite(file: string, conf: string, changes: Readonly<Record<string, string>>): void {
  const lines = readFileSync(join(ROOT, 'conf', file), 'utf8').split('\n');
  const kept = lines.filter((line) => !Object.keys(changes).some((key) => line.startsWith(`${key}=`)));
  const changed = Object.entries(changes).map(([key, value]) => `${key}=${value}`);
  writeFileSync(join(conf, file), [...kept, ...changed, ''].join('\n'));
}

export function writeProperties(file: string, values: Readonly<Record<string, string | number | boolean>>): void {
  const lines = Object.entries(values).map(([key, value]) => `${key}=${value}\n`);
  writeFileSync(file, lines.join(''));
}

export function residentBytes(pid: number): number {
  const [, kib = '0'] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}

/** User and system time stand in ticks of 10 ms behind the command's name in parentheses. */
export function cpuMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** One question is open at a time; the file is new when its count has grown. */
export async function askProbe(pid: number, file: string): Promise<LoopHeld> {
  const read = (): LoopHeld & { count: number } => {
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as LoopHeld & { count: number };
    } catch {
      return { count: -1, longestMs: 0, longestCpuMs: 0, usedBytes: 0 };
    }
  };
  const before = read().count;
  process.kill(pid, 'SIGUSR2');
  for (;;) {
    const answer = read();
    if (answer.count > before) return answer;
    await pause(2);
  }
}
