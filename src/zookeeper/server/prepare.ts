import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { MalformedError } from '../../wire/errors.ts';
import type { Id } from '../jute/data.ts';
import { ErrorCode } from '../jute/errors.ts';
import type { SessionId, Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { Txn } from '../jute/txn.ts';
import type { AclSchemes } from '../tree/acl.ts';
import type { DataTree } from '../tree/data-tree.ts';
import type { Proposal } from './agreement.ts';
import { type ChangeRequest, readChange, readMulti } from './change-requests.ts';
import type { ServerMetrics } from './metrics/server-metrics.ts';
import { OutstandingChanges } from './outstanding-changes.ts';
import type { PendingRequest } from './pending-request.ts';
import { type ChangeContext, NodeChanges, type Prepared } from './prepare-nodes.ts';
import { QuotaCheck } from './quota-check.ts';
import { type Reconfigure, readReconfig } from './reconfig.ts';
import type { RequestCursor } from './request-cursor.ts';
import type { SessionScope } from './sessions.ts';

export interface PreparerOptions {
  readonly tree: DataTree;
  readonly clock: Clock;
  readonly log: Log;
  readonly config: ZooCfg;
  readonly schemes: AclSchemes;
  readonly cursor: RequestCursor;
  readonly metrics: ServerMetrics;
  /** The newest zxid given out; the next one follows it. */
  readonly lastZxid: Zxid;
  /** Of a leader. Undefined where there is no membership to be changed. */
  readonly reconfigure?: Reconfigure;
}

const nobody: readonly Id[] = [];

/**
 * Turns a request into a transaction: what it will do, decided once, by whoever serialises (a standalone server, a leader). One
 * that fails becomes an error transaction, which takes a zxid like any other (PrepRequestProcessor).
 */
export class Preparer {
  readonly #clock: Clock;
  readonly #changes: OutstandingChanges;
  readonly #nodes: NodeChanges;
  readonly #cursor: RequestCursor;
  readonly #metrics: ServerMetrics;
  readonly #reconfigEnabled: boolean;
  readonly #reconfigure: Reconfigure | undefined;
  #lastZxid: Zxid;

  constructor(options: PreparerOptions) {
    const { tree, clock, config, schemes, cursor, metrics, lastZxid, reconfigure } = options;
    this.#clock = clock;
    this.#changes = new OutstandingChanges(tree, metrics);
    const quotas = config.enforceQuota ? new QuotaCheck({ ...options, changes: this.#changes }) : undefined;
    this.#nodes = new NodeChanges(this.#changes, config, schemes, quotas);
    this.#cursor = cursor;
    this.#metrics = metrics;
    this.#lastZxid = lastZxid;
    this.#reconfigEnabled = config.reconfigEnabled;
    this.#reconfigure = reconfigure;
  }

  get lastZxid(): Zxid {
    return this.#lastZxid;
  }

  /** The tree holds another content now, nothing is outstanding: the next zxid follows this one. */
  treeReplaced(zxid: Zxid): void {
    this.#lastZxid = zxid;
  }

  prepare(request: PendingRequest): Proposal {
    if (request.type === OpCode.sync) {
      this.#metrics.prepared.add();
      return { txn: undefined, changeCount: 0, request };
    }
    const { session, ids, type } = request;
    const context = this.#begin(session.id, ids, session.scope);
    if (type === OpCode.createSession || type === OpCode.closeSession) {
      const txn: Txn =
        type === OpCode.createSession ? { type, timeOut: session.timeoutMs } : this.#closeSession(context);
      return this.#end(context, request.xid, txn, request);
    }
    const fault = type === OpCode.reconfig && !this.#reconfigEnabled ? 0 : sessionFault(request);
    return this.#end(context, request.xid, fault || this.#decide(context, request), request);
  }

  /** A container or a node whose time is over. */
  prepareDeleteContainer(path: string): Proposal {
    const context = this.#begin(0n as SessionId, nobody);
    return this.#end(context, 0, this.#nodes.deleteContainer(context, path), undefined);
  }

  /** The end of a session that went silent: cxid 0, nobody waits. */
  prepareExpiry(sessionId: SessionId): Proposal {
    const context = this.#begin(sessionId, nobody);
    return this.#end(context, 0, this.#closeSession(context), undefined);
  }

  /** The tree has it now. */
  applied(proposal: Proposal): void {
    this.#changes.applied(proposal.changeCount);
  }

  #closeSession(context: ChangeContext): Txn {
    const startMs = this.#clock.monotonicMs();
    const txn = this.#nodes.closeSession(context);
    this.#metrics.closeSessionPrepTime.add(Math.floor(this.#clock.monotonicMs() - startMs));
    return txn;
  }

  #begin(sessionId: SessionId, ids: readonly Id[], scope: SessionScope = 'global'): ChangeContext {
    this.#metrics.prepared.add();
    this.#lastZxid = (this.#lastZxid + 1n) as Zxid;
    this.#changes.begin();
    return { sessionId, scope, ids, zxid: this.#lastZxid, timeMs: this.#clock.wallMs() };
  }

  #end(context: ChangeContext, cxid: number, prepared: Prepared, request: PendingRequest | undefined): Proposal {
    const failed = typeof prepared === 'number';
    const txn: Txn = failed ? { type: OpCode.error, err: prepared } : prepared;
    return {
      txn: {
        header: { clientId: context.sessionId, cxid, zxid: context.zxid, time: context.timeMs, type: txn.type },
        txn,
        digest: failed ? null : this.#changes.digest(),
      },
      changeCount: this.#changes.end(),
      request,
    };
  }

  #decide(context: ChangeContext, request: PendingRequest): Prepared {
    try {
      const from = this.#cursor.open(request.frame, 8);
      if (request.type === OpCode.reconfig) return this.#prepareReconfig(context, from);
      return request.type === OpCode.multi
        ? this.#prepareMulti(context, readMulti(from))
        : this.#nodes.prepare(context, readChange(request.type, from));
    } catch (error) {
      // Apache answers so too; its error transaction repeats the last zxid, ours has one of its own.
      if (error instanceof MalformedError) return ErrorCode.MARSHALLINGERROR;
      throw error;
    }
  }

  /** It must be readable in any case. @throws MalformedError */
  #prepareReconfig(context: ChangeContext, from: RequestCursor): Prepared {
    const asked = readReconfig(from);
    if (!this.#reconfigEnabled) return ErrorCode.RECONFIGDISABLED;
    if (this.#reconfigure === undefined) return ErrorCode.UNIMPLEMENTED;
    const next = this.#reconfigure(asked, context.zxid);
    if (typeof next === 'number') return next;
    const prepared = this.#nodes.setConfig(context, Buffer.from(next.text));
    if (typeof prepared !== 'number') next.proposed();
    return prepared;
  }

  /** All or nothing: after the first that fails the rest is not tried, and what came before is undone. */
  #prepareMulti(context: ChangeContext, operations: readonly ChangeRequest[]): Txn {
    const txns: Txn[] = [];
    let failed = false;
    this.#changes.keepForUndo();
    for (const operation of operations) {
      const prepared = failed ? ErrorCode.RUNTIMEINCONSISTENCY : this.#nodes.prepare(context, operation);
      if (typeof prepared !== 'number') {
        txns.push(prepared);
        continue;
      }
      if (!failed) this.#changes.undo();
      failed = true;
      txns.push({ type: OpCode.error, err: prepared });
    }
    return { type: OpCode.multi, txns };
  }
}

/** What a session may not do any more, 0 if it may. */
function sessionFault({ session, requester }: PendingRequest): ErrorCode | 0 {
  if (session.closing) return ErrorCode.SESSIONEXPIRED;
  return session.owner === requester ? 0 : ErrorCode.SESSIONMOVED;
}
