import { ConfigError } from '../../config/config-error.ts';
import type { ServerSpec } from '../../config/server-spec.ts';
import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { Disk } from '../../runtime/disk.ts';
import type { Membership } from './membership.ts';
import type { ServerId } from './quorum-verifier.ts';

/** The greatest id while node types take the top byte of an owner (EphemeralType.MAX_EXTENDED_SERVER_ID). */
const MAX_EXTENDED_SERVER_ID = 254;
const ANY_ADDRESSES: ReadonlySet<string> = new Set(['0.0.0.0', '::', '0:0:0:0:0:0:0:0']);

/** Where clients connect; undefined: nowhere. */
export interface ClientEndpoint {
  /** Undefined: every interface. */
  readonly host: string | undefined;
  readonly port: number;
}

/** This server's place in its ensemble. */
export interface Member {
  readonly id: ServerId;
  readonly spec: ServerSpec;
  /** Of its `server.N` line if that has one, else of zoo.cfg. */
  readonly client: ClientEndpoint | undefined;
  /** Lines to log once at the start. */
  readonly warnings: readonly string[];
}

/** Undefined where there is no file. @throws ConfigError */
export function readMyid(disk: Disk, { dataDir }: Pick<ZooCfg, 'dataDir'>): ServerId | undefined {
  const path = `${dataDir}/myid`;
  if (disk.stat(path)?.kind !== 'file') return undefined;
  const [line = ''] = Buffer.from(disk.readFile(path)).toString().split('\n');
  const text = line.trim();
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new ConfigError('myid', text.slice(0, 40), `${path} holds the number of this server alone`);
}

/**
 * What Apache checks of a server in an ensemble (QuorumPeerConfig.checkValidity, QuorumPeer.start).
 *
 * @param id as `readMyid` gives it
 * @throws ConfigError
 */
export function memberOf(config: ZooCfg, membership: Membership, id: ServerId | undefined): Member {
  const client = clientEndpointOf(config, membership, id);
  if (config.initLimitTicks === 0) throw new ConfigError('initLimit', undefined, 'time to follow a leader, in ticks');
  if (config.syncLimitTicks === 0) throw new ConfigError('syncLimit', undefined, 'time to lag behind it, in ticks');
  if (id === undefined) {
    throw new ConfigError('myid', undefined, `write the number of this server into ${config.dataDir}/myid`);
  }
  const spec = membership.servers.get(id);
  if (spec === undefined) {
    throw new ConfigError(
      'myid',
      String(id),
      `choose one of the servers: ${[...membership.servers.keys()].join(', ')}`,
    );
  }
  if (config.extendedTypesEnabled && id > MAX_EXTENDED_SERVER_ID) {
    throw new ConfigError('myid', String(id), `with extendedTypesEnabled it is at most ${MAX_EXTENDED_SERVER_ID}`);
  }
  return { id, spec, client, warnings: [...sizeWarnings(membership), ...peerTypeWarnings(config, spec)] };
}

/**
 * Of standalone servers too. An address in a `server.N` line counts; one in zoo.cfg may stand beside it if it says the same
 * (QuorumPeerConfig.setupClientPort). Names are compared as they are written, but for `localhost`.
 *
 * @throws ConfigError
 */
export function clientEndpointOf(
  config: Pick<ZooCfg, 'clientPort' | 'clientPortAddress'>,
  membership: Membership,
  id: ServerId | undefined,
): ClientEndpoint | undefined {
  const { clientPort, clientPortAddress } = config;
  const fromFile = clientPort === undefined ? undefined : { host: clientPortAddress, port: clientPort };
  const spec = id === undefined ? undefined : membership.servers.get(id);
  if (spec?.clientPort === undefined) return fromFile;
  const fromLine = { host: isAny(spec.clientHost) ? undefined : spec.clientHost, port: spec.clientPort };
  const hostDiffers = !isAny(clientPortAddress) && hostKey(clientPortAddress) !== hostKey(fromLine.host);
  if (fromFile !== undefined && (hostDiffers || fromFile.port !== fromLine.port)) {
    const key = fromFile.port === fromLine.port ? 'clientPortAddress' : 'clientPort';
    const value = key === 'clientPort' ? String(clientPort) : clientPortAddress;
    throw new ConfigError(key, value, `server.${id} has another address for clients: leave one of them out`);
  }
  return fromLine;
}

function isAny(host: string | undefined): boolean {
  return host === undefined || ANY_ADDRESSES.has(host);
}

function hostKey(host: string | undefined): string | undefined {
  return host === 'localhost' ? '127.0.0.1' : host;
}

function sizeWarnings({ verifier }: Membership): string[] {
  const { size } = verifier.voters;
  if (size <= 2) return ['No server failure will be tolerated. You need at least 3 servers.'];
  return size % 2 === 0 ? ['Non-optimal configuration, consider an odd number of servers.'] : [];
}

function peerTypeWarnings({ peerType }: ZooCfg, { role }: ServerSpec): string[] {
  if (role === peerType) return [];
  const [ofLine, ofKey] = [role.toUpperCase(), peerType.toUpperCase()];
  return [`Peer type from servers list (${ofLine}) doesn't match peerType (${ofKey}). Defaulting to servers list.`];
}
