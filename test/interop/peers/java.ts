/** The command line that runs a class of a Java peer, with flags for a quick start rather than a long life. */
import { archiveFlags } from './class-archive.ts';
import { installJava, installJava11, type JavaPeer } from './install.ts';

export interface JavaOptions {
  /** Default 128 MiB. */
  readonly heapMiB?: number;
  /** Of the peer's own logging, which goes to stderr; default WARN, as Apache's tools have it. */
  readonly logLevel?: 'ERROR' | 'WARN' | 'INFO' | 'DEBUG';
  /** What follows -javaagent: */
  readonly agent?: string;
  /** -D options, without the -D. */
  readonly properties?: Readonly<Record<string, string>>;
}

export interface CommandLine {
  readonly command: string;
  readonly args: readonly string[];
}

/** A main class, or a source file with one, which the `java` of PATH compiles and runs. */
export async function javaLine(
  peer: JavaPeer,
  mainClass: string,
  args: readonly string[],
  options: JavaOptions = {},
): Promise<CommandLine> {
  const { heapMiB = 128, logLevel = 'WARN', properties = {}, agent } = options;
  const command = mainClass.endsWith('.java') ? 'java' : await javaOf(peer);
  const [classpath, shared] = await Promise.all([installJava(peer), archiveFlags(peer)]);
  const system = {
    'peer.log.level': logLevel, // read by conf/log4j.properties
    'org.slf4j.simpleLogger.defaultLogLevel': logLevel.toLowerCase(),
    'org.slf4j.simpleLogger.showDateTime': 'true',
    'java.net.preferIPv4Stack': 'true',
    ...properties,
  };
  return {
    command,
    args: [
      `-Xmx${heapMiB}m`,
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-XX:-UsePerfData',
      '-Xshare:auto',
      ...shared,
      ...(agent === undefined ? [] : [`-javaagent:${agent}`]),
      ...Object.entries(system).map(([key, value]) => `-D${key}=${value}`),
      '-cp',
      classpath,
      mainClass,
      ...args,
    ],
  };
}

/** The old releases do not run on Java 17, the new ones not on Java 11. */
function javaOf(peer: JavaPeer): Promise<string> | string {
  return peer === 'zookeeper-3.4.8' || peer === 'kafka-2.1.0' ? installJava11() : 'java';
}
