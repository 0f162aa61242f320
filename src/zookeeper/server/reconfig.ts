import type { Zxid } from '../jute/ids.ts';
import type { ReconfigRequest } from '../jute/proto.ts';
import type { Membership } from '../quorum/membership.ts';
import type { Reconfiguration } from '../quorum/reconfiguration.ts';
import type { RequestCursor } from './request-cursor.ts';

/** What a leader knows and others do not: whether the ensemble may become another one. */
export interface Reconfiguring {
  /** @param zxid of the transaction */
  next(request: ReconfigRequest, zxid: Zxid): Reconfiguration;
  /** The client may change it: the transaction follows. */
  proposed(membership: Membership): void;
}

/** @throws MalformedError */
export function readReconfig(from: RequestCursor): ReconfigRequest {
  const joiningServers = textOf(from);
  const leavingServers = textOf(from);
  const newMembers = textOf(from);
  const high = BigInt(from.int32());
  const low = BigInt(from.int32() >>> 0);
  return {
    joiningServers,
    leavingServers,
    newMembers,
    curConfigId: ((high << 32n) | low) as ReconfigRequest['curConfigId'],
  };
}

function textOf(from: RequestCursor): string | null {
  const bytes = from.buffer();
  return bytes === null ? null : Buffer.from(bytes).toString();
}
