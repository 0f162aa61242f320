import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { brokerCommand } from '../kafka/cli/server-process.ts';
import { outliveOutput } from '../runtime/node/outlive-output.ts';
import { serverCommand } from '../zookeeper/cli/server-process.ts';
import { type Unit, unitText } from './systemd-unit.ts';

export const serviceUsage = `usage: odradek service [zookeeper] [kafka] [options]

  Writes systemd units for both servers or for the named one, and a configuration where there is none yet.

  --user NAME     who runs them (default: odradek)
  --data DIR      their data, DIR/zookeeper and DIR/kafka (default: /var/lib/odradek)
  --conf DIR      zoo.cfg and server.properties (default: /etc/odradek)
  --to DIR        where units belong (default: /etc/systemd/system)
  --memory SIZE   the most memory that each may use, such as 2G (default: no limit)
  --print         only show what would be written
`;

const services = ['zookeeper', 'kafka'] as const;
type Service = (typeof services)[number];

export interface ServiceOptions {
  readonly services: readonly Service[];
  readonly user: string;
  readonly data: string;
  readonly conf: string;
  readonly to: string;
  readonly memory: string | undefined;
}

export interface ServiceFile {
  readonly path: string;
  readonly text: string;
  /** What is there stays: it is the operator's. */
  readonly keep: boolean;
}

/** `odradek service`. Answers the exit code. */
export function service(args: readonly string[]): number {
  outliveOutput();
  try {
    const { options, isPrintOnly } = optionsOf(args);
    const files = serviceFiles(options);
    if (isPrintOnly) for (const { path, text } of files) process.stdout.write(`# ${path}\n${text}\n`);
    else {
      for (const file of files) process.stdout.write(`${install(file)}\n`);
      process.stdout.write(nextCommands(options));
    }
    return 0;
  } catch (error) {
    process.stderr.write(`odradek service: ${(error as Error).message}\n`);
    return 1;
  }
}

function optionsOf(args: readonly string[]): { options: ServiceOptions; isPrintOnly: boolean } {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      user: { type: 'string', default: 'odradek' },
      data: { type: 'string', default: '/var/lib/odradek' },
      conf: { type: 'string', default: '/etc/odradek' },
      to: { type: 'string', default: '/etc/systemd/system' },
      memory: { type: 'string' },
      print: { type: 'boolean', default: false },
    },
  });
  const named = positionals.length === 0 ? services : services.filter((each) => positionals.includes(each));
  const unknown = positionals.find((word) => !services.some((each) => each === word));
  if (unknown !== undefined) throw new ServiceError(`there is no service ${unknown}: choose zookeeper or kafka`);
  check('--user', values.user, /^[A-Za-z_][\w.-]*$/, 'a user name');
  for (const name of ['data', 'conf', 'to'] as const) {
    check(`--${name}`, values[name], /^\/[^\n\r]*[^\n\r/]$/, 'an absolute path without a slash at its end');
  }
  if (values.memory !== undefined) check('--memory', values.memory, /^\d+[KMGT]?$|^\d+%$/, 'a size such as 2G');
  const { user, data, conf, to, memory } = values;
  return { options: { services: named, user, data, conf, to, memory }, isPrintOnly: values.print };
}

function check(option: string, value: string, pattern: RegExp, want: string): void {
  if (!pattern.test(value)) throw new ServiceError(`${option} ${JSON.stringify(value)} is refused: give ${want}`);
}

class ServiceError extends Error {
  override readonly name = 'ServiceError';
}

/** What `odradek service` writes. */
export function serviceFiles(options: ServiceOptions): ServiceFile[] {
  return options.services.flatMap((each) => {
    const config = join(options.conf, each === 'kafka' ? 'server.properties' : 'zoo.cfg');
    return [
      { path: join(options.to, `${unitName(each)}`), text: unitText(unitOf(each, config, options)), keep: false },
      { path: config, text: configText(each, options), keep: true },
    ];
  });
}

function unitName(service: Service): string {
  return `odradek-${service}.service`;
}

function unitOf(service: Service, config: string, options: ServiceOptions): Unit {
  const isKafka = service === 'kafka';
  return {
    description: isKafka ? 'Kafka broker (odradek)' : 'ZooKeeper server (odradek)',
    wants: isKafka && options.services.includes('zookeeper') ? [unitName('zookeeper')] : [],
    command: isKafka ? brokerCommand([config]) : serverCommand(config),
    user: options.user,
    data: options.data,
    // A broker keeps a descriptor or more for every segment in use; Apache advises 100,000 too.
    openFilesMax: isKafka ? 100_000 : 65_536,
    memoryMax: options.memory,
    // A broker hands its partitions over and flushes before it ends.
    stopTimeoutSeconds: isKafka ? 180 : 60,
  };
}

function configText(service: Service, { data }: ServiceOptions): string {
  return service === 'zookeeper'
    ? `# Keys and defaults are those of Apache ZooKeeper 3.9.
tickTime=2000
dataDir=${data}/zookeeper
clientPort=2181
autopurge.snapRetainCount=3
autopurge.purgeInterval=24
`
    : `# Keys and defaults are those of Apache Kafka 3.9 in ZooKeeper mode.
broker.id=0
listeners=PLAINTEXT://:9092
# What clients are told to connect to; the machine's name if this is left out.
#advertised.listeners=PLAINTEXT://kafka.example.org:9092
zookeeper.connect=localhost:2181
log.dirs=${data}/kafka
# One broker holds the only copy of the internal topics; raise these with the number of brokers.
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
`;
}

function install({ path, text, keep }: ServiceFile): string {
  if (keep && existsSync(path)) return `kept    ${path}`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return `written ${path}`;
}

function nextCommands({ services, user, data }: ServiceOptions): string {
  const units = services.map(unitName).join(' ');
  return `
Next, as root:
  id ${user} || useradd --system --home-dir ${shellWord(data)} --shell /usr/sbin/nologin ${user}
${data.startsWith('/var/lib/') ? '' : `  install -d -o ${user} -m 0750 ${shellWord(data)}\n`}  systemctl daemon-reload
  systemctl enable --now ${units}
  journalctl -u ${units.split(' ')[0]} -f
`;
}

function shellWord(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
