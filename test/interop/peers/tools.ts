/** Third-party clients and Apache's ZooKeeper tools, each run to its end. Kafka's own are in kafka-tools.ts. */
import { fileURLToPath } from 'node:url';
import { installKcat, installNode, installPython, type JavaPeer } from './install.ts';
import { type JavaOptions, javaLine } from './java.ts';
import { type Outcome, type RunOptions, run } from './process.ts';

export type ZookeeperToolVersion = '3.4.8' | '3.9.4';

/** One command (`args`), or several (`options.stdin`, a line each), against `connect`. */
export function zkCli(
  version: ZookeeperToolVersion,
  connect: string,
  args: readonly string[],
  options: RunOptions & JavaOptions = {},
): Promise<Outcome> {
  // 3.4.8 sends a command before its session stands and relies on the client to queue it, as its users do
  const wait = version === '3.9.4' ? ['-waitforconnection'] : [];
  return javaClass(
    `zookeeper-${version}`,
    'org.apache.zookeeper.ZooKeeperMain',
    [...wait, '-server', connect, ...args],
    options,
  );
}

/** The transaction log as text: LogFormatter in 3.4.8, its heir TxnLogToolkit in 3.9.4 (takes -r, -y, … too). */
export function dumpTransactionLog(
  version: ZookeeperToolVersion,
  args: readonly string[],
  options: RunOptions & JavaOptions = {},
): Promise<Outcome> {
  const mainClass = version === '3.4.8' ? 'LogFormatter' : 'persistence.TxnLogToolkit';
  return javaClass(`zookeeper-${version}`, `org.apache.zookeeper.server.${mainClass}`, args, options);
}

/** The snapshot as text: the file first, then in 3.9.4 `-d` for data or `-json`. */
export function dumpSnapshot(
  version: ZookeeperToolVersion,
  args: readonly string[],
  options: RunOptions & JavaOptions = {},
): Promise<Outcome> {
  return javaClass(`zookeeper-${version}`, 'org.apache.zookeeper.server.SnapshotFormatter', args, options);
}

/** Any class of a peer. */
export async function javaClass(
  peer: JavaPeer,
  mainClass: string,
  args: readonly string[],
  options: RunOptions & JavaOptions = {},
): Promise<Outcome> {
  const line = await javaLine(peer, mainClass, args, options);
  return run(line.command, line.args, options);
}

/** A single-file Java program against a peer's classes, compiled by the launcher; always on the `java` of PATH. */
export async function javaProgram(
  peer: JavaPeer,
  sourceFile: string,
  args: readonly string[],
  options: RunOptions & JavaOptions = {},
): Promise<Outcome> {
  return javaClass(peer, sourceFile, args, options);
}

export async function kcat(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return run(await installKcat(), args, options);
}

/** A Python script, or `-c` with the program as first argument; kazoo and three Kafka clients can be imported. */
export async function python(script: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Outcome> {
  return run(await installPython(), [script, ...args], options);
}

/** An .mjs script run by this Node; kafkajs, @platformatic/kafka and node-zookeeper-client can be imported. */
export async function nodeScript(
  script: string,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<Outcome> {
  const preload = fileURLToPath(new URL('./resolve-from-cache.ts', import.meta.url));
  return run(process.execPath, ['--import', preload, script, ...args], {
    ...options,
    env: { ...options.env, PEER_NODE_MODULES: await installNode() },
  });
}
