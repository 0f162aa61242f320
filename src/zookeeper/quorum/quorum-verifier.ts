/** `myid`: 0 to 255 in practice. Votes of servers that may not be elected carry the least 64-bit number. */
export type ServerId = number;

/** Who votes, and which sets of votes decide (Apache's QuorumVerifier). */
export interface QuorumVerifier {
  /** Of the membership; the zxid of the reconfiguration that made it, 0 for a static one. */
  readonly version: bigint;
  readonly voters: ReadonlySet<ServerId>;
  /** 0: never leads. */
  weightOf(server: ServerId): number;
  /** Whether these servers suffice; others than voters do not count. */
  isQuorum(servers: Iterable<ServerId>): boolean;
  /** An oracle has told this server to follow whoever says that it leads. */
  readonly defersToOther?: boolean;
  /** With an oracle, which is asked only by who is alone. */
  isNeeded?: boolean;
}

/** More than half of the voters. */
export function majority(voters: Iterable<ServerId>, version = 0n): QuorumVerifier {
  const all = new Set(voters);
  return {
    version,
    voters: all,
    weightOf: () => 1,
    isQuorum: (servers) => [...new Set(servers)].filter((server) => all.has(server)).length > Math.floor(all.size / 2),
  };
}

export interface Groups {
  /** `group.G=1:2:3`: each voter stands in one. */
  readonly members: ReadonlyMap<number, readonly ServerId[]>;
  /** `weight.N=W`, 1 where it is not given. */
  readonly weights: ReadonlyMap<ServerId, number>;
}

/**
 * A group agrees when more than half of its weight does; more than half of the groups that weigh anything have to agree
 * (QuorumHierarchical).
 */
export function hierarchical(voters: Iterable<ServerId>, groups: Groups, version = 0n): QuorumVerifier {
  const all = new Set(voters);
  const weightOf = (server: ServerId): number => groups.weights.get(server) ?? (all.has(server) ? 1 : 0);
  const weightIn = (servers: readonly ServerId[], among: (server: ServerId) => boolean): number =>
    servers.reduce((sum, server) => sum + (among(server) ? weightOf(server) : 0), 0);
  const groupsThatWeigh = [...groups.members.values()]
    .map((members) => ({ members, weight: weightIn(members, () => true) }))
    .filter(({ weight }) => weight > 0);
  return {
    version,
    voters: all,
    weightOf,
    isQuorum(servers) {
      const acked = new Set([...servers].filter((server) => all.has(server)));
      const agreeing = groupsThatWeigh.filter(
        ({ members, weight }) => weightIn(members, (server) => acked.has(server)) > Math.floor(weight / 2),
      );
      return agreeing.length > Math.floor(groupsThatWeigh.length / 2);
    },
  };
}
