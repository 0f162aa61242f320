import { noSlices } from '../../base/slices.ts';
import { MalformedError } from '../../wire/errors.ts';
import { isEphemeral } from '../jute/create-mode.ts';
import { printHex } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import { type ChangeRequest, readChange, readMulti } from '../server/change-requests.ts';
import type { PendingRequest, Requester } from '../server/pending-request.ts';
import type { RoleParts } from '../server/role.ts';

export interface SessionUpgradesOptions {
  readonly parts: RoleParts;
  /** Takes a request on its way to a transaction. */
  readonly take: (request: PendingRequest) => void;
  /** Takes one that the session may not make: `localSessionsUpgradingEnabled` is off. */
  readonly refuse: (request: PendingRequest) => void;
}

const HEADER_BYTES = 8;
/** The client does not know that its session changes. */
const nobody: Requester = { completed: () => undefined };

/**
 * Makes a local session global when its client creates an ephemeral node: other servers must know whose it is
 * (QuorumZooKeeperServer.checkUpgradeSession).
 */
export class SessionUpgrades {
  readonly #options: SessionUpgradesOptions;

  constructor(options: SessionUpgradesOptions) {
    this.#options = options;
  }

  submit(request: PendingRequest): void {
    const { parts, take, refuse } = this.#options;
    if (request.session.scope !== 'local' || !this.#makesEphemerals(request)) take(request);
    else if (parts.config.localSessionsUpgradingEnabled) {
      this.#upgrade(request);
      take(request);
    } else refuse(request);
  }

  #upgrade({ session, receivedMs }: PendingRequest): void {
    const { parts, take } = this.#options;
    parts.log.info(`Upgrading session ${printHex(session.id)}`);
    parts.sessions.makeGlobal(session);
    const type = OpCode.createSession;
    take({ requester: nobody, session, xid: 0, type, frame: noSlices, ids: [], receivedMs });
  }

  #makesEphemerals({ type, frame }: PendingRequest): boolean {
    if (type !== OpCode.create && type !== OpCode.create2 && type !== OpCode.multi) return false;
    const from = this.#options.parts.cursor.open(frame, HEADER_BYTES);
    try {
      return type === OpCode.multi
        ? readMulti(from).some(isEphemeralCreation)
        : isEphemeralCreation(readChange(type, from));
    } catch (error) {
      // It will be refused in its turn.
      if (error instanceof MalformedError) return false;
      throw error;
    }
  }
}

function isEphemeralCreation(change: ChangeRequest): boolean {
  return 'flags' in change && isEphemeral(change.flags);
}
