import { ConfigError } from '../../config/config-error.ts';
import type { ServerSpec } from '../../config/server-spec.ts';
import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { Log } from '../../runtime/log.ts';
import type { Address } from '../../runtime/network.ts';
import { hasSamePeerAddress } from '../quorum/designated-leader.ts';
import type { Electorate } from '../quorum/election.ts';
import { type ClientEndpoint, clientEndpointOf, type Member } from '../quorum/member.ts';
import { type Membership, parseMembership } from '../quorum/membership.ts';
import { hasSameServers, type Memberships } from '../quorum/memberships.ts';
import type { ServerId } from '../quorum/quorum-verifier.ts';
import { electionAddresses } from '../quorum/server-addresses.ts';
import type { Designation } from './term.ts';

export interface ReconfiguratorOptions {
  readonly member: Member;
  readonly memberships: Memberships;
  readonly config: ZooCfg;
  readonly log: Log;
  /** Of the term under way, ourselves perhaps. */
  readonly leader: () => ServerId | undefined;
  readonly keepMembership: () => void;
  /** Others find us, and clients come, at another place. Rejects with NetworkError. */
  readonly moveElectionPort: (to: readonly Address[]) => Promise<void>;
  readonly moveClientPort: (to: ClientEndpoint) => Promise<void>;
}

/**
 * What a membership makes of this member (QuorumPeer.processReconfig): its role, its ports, whom it follows. Who is in no membership
 * is a participant without a vote.
 */
export class Reconfigurator {
  readonly #options: ReconfiguratorOptions;
  /** As it was while we were last in a membership. */
  #spec: ServerSpec;
  #client: ClientEndpoint | undefined;
  #role: Electorate['role'];
  #designation: Designation | undefined;
  #moved: Promise<void> = Promise.resolve();

  constructor(options: ReconfiguratorOptions) {
    const { id, spec, client } = options.member;
    this.#options = options;
    this.#spec = spec;
    this.#client = client;
    this.#role = roleIn(options.memberships.current, id);
  }

  get electorate(): Electorate {
    const { current, verifiers } = this.#options.memberships;
    return { role: this.#role, verifiers, config: current.text };
  }

  get role(): Electorate['role'] {
    return this.#role;
  }

  get client(): ClientEndpoint | undefined {
    return this.#client;
  }

  get electionAddresses(): readonly Address[] {
    return electionAddresses(this.#spec);
  }

  /** Of another member. */
  electionAddressesOf(server: ServerId): readonly Address[] {
    const { current, lastSeen } = this.#options.memberships;
    return electionAddresses(current.servers.get(server) ?? lastSeen.servers.get(server));
  }

  /** Who leads the next term without an election; undefined, and from then on, where one is needed. */
  takeDesignation(): Designation | undefined {
    const designation = this.#designation;
    this.#designation = undefined;
    return designation;
  }

  /** Files are written and ports are where they shall be. */
  async settled(): Promise<void> {
    await this.#options.memberships.written;
    await this.#moved;
  }

  /** As TermHost. All but files and ports has changed when this returns. */
  async activate(membership: Membership, designation?: Designation): Promise<boolean> {
    const isOver = this.#become(membership, designation);
    await this.settled();
    return isOver;
  }

  /** What another server says in a notification, while we look for a leader. True: other servers are to be asked than before. */
  heardOf(text: string): boolean {
    const { memberships, config, log } = this.#options;
    const { current } = memberships;
    if (!config.reconfigEnabled || text === current.text) return false;
    try {
      const membership = parseMembership(text, config);
      if (membership.version <= current.version) return false;
      log.info('another server knows a newer membership', { version: membership.version.toString(16) });
      this.#become(membership, undefined);
      return !hasSameServers(current, membership);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      log.warn('a notification has a membership that cannot be read', { error: error.message });
      return false;
    }
  }

  #become(membership: Membership, designation: Designation | undefined): boolean {
    const { config, memberships, keepMembership, member, log } = this.#options;
    if (!config.reconfigEnabled) return false;
    const before = memberships.current;
    const role = roleIn(membership, member.id);
    const roleChanges = role !== this.#role;
    const isNew = membership.version > before.version;
    if (isNew) this.#role = role;
    memberships.activate(membership);
    keepMembership();
    if (!isNew || hasSameServers(before, membership)) return false;
    log.info('a membership is in force', { version: membership.version.toString(16), role });
    this.#move(membership);
    const leader = this.#options.leader();
    const isOver =
      roleChanges ||
      (designation === undefined ? leaderChanges(leader, before, membership) : designation.leader !== leader);
    this.#designation = isOver ? designation : undefined;
    return isOver;
  }

  #move(membership: Membership): void {
    const { member, moveElectionPort, moveClientPort, log } = this.#options;
    const before = textOf(this.electionAddresses);
    this.#spec = membership.servers.get(member.id) ?? this.#spec;
    const addresses = this.electionAddresses;
    const failed = (error: Error): void => log.error('a port could not be moved', { error: error.message });
    if (textOf(addresses) !== before) {
      this.#moved = this.#moved.then(() => moveElectionPort(addresses)).catch(failed);
    }
    const client = clientEndpointOf({ clientPort: undefined, clientPortAddress: undefined }, membership, member.id);
    if (client === undefined || (client.host === this.#client?.host && client.port === this.#client?.port)) return;
    this.#client = client;
    this.#moved = this.#moved.then(() => moveClientPort(client)).catch(failed);
  }
}

function roleIn({ servers }: Membership, id: ServerId): Electorate['role'] {
  return servers.get(id)?.role ?? 'participant';
}

/** Nobody has said who leads: the one we have goes on if it votes, and is where it was. */
function leaderChanges(leader: ServerId | undefined, before: Membership, membership: Membership): boolean {
  if (leader === undefined || !before.verifier.voters.has(leader) || !membership.verifier.voters.has(leader))
    return true;
  return !hasSamePeerAddress(leader, before, membership);
}

function textOf(addresses: readonly Address[]): string {
  return addresses.map(({ host, port }) => `${host}:${port}`).join('|');
}
