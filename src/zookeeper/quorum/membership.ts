import { longMapOrder, propertiesOrder } from '../../base/java-order.ts';
import { ConfigError, IllegalValueError } from '../../config/config-error.ts';
import { parseProperties } from '../../config/properties.ts';
import type { ServerSpec } from '../../config/server-spec.ts';
import type { ZooCfg } from '../../config/zoo-cfg.ts';
import { isMembershipKey, membershipLines } from '../../config/zoo-cfg-quorum.ts';
import { hexOf, parseHex } from '../jute/ids.ts';
import { parseGroups } from './quorum-groups.ts';
import { type Groups, hierarchical, majority, type QuorumVerifier, type ServerId } from './quorum-verifier.ts';
import { serverText } from './server-text.ts';

/** Who is in the ensemble, and which of them decide. Never changed: a reconfiguration makes another one. */
export interface Membership {
  /** The zxid of the reconfiguration that made it; 0 of a static one. */
  readonly version: bigint;
  /** Participants and observers, in the order in which `text` has them. */
  readonly servers: ReadonlyMap<ServerId, ServerSpec>;
  readonly verifier: QuorumVerifier;
  /** Undefined where the majority of the participants decides. */
  readonly groups: Groups | undefined;
  /** What notifications, NEWLEADER and `/zookeeper/config` carry: byte for byte what Apache prints. */
  readonly text: string;
}

export interface MembershipRules {
  /** One participant is enough, with whom no observers can be. */
  readonly standaloneEnabled: boolean;
  readonly multiAddressEnabled: boolean;
}

export const defaultRules: MembershipRules = { standaloneEnabled: true, multiAddressEnabled: false };

/** The lines of zoo.cfg itself, version 0. With `dynamicConfigFile` there are none. @throws ConfigError */
export function membershipOf(config: ZooCfg): Membership {
  const { servers, groups } = config;
  const order = propertiesOrder(config.source.keys.keys());
  const membership = membershipFrom({ servers, lines: groups, order, version: 0n });
  checkParticipants(membership, config);
  return membership;
}

/**
 * The text of a notification, of NEWLEADER or of a dynamic file (QuorumPeerConfig.parseDynamicConfig); the version is 0 where
 * it has none.
 *
 * @throws ConfigError
 */
export function parseMembership(text: string, rules: MembershipRules = defaultRules): Membership {
  const keys = parseProperties(text);
  for (const [key, value] of keys) {
    if (!isMembershipKey(key) && key !== 'version') {
      throw new ConfigError(key, value, 'a membership has lines server.N, group.N, weight.N and version');
    }
  }
  const order = propertiesOrder(keys.keys());
  const inOrder = new Map(order.map((key) => [key, keys.get(key) ?? '']));
  const { servers, groups } = membershipLines(inOrder, rules.multiAddressEnabled);
  const version = versionOf(keys.get('version'));
  const membership = membershipFrom({ servers, lines: groups, order, version });
  checkParticipants(membership, rules);
  return membership;
}

/** The same servers, as another transaction has made them. */
export function withVersion(membership: Membership, version: bigint): Membership {
  return makeMembership({ ...membership, version });
}

/**
 * What the first leader of an ensemble makes of a membership of version 0, where `reconfigEnabled`: it reads the text again and
 * gives it the zxid of its epoch (Leader.lead, ZOOKEEPER-1783). Servers may come in another order than in the file.
 */
export function establish(membership: Membership, version: bigint, rules: MembershipRules): Membership {
  return withVersion(parseMembership(membership.text, rules), version);
}

/** Undefined: majority. @param servers in the order of the text */
export function makeMembership({
  servers,
  groups,
  version,
}: Pick<Membership, 'servers' | 'groups' | 'version'>): Membership {
  const voters = [...servers].filter(([, { role }]) => role === 'participant').map(([id]) => id);
  const verifier = groups === undefined ? majority(voters, version) : hierarchical(voters, groups, version);
  return { version, servers, verifier, groups, text: textOf(servers, groups, version) };
}

/** Whether the server is one of several; a lone one needs no election (QuorumPeerConfig.isDistributed). */
export function isEnsemble(config: ZooCfg, membership: Membership = membershipOf(config)): boolean {
  return !config.standaloneEnabled || membership.verifier.voters.size > 1;
}

interface Lines {
  readonly servers: ReadonlyMap<ServerId, ServerSpec>;
  /** `group.N` and `weight.N` */
  readonly lines: ReadonlyMap<string, string>;
  /** Of all keys of the file, as Java's table has them. */
  readonly order: readonly string[];
  readonly version: bigint;
}

function membershipFrom({ servers, lines, order, version }: Lines): Membership {
  const inKeyOrder = order.filter((key) => key.startsWith('server.')).map((key) => Number(key.slice('server.'.length)));
  const sorted = new Map<ServerId, ServerSpec>();
  for (const id of longMapOrder(inKeyOrder)) {
    const spec = servers.get(id);
    if (spec !== undefined) sorted.set(id, spec);
  }
  const groups = lines.size === 0 ? undefined : parseGroups(sorted, lines, order);
  return makeMembership({ servers: sorted, groups, version });
}

function textOf(servers: ReadonlyMap<ServerId, ServerSpec>, groups: Groups | undefined, version: bigint): string {
  const lines = [...servers].map(([id, spec]) => `server.${id}=${serverText(spec)}`);
  for (const [id, members] of groups?.members ?? []) lines.push(`group.${id}=${members.join(':')}`);
  for (const [id, weight] of groups?.weights ?? []) lines.push(`weight.${id}=${weight}`);
  return [...lines, `version=${hexOf(version)}`].join('\n');
}

function versionOf(hex: string | undefined): bigint {
  if (hex === undefined) return 0n;
  const version = parseHex(hex);
  if (version === undefined || version < 0n) throw new IllegalValueError('version', hex, 'expected hexadecimal digits');
  return version;
}

function checkParticipants({ servers, verifier }: Membership, { standaloneEnabled }: MembershipRules): void {
  const { size } = verifier.voters;
  const observerCount = servers.size - size;
  if (size === 0 && !standaloneEnabled) {
    throw new IllegalValueError('standaloneEnabled', 'false', 'there must be participants: server.N lines');
  }
  if (observerCount === 0 || size > 1 || !standaloneEnabled) return;
  const fix = `${size} participants and ${observerCount} observers: observers need a quorum of participants to follow`;
  throw new IllegalValueError('server.N', `${servers.size} servers`, fix);
}
