/**
 * Archives of the classes that a peer's programs load: Java maps them into memory, where it would read, check and link them at each
 * start. `archive-classes.ts` makes them; a peer without one only starts more slowly.
 */
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderOf, installJava, type JavaPeer } from './install.ts';
import { PeerError, run, runOrThrow } from './process.ts';
import { tempDir } from './temp-dir.ts';

/** Where this process's starts of Java list what they load, instead of mapping an archive. */
let lists: string | undefined;

/** From now on, so that `writeArchive` knows what to archive. */
export function listClasses(): void {
  lists = tempDir();
}

/** Flags of a JVM that runs classes of this peer. */
export async function archiveFlags(peer: JavaPeer): Promise<readonly string[]> {
  // Java says on standard output what it leaves out of a list.
  if (lists !== undefined) return [`-XX:DumpLoadedClassList=${join(lists, `${peer}.%p`)}`, '-Xlog:disable'];
  const archive = await archiveOf(peer);
  return existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`] : [];
}

async function archiveOf(peer: JavaPeer): Promise<string> {
  return join(await folderOf(peer), 'programs.jsa');
}

/** Whether there is one that this Java takes: it has to be the one that wrote it. */
export async function isArchived(peer: JavaPeer): Promise<boolean> {
  const archive = await archiveOf(peer);
  const flags = ['-Xshare:on', `-XX:SharedArchiveFile=${archive}`, '-cp', await installJava(peer)];
  return existsSync(archive) && (await run('java', [...flags, '-version'])).code === 0;
}

/** Of all classes that this peer's programs have listed. They must have ended, and not by SIGKILL. */
export async function writeArchive(peer: JavaPeer): Promise<string> {
  if (lists === undefined) throw new PeerError('nobody has listed classes');
  const list = join(lists, `${peer}.list`);
  writeFileSync(list, [...classesIn(lists, peer)].join('\n'));
  const archive = await archiveOf(peer);
  const unfinished = `${archive}.${process.pid}`;
  const files = [`-XX:SharedClassListFile=${list}`, `-XX:SharedArchiveFile=${unfinished}`];
  const classpath = await installJava(peer);
  await runOrThrow('java', ['-Xshare:dump', '-XX:+UseSerialGC', '-Xlog:disable', ...files, '-cp', classpath]);
  if (!existsSync(unfinished)) throw new PeerError(`Java wrote no ${unfinished}`);
  renameSync(unfinished, archive);
  return archive;
}

/** In the order of their loading: a class stands behind those that it extends. */
function classesIn(folder: string, peer: JavaPeer): Set<string> {
  const written = readdirSync(folder).filter((name) => name.startsWith(`${peer}.`));
  const lines = written.flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'));
  return new Set(lines.filter((line) => !line.startsWith('#')));
}
