import { NetworkError } from '../../runtime/network.ts';

import type { CommittedProposal } from '../persistence/recovery.ts';
import type { CommittedZxid } from '../quorum/learner-start.ts';
import type { PeerLink } from '../quorum/peer-link.ts';
import type { QuorumPacket } from '../quorum/quorum-packet.ts';
import type { ServingServer } from '../server/serving-server.ts';
import type { Session } from '../server/sessions.ts';
import type { LearnerHandler } from './learner-handler.ts';
import type { LearnerHistory } from './learner-history.ts';
import { LearnerRole } from './learner-role.ts';
import { ObserverMaster } from './observer-master.ts';
import type { TermHost } from './term.ts';

export interface LearnerServiceOptions {
  readonly host: TermHost;
  readonly state: 'FOLLOWING' | 'OBSERVING';
  readonly link: PeerLink;
  readonly history: LearnerHistory;
  /** Whether what the leader proposes goes into a log. */
  readonly logs: boolean;
  readonly isOver: () => boolean;
  readonly end: (reason: string) => void;
  readonly failed: (error: unknown) => void;
}

/** What a learner has the leader's history for: it serves clients, and a follower observers. */
export class LearnerService {
  readonly #options: LearnerServiceOptions;
  #server: ServingServer | undefined;
  #role: LearnerRole | undefined;
  #observerMaster: ObserverMaster | undefined;
  /** Sessions that were heard since the last ping. */
  #touched = new Set<Session>();

  constructor(options: LearnerServiceOptions) {
    this.#options = options;
  }

  get server(): ServingServer | undefined {
    return this.#server;
  }

  /** Observers under us. */
  get observers(): Iterable<LearnerHandler> {
    return this.#observerMaster?.observers ?? [];
  }

  /** Whether the leader's packets are for its role now. */
  get isOpen(): boolean {
    return this.#role !== undefined;
  }

  received(packet: QuorumPacket): void {
    this.#role?.received(packet);
  }

  /** Takes clients. */
  async open(): Promise<void> {
    const { host, state, link, history, logs, end, failed } = this.#options;
    this.#server = await host.serve(
      (parts) => {
        this.#role = new LearnerRole(parts, {
          mode: state === 'OBSERVING' ? 'observer' : 'follower',
          link,
          database: host.database,
          logs,
          takeTouched: () => this.#takeTouched(),
          saw: async (text) => {
            await host.memberships.saw(history.membershipIn(text));
          },
          activate: async (text, designated, zxid) =>
            host.activate(history.membershipIn(text), { leader: designated, zxid }),
          reconfigured: () => end('the membership has changed'),
          failed,
        });
        return this.#role;
      },
      (session) => this.#touched.add(session),
    );
  }

  /** With what came behind the history. Then observers may come. */
  async begin(
    epoch: number,
    proposals: readonly CommittedProposal[],
    committed: readonly CommittedZxid[],
  ): Promise<void> {
    await this.#role?.begin(proposals, committed);
    await this.#takeObservers(epoch);
  }

  /** What was committed and not applied is in the database then. */
  async close(): Promise<void> {
    await this.#observerMaster?.close();
    await this.#server?.close();
    const { database } = this.#options.host;
    for (const proposal of this.#role?.unapplied ?? []) database.replay(proposal);
  }

  async #takeObservers(epoch: number): Promise<void> {
    const { host, state, isOver } = this.#options;
    const { observerMasterPort: port } = host.config;
    if (state !== 'FOLLOWING' || port === undefined || isOver() || this.#role === undefined) return;
    this.#observerMaster = new ObserverMaster({ host, port, epoch, role: this.#role });
    try {
      await this.#observerMaster.start();
    } catch (error) {
      // Apache's follower gives up following then.
      if (!(error instanceof NetworkError)) throw error;
      host.log.error('no observers can come to this follower', { port, error: error.message });
    }
  }

  #takeTouched(): Iterable<Session> {
    const touched = this.#touched;
    this.#touched = new Set();
    return touched;
  }
}
