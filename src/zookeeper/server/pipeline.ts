import type { SessionId } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { Agreement } from './agreement.ts';
import type { PendingRequest } from './pending-request.ts';
import type { Preparer } from './prepare.ts';
import type { Sessions } from './sessions.ts';

export interface PipelineOptions {
  readonly sessions: Sessions;
  readonly preparer: Preparer;
  /** With the server's own log, or with a quorum: where servers that make transactions differ. */
  readonly agreement: Agreement;
}

/** The life of a write where transactions are made, on a standalone server and on a leader: prepare, agree; then it is applied. */
export class Pipeline {
  readonly #options: PipelineOptions;

  constructor(options: PipelineOptions) {
    this.#options = options;
  }

  submit(request: PendingRequest): void {
    const { agreement, preparer, sessions } = this.#options;
    agreement.propose(preparer.prepare(request));
    if (request.type === OpCode.closeSession) sessions.markClosing(request.session);
  }

  /** The session went silent (it is closing already). */
  expireSession(id: SessionId): void {
    this.#options.agreement.propose(this.#options.preparer.prepareExpiry(id));
  }

  deleteContainer(path: string): void {
    this.#options.agreement.propose(this.#options.preparer.prepareDeleteContainer(path));
  }

  /** Proposed and not yet applied. */
  get pendingCount(): number {
    return this.#options.agreement.pendingCount;
  }

  close(): Promise<void> {
    return this.#options.agreement.close();
  }
}
