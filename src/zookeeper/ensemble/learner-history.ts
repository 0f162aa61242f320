import { ConfigError } from '../../config/config-error.ts';
import { MalformedError } from '../../wire/errors.ts';
import { printHex, type Zxid } from '../jute/ids.ts';
import { type CommittedProposal, replayTxn } from '../persistence/recovery.ts';
import type { LoadedSnapshot } from '../persistence/snapshot-body.ts';
import { SnapshotStreamReader } from '../persistence/snapshot-stream.ts';
import type { LearnerStartEffect } from '../quorum/learner-start.ts';
import { type Membership, parseMembership } from '../quorum/membership.ts';
import { treeOptionsOf } from '../server/restore.ts';
import { DataTree } from '../tree/data-tree.ts';
import { recordOf } from './database.ts';
import type { TermHost } from './term.ts';

type AdoptHistory = Extract<LearnerStartEffect, { readonly kind: 'adoptHistory' }>;

/** How a leader's history becomes a learner's: what was received waits in memory until all of it is on the disk. */
export class LearnerHistory {
  readonly #host: TermHost;
  /** A leader's database, until it is on our disk. */
  #received: LoadedSnapshot | undefined;

  constructor(host: TermHost) {
    this.#host = host;
  }

  /** It begins with nothing. */
  receiveNothing(): void {
    const { config, memberships, runtime } = this.#host;
    const { text, version } = memberships.current;
    const tree = DataTree.create(treeOptionsOf(config));
    tree.setConfig(Buffer.from(text), version as Zxid, runtime.clock.wallMs());
    this.#received = { tree, sessions: new Map(), lastProcessedZxid: undefined, writtenUntil: tree.lastProcessedZxid };
  }

  /** For `PeerLink.receiveRaw`: the database comes as a whole. */
  receive(zxid: Zxid, done: () => void): (chunk: Uint8Array) => Uint8Array | undefined {
    const reader = new SnapshotStreamReader(zxid, treeOptionsOf(this.#host.config));
    this.#host.log.info('getting a snapshot from the leader', { zxid: printHex(zxid) });
    return (chunk) => {
      const rest = reader.push(chunk);
      if (rest === undefined) return undefined;
      this.#received = reader.loaded;
      done();
      return rest;
    };
  }

  /** Into what was received. */
  apply({ bytes }: CommittedProposal): void {
    const { tree, sessions } = this.#received as LoadedSnapshot;
    replayTxn(recordOf(bytes), tree, sessions);
  }

  /** Durable when it resolves; why that is not enough, if it is not. */
  async truncate(zxid: Zxid): Promise<string | undefined> {
    const last = await this.#host.database.truncate(zxid);
    if (last === zxid) return undefined;
    if (last === undefined) {
      return `the log cannot be truncated to ${printHex(zxid)}, no older snapshot is whole: asking for everything`;
    }
    return `the log has no ${printHex(zxid)} and ends at ${printHex(last)}: asking from there`;
  }

  /**
   * As the effect says. Durable when it resolves.
   * @param logs false where no log is kept
   */
  async adopt({ epoch, proposals, config }: AdoptHistory, logs: boolean): Promise<void> {
    const { database, memberships } = this.#host;
    const membership = this.membershipOf(config);
    if (membership !== undefined) await memberships.saw(membership);
    if (this.#received !== undefined) await database.install(this.#received);
    this.#received = undefined;
    this.#host.keepMembership();
    await database.adopt(proposals, logs);
    await database.beginEpoch(epoch);
  }

  /**
   * Of NEWLEADER. Undefined where memberships do not change, and for what cannot be read: as Apache we go on with our own.
   */
  membershipOf(config: Uint8Array | null): Membership | undefined {
    if (!this.#host.config.reconfigEnabled || config === null || config.length <= 1) return undefined;
    try {
      return this.membershipIn(Buffer.from(config).toString());
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      this.#host.log.warn('the leader has another idea of memberships', { reason: error.message });
      return undefined;
    }
  }

  /** @throws MalformedError */
  membershipIn(text: string): Membership {
    try {
      return parseMembership(text, this.#host.config);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      throw new MalformedError(`a membership that cannot be read: ${error.message}`);
    }
  }
}
