import { type Disk, DiskError } from '../../runtime/disk.ts';
import type { Membership } from './membership.ts';
import type { QuorumVerifier, ServerId } from './quorum-verifier.ts';

/** The voters of an ensemble for which an oracle speaks: with more of them a majority decides by itself. */
const ORACLE_VOTERS = 2;

/**
 * Two voters with `oraclePath` (QuorumOracleMaj): where one has lost the other, a file tells whether it may go on alone. Whoever writes
 * the file sees to it that both are never told so at once.
 */
export class OracleVerifier implements QuorumVerifier {
  readonly #majority: QuorumVerifier;
  readonly #ask: () => boolean;
  /** No follower is there. A leader that has one needs no oracle, and gets none. */
  isNeeded = true;

  constructor(majority: QuorumVerifier, ask: () => boolean) {
    this.#majority = majority;
    this.#ask = ask;
  }

  get version(): bigint {
    return this.#majority.version;
  }

  get voters(): ReadonlySet<ServerId> {
    return this.#majority.voters;
  }

  weightOf(server: ServerId): number {
    return this.#majority.weightOf(server);
  }

  isQuorum(servers: Iterable<ServerId>): boolean {
    const all = [...servers];
    if (this.#majority.isQuorum(all)) return true;
    return this.#speaks && all.some((server) => this.voters.has(server)) && this.#ask();
  }

  /** Not we may lead, so the other one does, and may be followed though it alone says so. */
  get defersToOther(): boolean {
    return this.#speaks && !this.#ask();
  }

  get #speaks(): boolean {
    return this.isNeeded && this.voters.size === ORACLE_VOTERS;
  }
}

/** Where the majority of the voters decides, and there is an `oraclePath`. */
export function withOracle(disk: Disk, oraclePath: string | undefined, membership: Membership): Membership {
  if (oraclePath === undefined || membership.groups !== undefined) return membership;
  return { ...membership, verifier: new OracleVerifier(membership.verifier, () => askOracle(disk, oraclePath)) };
}

/** The file's first character is `1`: this server may lead alone. A file that cannot be read says no. */
export function askOracle(disk: Disk, path: string): boolean {
  try {
    return disk.readFile(path)[0] === '1'.charCodeAt(0);
  } catch (error) {
    if (error instanceof DiskError) return false;
    throw error;
  }
}
