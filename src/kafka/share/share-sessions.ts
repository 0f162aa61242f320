import { ErrorCode, KafkaError } from '../protocol/errors.ts';

/**
 * Share sessions (KIP-932): what a member fetches, so that its requests name only what changes.
 *
 *   0   opens a session; takes no acknowledgements      n   the n-th request of a session      -1   the last one
 */
export const INITIAL_EPOCH = 0;
export const FINAL_EPOCH = -1;

export interface ShareTarget {
  readonly topicId: string;
  readonly partition: number;
}

export class ShareSession {
  readonly groupId: string;
  readonly memberId: string;
  readonly connectionId: string;
  epoch = 1;
  readonly #targets = new Map<string, ShareTarget>();

  constructor(groupId: string, memberId: string, connectionId: string) {
    this.groupId = groupId;
    this.memberId = memberId;
    this.connectionId = connectionId;
  }

  get size(): number {
    return this.#targets.size;
  }

  add(target: ShareTarget): void {
    this.#targets.set(idOf(target), target);
  }

  forget(target: ShareTarget): void {
    this.#targets.delete(idOf(target));
  }

  /** Each request begins with another partition, so that none starves. */
  targets(): ShareTarget[] {
    const all = [...this.#targets.values()];
    const first = all.length === 0 ? 0 : (this.epoch - 1) % all.length;
    return [...all.slice(first), ...all.slice(0, first)];
  }
}

export function idOf({ topicId, partition }: ShareTarget): string {
  return `${topicId}:${partition}`;
}

/** All sessions of a broker (`ShareSessionCache`). They end with their connection, and what they hold comes back. */
export class ShareSessions {
  readonly #sessions = new Map<string, ShareSession>();
  readonly #sessionsMax: number;

  /** @param sessionsMax `group.share.max.share.sessions` */
  constructor(sessionsMax: number) {
    this.#sessionsMax = sessionsMax;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** A new session in place of the member's old one. @throws KafkaError SHARE_SESSION_LIMIT_REACHED */
  open(groupId: string, memberId: string, connectionId: string): ShareSession {
    const key = keyOf(groupId, memberId);
    if (!this.#sessions.has(key) && this.#sessions.size >= this.#sessionsMax) {
      throw new KafkaError(ErrorCode.SHARE_SESSION_LIMIT_REACHED);
    }
    const session = new ShareSession(groupId, memberId, connectionId);
    this.#sessions.set(key, session);
    return session;
  }

  /**
   * The session of a request that continues or ends one.
   * @throws KafkaError SHARE_SESSION_NOT_FOUND, INVALID_SHARE_SESSION_EPOCH
   */
  resume(groupId: string, memberId: string, epoch: number): ShareSession {
    const session = this.#sessions.get(keyOf(groupId, memberId));
    if (session === undefined) throw new KafkaError(ErrorCode.SHARE_SESSION_NOT_FOUND);
    if (epoch === FINAL_EPOCH) return session;
    if (epoch !== session.epoch) throw new KafkaError(ErrorCode.INVALID_SHARE_SESSION_EPOCH);
    session.epoch = session.epoch === 0x7fffffff ? 1 : session.epoch + 1;
    return session;
  }

  end(session: ShareSession): void {
    const key = keyOf(session.groupId, session.memberId);
    if (this.#sessions.get(key) === session) this.#sessions.delete(key);
  }

  hasGroup(groupId: string): boolean {
    for (const session of this.#sessions.values()) if (session.groupId === groupId) return true;
    return false;
  }

  ofConnection(connectionId: string): ShareSession[] {
    return [...this.#sessions.values()].filter((session) => session.connectionId === connectionId);
  }
}

function keyOf(groupId: string, memberId: string): string {
  return JSON.stringify([groupId, memberId]);
}
