import type { SessionId, Zxid } from '../jute/ids.ts';
import type { PendingRequest } from './pending-request.ts';
import { Pipeline } from './pipeline.ts';
import { Preparer } from './prepare.ts';
import type { Role, RoleParts } from './role.ts';
import type { Session, Sessions } from './sessions.ts';
import { StandaloneAgreement } from './standalone-agreement.ts';

/** A server without others: what its own log holds is agreed. */
export class StandaloneRole implements Role {
  readonly mode = 'standalone';
  readonly preparer: Preparer;
  readonly #pipeline: Pipeline;
  readonly #sessions: Sessions;

  constructor(parts: RoleParts, lastZxid: Zxid) {
    const { clock, config, files, applier, metrics, sessions, snapshotSubject } = parts;
    this.#sessions = sessions;
    this.preparer = new Preparer({ ...parts, lastZxid });
    applier.onApplied = (proposal) => this.preparer.applied(proposal);
    this.#pipeline = new Pipeline({
      sessions,
      preparer: this.preparer,
      agreement: new StandaloneAgreement({
        clock,
        metrics,
        flushDelayMs: config.flushDelayMs,
        maxBatchSize: config.maxBatchSize,
        listener: applier,
        log: {
          append: (record) => {
            if (files.append(record)) files.startSnapshot(snapshotSubject);
          },
          flush: (done) => files.log.flush(done),
          close: (done) => files.close(done),
        },
      }),
    });
  }

  get pendingCount(): number {
    return this.#pipeline.pendingCount;
  }

  submit(request: PendingRequest): void {
    this.#pipeline.submit(request);
  }

  expireSession(id: SessionId): void {
    this.#pipeline.expireSession(id);
  }

  deleteContainer(path: string): void {
    this.#pipeline.deleteContainer(path);
  }

  revalidate(id: SessionId, timeoutMs: number, answer: (session: Session | undefined) => void): void {
    answer(this.#sessions.resume(id, timeoutMs));
  }

  close(): Promise<void> {
    return this.#pipeline.close();
  }
}
