import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientTls, type TlsFor } from '../../config/client-tls.ts';
import { ConfigError } from '../../config/config-error.ts';
import { nodeRuntime } from '../../runtime/node/node-runtime.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { clientProperties, tlsOfProperties } from './client-properties.ts';
import { fourLetterWord } from './four-letter-word.ts';
import { type Environment, looseConfig } from './zk-environment.ts';

type Config = ReadonlyMap<string, string>;

interface ClientPort {
  readonly port: string;
  readonly address: string;
  readonly isSecure: boolean;
}

/** `zkServer.sh status`: finds the client port, asks with `srvr`, prints the mode. Answers the exit code. */
export async function printStatus(
  configFile: string,
  env: Environment,
  print: (line: string) => void,
): Promise<number> {
  const config = looseConfig(configFile);
  const found = findClientPort(config, print);
  if (found === undefined) {
    print('Unable to find either secure or unsecure client port in any configs. Terminating.');
    return 1;
  }
  const { port, address, isSecure } = found;
  print(`Client port found: ${port}. Client address: ${address}. Client SSL: ${isSecure}.`);
  const runtime = nodeRuntime({ logLevel: 'off' });
  const answer = await askMode(runtime, found, env);
  const mode = /^Mode: .*$/m.exec(answer ?? '')?.[0];
  if (mode === undefined && isSecure) for (const line of secureNote(port)) print(line);
  print(mode ?? 'Error contacting service. It is probably not running.');
  return mode === undefined ? 1 : 0;
}

/** A secure port is asked as the flags in CLIENT_JVMFLAGS say; what is wrong with those counts as no answer. */
async function askMode(
  runtime: Runtime,
  { port, address, isSecure }: ClientPort,
  env: Environment,
): Promise<string | undefined> {
  try {
    const tls = isSecure ? statusTls(runtime, env) : undefined;
    return await fourLetterWord(runtime, address, Number(port), 'srvr', tls);
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

/** FourLetterWordMain is told that it is secure, and does not look at the name in the server's certificate. */
function statusTls(runtime: Runtime, env: Environment): TlsFor {
  const options = tlsOfProperties({ ...clientProperties(env), 'zookeeper.client.secure': 'true' });
  return clientTls(runtime.disk, { ...options, verifyHostname: false });
}

function secureNote(port: string): string[] {
  return [
    ' ',
    `Note: We used secureClientPort (${port}) to establish connection, but we failed. The 'status'`,
    '  command establishes a client connection to the server to execute diagnostic commands. Please make sure you',
    '  provided all the Client SSL connection related parameters in the CLIENT_JVMFLAGS environment variable! E.g.:',
    '  CLIENT_JVMFLAGS="-Dzookeeper.clientCnxnSocket=org.apache.zookeeper.ClientCnxnSocketNetty',
    '  -Dzookeeper.ssl.trustStore.location=/tmp/clienttrust.jks -Dzookeeper.ssl.trustStore.password=password',
    '  -Dzookeeper.ssl.keyStore.location=/tmp/client.jks -Dzookeeper.ssl.keyStore.password=password',
    '  -Dzookeeper.client.secure=true" ./zkServer.sh status',
    ' ',
  ];
}

/** In the static file, in the server's own line there, in the dynamic file; then the TLS port. */
function findClientPort(config: Config, print: (line: string) => void): ClientPort | undefined {
  const address = config.get('clientPortAddress') || 'localhost';
  const port = config.get('clientPort');
  if (isPort(port)) return { port, address, isSecure: false };
  const member = findMemberPort(config, print);
  if (member !== undefined) return member;
  print('Client port not found. Looking for secureClientPort in the static config.');
  const securePort = config.get('secureClientPort');
  const secureAddress = config.get('secureClientPortAddress') || 'localhost';
  return isPort(securePort) ? { port: securePort, address: secureAddress, isSecure: true } : undefined;
}

function findMemberPort(config: Config, print: (line: string) => void): ClientPort | undefined {
  const myid = readMyid(config.get('dataDir'));
  if (myid === undefined) {
    print('myid could not be determined, will not able to locate clientPort in the server configs.');
    return undefined;
  }
  let client = clientPart(config, myid);
  if (client === undefined) {
    print('Client port not found in static config file. Looking in dynamic config file.');
    const dynamicFile = config.get('dynamicConfigFile');
    client = dynamicFile === undefined ? undefined : clientPart(looseConfig(dynamicFile), myid);
  }
  if (client === undefined) print('Client port not found in the server configs');
  return client;
}

/** What follows the semicolon of `server.N=…;[host:]port`. */
function clientPart(config: Config, myid: string): ClientPort | undefined {
  const client = /;(.*)$/.exec(config.get(`server.${myid}`) ?? '')?.[1]?.trim() ?? '';
  const colon = client.lastIndexOf(':');
  const port = client.slice(colon + 1);
  if (!isPort(port)) return undefined;
  const address = client.slice(0, Math.max(0, colon)).replace(/^\[(.*)\]$/, '$1');
  return { port, address: address === '' || address === '0.0.0.0' ? 'localhost' : address, isSecure: false };
}

function readMyid(dataDir: string | undefined): string | undefined {
  try {
    const myid = readFileSync(join(dataDir ?? '', 'myid'), 'latin1').trim();
    return isPort(myid) ? myid : undefined;
  } catch {
    return undefined;
  }
}

function isPort(text: string | undefined): text is string {
  return text !== undefined && /^\d+$/.test(text);
}
