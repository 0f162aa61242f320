import type { Clock } from '../../runtime/clock.ts';
import type { SessionId } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { DataTree } from '../tree/data-tree.ts';
import type { AgreementListener, Proposal } from './agreement.ts';
import { type AuditLog, nothingDoomed } from './audit/audit-log.ts';
import type { ServerMetrics } from './metrics/server-metrics.ts';
import type { Session, Sessions } from './sessions.ts';

/** What applying tells the connections. */
export interface ApplyListener {
  groupBegins(): void;
  /** A group was applied: answers and events wait to be sent, and there may be room again. */
  groupApplied(): void;
  /** The session is gone; its connection, if there is one here, has nothing more to ask. */
  sessionClosed(session: Session): void;
  failed(error: unknown): void;
}

export interface ApplierOptions {
  readonly tree: DataTree;
  readonly sessions: Sessions;
  /** Sessions whose creation is applied, with their timeouts: what a snapshot holds. */
  readonly sessionTimeouts: Map<SessionId, number>;
  readonly clock: Clock;
  readonly metrics: ServerMetrics;
  readonly audit: AuditLog | undefined;
  readonly listener: ApplyListener;
}

/**
 * The end of a write's way, on every server alike: apply, watches, reply. The tree sends watch events while it applies, so they
 * are on their way before the reply of the change that caused them, and before any read that sees it.
 */
export class Applier implements AgreementListener {
  readonly #options: ApplierOptions;
  /** Hears of each transaction once the tree has it, before anybody is answered. */
  onApplied: ((proposal: Proposal) => void) | undefined;

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  committed(proposals: readonly Proposal[]): void {
    const { listener, clock } = this.#options;
    try {
      listener.groupBegins();
      const nowMs = clock.wallMs();
      for (const proposal of proposals) this.#apply(proposal, nowMs);
      listener.groupApplied();
    } catch (error) {
      listener.failed(error);
    }
  }

  failed(error: unknown): void {
    this.#options.listener.failed(error);
  }

  #apply(proposal: Proposal, nowMs: number): void {
    const { txn: record, request } = proposal;
    if (record === undefined) {
      request?.requester.completed(request, undefined);
      return;
    }
    const { tree, listener, metrics, audit } = this.#options;
    const { header, txn } = record;
    if (nowMs >= header.time) metrics.propagationLatency.add(nowMs - header.time);
    const doomed = audit?.doomedBy(tree, record) ?? nothingDoomed;
    const result = tree.apply(header, txn);
    audit?.applied(record, result, request, doomed);
    this.onApplied?.(proposal);
    if (txn.type === OpCode.createSession) this.#sessionCreated(header.clientId, txn.timeOut);
    const closed = txn.type === OpCode.closeSession ? this.#sessionClosed(header.clientId) : undefined;
    request?.requester.completed(request, result);
    if (closed !== undefined) listener.sessionClosed(closed);
  }

  #sessionCreated(id: SessionId, timeoutMs: number): void {
    const { sessions, sessionTimeouts } = this.#options;
    sessionTimeouts.set(id, timeoutMs);
    // Known already where the client is connected to this server.
    if (sessions.get(id) === undefined) sessions.add(id, timeoutMs);
  }

  #sessionClosed(id: SessionId): Session | undefined {
    this.#options.sessionTimeouts.delete(id);
    return this.#options.sessions.remove(id);
  }
}
