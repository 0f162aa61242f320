import { assert } from '../../base/assert.ts';
import { ErrorCode } from '../jute/errors.ts';
import type { SessionId } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { PendingRequest } from '../server/pending-request.ts';
import type { Role, RoleParts } from '../server/role.ts';
import type { Session } from '../server/sessions.ts';
import { type ApplyResult, NO_NODE } from '../tree/data-tree.ts';

const refusal: ApplyResult = {
  type: OpCode.error,
  err: ErrorCode.NOTREADONLY,
  path: undefined,
  node: NO_NODE,
  stat: undefined,
  results: undefined,
};

/** A server that has no leader: it answers from what it has, and agrees on nothing (ReadOnlyZooKeeperServer). */
export class ReadOnlyRole implements Role {
  readonly mode = 'read-only';
  readonly preparer = undefined;
  readonly pendingCount = 0;
  readonly #parts: RoleParts;

  constructor(parts: RoleParts) {
    this.#parts = parts;
  }

  submit(request: PendingRequest): void {
    request.requester.completed(request, refusal);
  }

  expireSession(id: SessionId): void {
    assert(false, 'sessions end where transactions are made', id);
  }

  deleteContainer(path: string): void {
    assert(false, 'containers go where transactions are made', path);
  }

  /** One that we have not heard of. With local sessions we would know it; without, as Apache's, we take the client's word. */
  revalidate(id: SessionId, timeoutMs: number, answer: (session: Session | undefined) => void): void {
    const { config, sessions } = this.#parts;
    answer(config.localSessionsEnabled ? undefined : sessions.add(id, timeoutMs));
  }

  async close(): Promise<void> {
    // Nothing is being written.
  }
}
