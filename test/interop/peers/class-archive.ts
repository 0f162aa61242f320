/**
 * Archives of the classes that a peer's server loads: Java maps them into memory, where it would read, check and link them at each
 * start. `node test/interop/peers/class-archive.ts` makes them; a peer without one only starts more slowly.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startApacheKafka } from './apache-kafka.ts';
import { startApacheKraft } from './apache-kraft.ts';
import { startApacheZookeeper } from './apache-zookeeper.ts';
import { folderOf, type JavaPeer } from './install.ts';
import { PeerError, type Service } from './process.ts';
import { tempDir } from './temp-dir.ts';

const archived = ['zookeeper-3.9.4', 'kafka-3.9.1', 'kafka-server-4.4.0'] as const satisfies readonly JavaPeer[];
type ArchivedPeer = (typeof archived)[number];

/** Whether starts of this process write archives instead of reading them. */
let isWriting = false;

async function archiveOf(peer: ArchivedPeer): Promise<string> {
  return join(await folderOf(peer), 'classes.jsa');
}

const unfinished = (archive: string): string => `${archive}.new`;

/** Flags of a JVM that runs classes of this peer. */
export async function archiveFlags(peer: JavaPeer): Promise<readonly string[]> {
  if (!isArchived(peer)) return [];
  const archive = await archiveOf(peer);
  // Java says on standard output what it leaves out of an archive.
  if (isWriting) return [`-XX:ArchiveClassesAtExit=${unfinished(archive)}`, '-Xlog:disable'];
  return existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`] : [];
}

function isArchived(peer: JavaPeer): peer is ArchivedPeer {
  return (archived as readonly JavaPeer[]).includes(peer);
}

async function write(peer: ArchivedPeer, server: Service): Promise<void> {
  await server.stop(120_000);
  const archive = await archiveOf(peer);
  if (!existsSync(unfinished(archive))) throw new PeerError(`Java wrote no ${unfinished(archive)}`);
  renameSync(unfinished(archive), archive);
  console.log(`classes of ${peer}: ${archive}`);
}

async function writeAll(): Promise<void> {
  for (const peer of archived) rmSync(unfinished(await archiveOf(peer)), { force: true });
  isWriting = true;
  const zookeeper = await startApacheZookeeper({ version: '3.9.4', dataDir: tempDir() });
  const kafka = await startApacheKafka({ version: '3.9.1', zookeeperConnect: zookeeper.connect, logDir: tempDir() });
  await write('kafka-3.9.1', kafka);
  await write('zookeeper-3.9.4', zookeeper);
  await write('kafka-server-4.4.0', await startApacheKraft({ logDir: tempDir() }));
}

if (import.meta.main) await writeAll();
