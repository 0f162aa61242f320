import type { Log } from '../../runtime/log.ts';
import type { DynamicConfigFiles, StoredMembership } from './dynamic-config.ts';
import type { Membership } from './membership.ts';
import type { QuorumVerifier, ServerId } from './quorum-verifier.ts';

export interface MembershipsOptions {
  readonly self: ServerId;
  readonly stored: StoredMembership;
  /** `reconfigEnabled`; without it the first membership is the only one. */
  readonly isDynamic: boolean;
  /** Undefined where there is no configuration file: nothing outlives the process then. */
  readonly files: DynamicConfigFiles | undefined;
  readonly log: Log;
  /** Who else has a say in it, an oracle. Default: nobody. */
  readonly decided?: (membership: Membership) => Membership;
  /** Other servers decide than before, or the text is another one. */
  readonly changed: () => void;
}

type Verifiers = readonly [QuorumVerifier, ...QuorumVerifier[]];

/**
 * What a member knows of its ensemble: the membership in force, and the one that was proposed last (QuorumPeer's quorumVerifier and
 * lastSeenQuorumVerifier). Both change at once; what is awaited is that the files say so too. As with Apache a file that cannot be
 * written is logged, and no more.
 */
export class Memberships {
  readonly #options: MembershipsOptions;
  #current: Membership;
  /** Newer than the current one. */
  #pending: Membership | undefined;
  #verifiers: Verifiers;
  #written: Promise<void> = Promise.resolve();

  constructor(options: MembershipsOptions) {
    const { stored, isDynamic } = options;
    this.#options = options;
    this.#current = this.#decided(stored.current);
    this.#pending = isDynamic ? newerThan(stored.current, stored.next && this.#decided(stored.next)) : undefined;
    this.#verifiers = this.#decideOver();
  }

  get current(): Membership {
    return this.#current;
  }

  get lastSeen(): Membership {
    return this.#pending ?? this.#current;
  }

  /** All of them have to agree: two while a membership is being replaced. The same array while they are the same. */
  get verifiers(): Verifiers {
    return this.#verifiers;
  }

  /** It was proposed, perhaps in place of one that came to nothing. Resolves when that is on the disk. */
  saw(membership: Membership): Promise<void> {
    const { isDynamic, files } = this.#options;
    if (!isDynamic || membership.version === this.lastSeen.version) return this.#written;
    this.#become(this.#current, this.#decided(membership));
    return this.#write((done) => files?.writeNext(membership, done));
  }

  /** It is in force, unless it is an older one: then this is false. `written` tells when that is on the disk. */
  activate(membership: Membership): boolean {
    const { isDynamic, files, self } = this.#options;
    if (!isDynamic || membership.version <= this.#current.version) return false;
    this.#become(this.#decided(membership), this.#pending);
    this.#write((done) => files?.activate(membership, self, done));
    return true;
  }

  /** All that was said here before is on the disk when it resolves. */
  get written(): Promise<void> {
    return this.#written;
  }

  #decided(membership: Membership): Membership {
    return this.#options.decided?.(membership) ?? membership;
  }

  #become(current: Membership, pending: Membership | undefined): void {
    this.#current = current;
    this.#pending = newerThan(current, pending);
    this.#verifiers = this.#decideOver();
    this.#options.changed();
  }

  #decideOver(): Verifiers {
    return this.#pending === undefined ? [this.#current.verifier] : [this.#current.verifier, this.#pending.verifier];
  }

  #write(begin: (done: (error?: Error) => void) => void): Promise<void> {
    if (this.#options.files === undefined) return this.#written;
    this.#written = new Promise((resolve) => {
      begin((error) => {
        if (error !== undefined) {
          this.#options.log.error('the membership could not be written', { error: error.message });
        }
        resolve();
      });
    });
    return this.#written;
  }
}

/** The same servers in the same roles, whatever the version. */
export function hasSameServers(one: Membership, other: Membership): boolean {
  return withoutVersion(one) === withoutVersion(other);
}

function withoutVersion({ text }: Membership): string {
  return text.slice(0, text.lastIndexOf('\n')).split('\n').sort().join('\n');
}

function newerThan(current: Membership, other: Membership | undefined): Membership | undefined {
  return other !== undefined && other.version > current.version ? other : undefined;
}
