/**
 * `node test/interop/peers/archive-classes.ts` lets the Java peers that tests start most often do a little of everything, and has
 * Java archive the classes that this took (class-archive.ts).
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { startEnsemble } from '../ensemble.ts';
import { startApacheKafka } from './apache-kafka.ts';
import { startApacheKraft } from './apache-kraft.ts';
import { type ApacheZookeeper, startApacheZookeeper } from './apache-zookeeper.ts';
import { isArchived, listClasses, writeArchive } from './class-archive.ts';
import type { JavaPeer } from './install.ts';
import { type Outcome, PeerError } from './process.ts';
import { tempDir } from './temp-dir.ts';
import { ToolHost } from './tool-host.ts';
import { dumpSnapshot, dumpTransactionLog, zkCli } from './tools.ts';

const archived = [
  'zookeeper-3.9.4',
  'kafka-3.9.1',
  'kafka-4.4.0',
  'kafka-server-4.4.0',
] as const satisfies readonly JavaPeer[];

async function rehearse(): Promise<void> {
  const kraft = startApacheKraft({ logDir: tempDir() }).then((server) => server.stop());
  await liveAsEnsemble();
  const zookeeper = await startApacheZookeeper({ version: '3.9.4', dataDir: tempDir() });
  const kafka = await startApacheKafka({ version: '3.9.1', zookeeperConnect: zookeeper.connect, logDir: tempDir() });
  await Promise.all([
    useZookeeper(zookeeper),
    ...(['3.9.1', '4.4.0'] as const).map((version) => useKafka(version, kafka.bootstrap)),
  ]);
  await kafka.stop();
  await zookeeper.stop();
  await kraft;
}

/** All three have followed, and one leads after another has. */
async function liveAsEnsemble(): Promise<void> {
  const members = [1, 2, 3].map((id) => ({ id, kind: 'apache-3.9.4' }) as const);
  const ensemble = await startEnsemble({ after() {} }, { members });
  const leader = await ensemble.leader();
  await leader.stop();
  await ensemble.leader({ not: leader });
  await Promise.all(ensemble.members.map((member) => member.stop()));
}

async function useZookeeper(server: ApacheZookeeper): Promise<void> {
  const commands = ['create /rehearsed a', 'get /rehearsed', 'set /rehearsed b', 'getAcl /rehearsed', 'ls /', 'quit'];
  succeeded(await zkCli('3.9.4', server.connect, [], { stdin: `${commands.join('\n')}\n` }));
  const folder = join(server.logFile, '..', 'version-2');
  for (const file of readdirSync(folder)) {
    const dump = file.startsWith('log.') ? dumpTransactionLog : dumpSnapshot;
    if (/^(log|snapshot)\./.test(file)) succeeded(await dump('3.9.4', [join(folder, file)]));
  }
}

async function useKafka(version: '3.9.1' | '4.4.0', bootstrap: string): Promise<void> {
  const host = await ToolHost.start(version);
  const server = ['--bootstrap-server', bootstrap];
  const topic = [...server, '--topic', `words-${version}`];
  const group = `readers-${version}`;
  const use = async (...command: Parameters<ToolHost['run']>): Promise<void> => succeeded(await host.run(...command));
  await use('kafka-topics', [...topic, '--create', '--partitions', '1']);
  await use('kafka-topics', [...topic, '--describe']);
  await use('kafka-console-producer', topic, { stdin: 'a word\n' });
  await use('kafka-console-consumer', [...topic, '--from-beginning', '--max-messages', '1', '--group', group]);
  await use('kafka-consumer-groups', [...server, '--group', group, '--describe']);
  await use('kafka-configs', [...topic, '--describe']);
  await use('kafka-get-offsets', topic);
  await use('kafka-log-dirs', [...server, '--describe']);
  await use('kafka-transactions', [...server, 'list']);
  await host.close();
}

function succeeded({ code, stdout, stderr }: Outcome): void {
  if (code !== 0) throw new PeerError(`a tool ended with ${code}\n${stdout}\n${stderr}`);
}

async function main(): Promise<void> {
  const mapped = await Promise.all(archived.map(isArchived));
  if (!mapped.includes(false)) return;
  listClasses();
  await rehearse();
  for (const peer of archived) console.log(`classes of ${peer}: ${await writeArchive(peer)}`);
}

if (import.meta.main) await main();
