/** Apache ZooKeeper's server as a peer: standalone, or a member of an ensemble that may hold ours too. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { freePort } from './free-port.ts';
import { type CommandLine, javaLine } from './java.ts';
import { PATIENCE_MS, PeerError, type Service, startService, until } from './process.ts';

export interface ApacheZookeeperOptions {
  readonly version: '3.4.8' | '3.9.4';
  /** Also holds the server's zoo.cfg and apache-zookeeper.log. */
  readonly dataDir: string;
  /** Lines of zoo.cfg over the defaults here, `server.1` and the like among them. */
  readonly config?: Readonly<Record<string, string | number>>;
  /** System properties, the `-D` flags of its JVM. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Written to the `myid` file, for members of an ensemble. */
  readonly myid?: number;
  /** Where clients find it; default 127.0.0.1. */
  readonly host?: string;
  /** Stands before its command line, to run it elsewhere (nsenter). */
  readonly enter?: readonly string[];
  /** Default: a free one. Give it to come back on the same address after stop or kill. */
  readonly port?: number;
  /** Also how long an ensemble may take to elect its leader. Default two minutes. */
  readonly timeoutMs?: number;
}

export interface ApacheZookeeper extends Service {
  readonly port: number;
  /** `127.0.0.1:port`, or of its host. */
  readonly connect: string;
  readonly logFile: string;
  /** Asks with a four-letter word and resolves to all the server says. */
  ask(word: string): Promise<string>;
}

/** Resolves once the server answers `srvr` with its mode: an ensemble's members start together, by Promise.all. */
export async function startApacheZookeeper(options: ApacheZookeeperOptions): Promise<ApacheZookeeper> {
  for (;;) {
    const port = options.port ?? (await freePort());
    const server = await start(options, port);
    if (server !== 'port taken') return server;
    if (options.port !== undefined) throw new PeerError(`port ${port} is taken`);
  }
}

async function start(options: ApacheZookeeperOptions, port: number): Promise<ApacheZookeeper | 'port taken'> {
  const { version, timeoutMs, host, enter } = options;
  const dataDir = resolve(options.dataDir);
  const configFile = writeServerFiles({ ...options, dataDir }, port);
  const line = await javaLine(
    `zookeeper-${version}`,
    'org.apache.zookeeper.server.quorum.QuorumPeerMain',
    [configFile],
    {
      heapMiB: 256,
      logLevel: 'INFO',
      properties: { 'zookeeper.jmx.log4j.disable': 'true', ...options.properties },
    },
  );
  const logFile = join(dataDir, 'apache-zookeeper.log');
  return startServerProcess(`Apache ZooKeeper ${version}`, line, {
    dataDir,
    host,
    enter,
    port,
    logFile,
    timeoutMs,
  });
}

export interface ServerFiles {
  readonly dataDir: string;
  readonly host?: string | undefined;
  readonly config?: Readonly<Record<string, string | number>>;
  readonly myid?: number;
}

/** `zoo.cfg` in the data directory, whose path it answers, and `myid`. One that a server has rewritten stays as it is. */
export function writeServerFiles(options: ServerFiles, port: number): string {
  const { dataDir, myid } = options;
  mkdirSync(dataDir, { recursive: true });
  const configFile = join(dataDir, 'zoo.cfg');
  const isRewritten = existsSync(configFile) && /^dynamicConfigFile=/m.test(readFileSync(configFile, 'utf8'));
  if (!isRewritten) writeFileSync(configFile, configOf(options, port));
  if (myid !== undefined) writeFileSync(join(dataDir, 'myid'), `${myid}\n`);
  return configFile;
}

export interface ServerProcess {
  readonly dataDir: string;
  readonly host?: string | undefined;
  readonly enter?: readonly string[] | undefined;
  readonly port: number;
  readonly logFile: string;
  /** Until it serves; default two minutes. */
  readonly timeoutMs?: number | undefined;
}

/** A server of Apache's that is starting now and then never answers a connection; the next one it does. */
const START_PATIENCE_MS = 3000;

/** Runs the line and resolves once the server on that port and directory answers `srvr` with its mode. */
export async function startServerProcess(
  what: string,
  line: CommandLine,
  { dataDir, host = '127.0.0.1', enter = [], port, logFile, timeoutMs = PATIENCE_MS }: ServerProcess,
): Promise<ApacheZookeeper | 'port taken'> {
  const logged = () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '');
  const before = logged().length;
  const [command = line.command, ...args] = [...enter, line.command, ...line.args];
  const service = startService(command, args, { logFile });
  const started = await until(
    `answer from ${what}, see ${logFile}`,
    async () => {
      if (!service.alive()) return 'ended' as const;
      const mode = await fourLetterWord(port, 'srvr', host, START_PATIENCE_MS).catch(() => '');
      if (!mode.includes('Mode: ')) return undefined;
      // another server may have been quicker to take the port
      const conf = await fourLetterWord(port, 'conf', host, START_PATIENCE_MS).catch(() => '');
      return conf.includes(`dataDir=${dataDir}/`) ? ('ready' as const) : undefined;
    },
    { timeoutMs },
  ).catch(async (error: unknown) => {
    await service.kill();
    throw error;
  });
  if (started === 'ended') {
    const log = logged().slice(before);
    if (/Address already in use|EADDRINUSE/.test(log)) return 'port taken';
    throw new PeerError(`${what} did not start\n${log}`);
  }
  return {
    ...service,
    port,
    connect: `${host}:${port}`,
    logFile,
    ask: (word) => fourLetterWord(port, word, host),
  };
}

function configOf(options: ServerFiles, port: number): string {
  const config = {
    dataDir: options.dataDir,
    clientPort: port,
    clientPortAddress: options.host ?? '127.0.0.1',
    tickTime: 2000,
    initLimit: 10,
    syncLimit: 5,
    maxClientCnxns: 0,
    'admin.enableServer': 'false',
    '4lw.commands.whitelist': '*',
    ...options.config,
  };
  return Object.entries(config)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

/** The server writes its answer and closes. */
export function fourLetterWord(port: number, word: string, host = '127.0.0.1', timeoutMs = 30_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ port, host }, () => socket.write(word));
    socket.setTimeout(timeoutMs, () => socket.destroy(new PeerError(`no answer to ${word}`)));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    socket.on('error', reject);
  });
}
