import type { ErrorCode } from '../jute/errors.ts';
import type { Zxid } from '../jute/ids.ts';
import type { ReconfigRequest } from '../jute/proto.ts';
import type { RequestCursor } from './request-cursor.ts';

/** A membership that the ensemble may take. */
export interface NextMembership {
  /** The data of the transaction. */
  readonly text: string;
  /** The client may change it: the transaction follows. */
  proposed(): void;
}

/**
 * What a leader knows and others do not: whether the ensemble may become another one, or the error that says why not.
 *
 * @param zxid of the transaction
 */
export type Reconfigure = (request: ReconfigRequest, zxid: Zxid) => NextMembership | ErrorCode;

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
