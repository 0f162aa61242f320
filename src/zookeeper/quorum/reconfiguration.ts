/** What a request to change the membership makes of it: PrepRequestProcessor's case `reconfig`, its checks in the same order. */
import { copiedTableSize, longMapOrder } from '../../base/java-order.ts';
import { ConfigError, IllegalValueError } from '../../config/config-error.ts';
import { parseServer, type ServerSpec } from '../../config/server-spec.ts';
import { splitList } from '../../config/values.ts';
import { ErrorCode } from '../jute/errors.ts';
import type { Zxid } from '../jute/ids.ts';
import type { ReconfigRequest } from '../jute/proto.ts';
import { hostAddress } from '../tree/ip-acl.ts';
import { type Membership, type MembershipRules, makeMembership, parseMembership, withVersion } from './membership.ts';
import type { ServerId } from './quorum-verifier.ts';

export interface ReconfigState {
  /** The membership that was activated last. */
  readonly current: Membership;
  /** The one that was proposed last, which may be the same. */
  readonly lastSeen: Membership;
  readonly rules: MembershipRules;
  /** Whether these servers are connected and synchronized with this leader, and a quorum of that membership. */
  readonly isQuorumSynced: (membership: Membership) => boolean;
}

/** `reason` is for the log: a client sees the code alone. */
export type Reconfiguration =
  | { readonly kind: 'next'; readonly membership: Membership }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly reason: string };

/**
 * The membership that is to be proposed; its text is the data of the transaction. Before it come `reconfigEnabled`, the session
 * and whether the server leads at all, after it the right to write `/zookeeper/config`.
 *
 * @param zxid of the transaction, which becomes the version
 */
export function reconfigure(request: ReconfigRequest, state: ReconfigState, zxid: Zxid): Reconfiguration {
  const { current, lastSeen, rules } = state;
  if (lastSeen.version !== current.version) {
    return refused(ErrorCode.RECONFIGINPROGRESS, `${lastSeen.version} is proposed, ${current.version} in force`);
  }
  if (request.curConfigId !== -1n && request.curConfigId !== lastSeen.version) {
    return refused(ErrorCode.BADVERSION, `from version ${request.curConfigId}, but the last is ${lastSeen.version}`);
  }
  const next = changed(request, lastSeen, rules, zxid);
  if (next.kind === 'refused') return next;
  const { size } = next.membership.verifier.voters;
  const leastCount = rules.standaloneEnabled ? 2 : 1;
  if (size < leastCount)
    return refused(ErrorCode.BADARGUMENTS, `${size} participants, at least ${leastCount} are needed`);
  if (!state.isQuorumSynced(next.membership)) {
    return refused(ErrorCode.NEWCONFIGNOQUORUM, 'no quorum of the new membership is connected and synchronized');
  }
  return next;
}

function changed(
  { newMembers, joiningServers, leavingServers }: ReconfigRequest,
  lastSeen: Membership,
  rules: MembershipRules,
  zxid: Zxid,
): Reconfiguration {
  try {
    const membership =
      newMembers === null
        ? incremented(splitList(joiningServers ?? ''), splitList(leavingServers ?? ''), lastSeen, rules)
        : parseMembership(newMembers.replaceAll(',', '\n'), rules);
    return { kind: 'next', membership: withVersion(membership, zxid) };
  } catch (error) {
    if (error instanceof IllegalValueError) return refused(ErrorCode.MARSHALLINGERROR, error.message);
    if (error instanceof ConfigError) return refused(ErrorCode.BADARGUMENTS, error.message);
    throw error;
  }
}

/** Who leaves, then who joins or changes. @throws ConfigError */
function incremented(
  joining: readonly string[],
  leaving: readonly string[],
  lastSeen: Membership,
  rules: MembershipRules,
): Membership {
  if (lastSeen.groups !== undefined) {
    throw new ConfigError('group', undefined, 'a membership with groups is changed as a whole alone');
  }
  const servers = new Map(lastSeen.servers);
  for (const id of leaving) servers.delete(idOf('leavingServers', id));
  for (const line of joining) {
    const [key = '', text = '', ...more] = line
      .split('=')
      .map((part) => part.trim())
      .filter((part) => part !== '');
    if (text === '' || more.length > 0) throw new ConfigError('joiningServers', line, 'expected server.N=…;clientPort');
    const id = idOf(key, key.slice(key.lastIndexOf('.') + 1));
    const spec = parseServer(key, text, rules);
    if (spec.clientPort === undefined) throw new ConfigError(key, text, 'who joins has a port for clients too');
    servers.delete(id);
    for (const [other, theirs] of servers) refuseSharedAddress(key, text, spec, [other, theirs]);
    servers.set(id, spec);
  }
  const sorted = longMapOrder(servers.keys(), copiedTableSize(lastSeen.servers.size));
  return makeMembership({
    servers: new Map(sorted.map((id) => [id, servers.get(id) as ServerSpec])),
    groups: undefined,
    version: lastSeen.version,
  });
}

/** QuorumServer.checkAddressDuplicate; names are compared as they are written, for nothing here asks a name server. */
function refuseSharedAddress(
  key: string,
  text: string,
  spec: ServerSpec,
  [other, theirs]: [ServerId, ServerSpec],
): void {
  const taken = new Set(endpointsOf(theirs));
  const shared = endpointsOf(spec).find((endpoint) => taken.has(endpoint));
  if (shared !== undefined) throw new ConfigError(key, text, `server.${other} has ${shared} too`);
}

/** Every `host:port`, except those that mean another machine on each machine. */
function endpointsOf({ addresses, clientHost, clientPort }: ServerSpec): string[] {
  const all = addresses.flatMap(({ host, peerPort, electionPort }) => [
    { host, port: peerPort },
    { host, port: electionPort },
  ]);
  if (clientHost !== undefined && clientPort !== undefined) all.push({ host: clientHost, port: clientPort });
  return all
    .filter(({ host }) => !isSpecial(host))
    .map(({ host, port }) => `${hostAddress(host.toLowerCase())}:${port}`);
}

function isSpecial(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|0\.0\.0\.0|::1?|(0+:){7}0*[01])$/i.test(host);
}

function idOf(key: string, digits: string): ServerId {
  if (/^\+?\d{1,15}$/.test(digits)) return Number(digits);
  throw new IllegalValueError(key, digits, 'the id of a server is a number');
}

function refused(code: ErrorCode, reason: string): Reconfiguration {
  return { kind: 'refused', code, reason };
}
