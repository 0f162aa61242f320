import { MalformedError } from '../../wire/errors.ts';
import type { Reader } from '../../wire/reader.ts';
import type { ACL } from '../jute/data.ts';
import { OpCode } from '../jute/op-codes.ts';
import { CheckVersionRequest, CreateTTLRequest, DeleteRequest, MultiHeader, SetACLRequest } from '../jute/proto.ts';
import { OPEN_ACL_UNSAFE, Perms } from '../tree/acl.ts';

export interface CreateChange {
  readonly type: typeof OpCode.create | typeof OpCode.create2 | typeof OpCode.createContainer | typeof OpCode.createTTL;
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: readonly ACL[] | null;
  readonly flags: number;
  /** Milliseconds; -1 where the request has none. */
  readonly ttl: number;
}

/** What a client asks to change. Data is a view into the frame. */
export type ChangeRequest =
  | CreateChange
  | { readonly type: typeof OpCode.delete; readonly path: string; readonly version: number }
  | {
      readonly type: typeof OpCode.setData;
      readonly path: string;
      readonly data: Uint8Array | null;
      readonly version: number;
    }
  | {
      readonly type: typeof OpCode.setACL;
      readonly path: string;
      readonly acl: readonly ACL[] | null;
      readonly version: number;
    }
  | { readonly type: typeof OpCode.check; readonly path: string; readonly version: number };

/** @throws MalformedError */
export function readChange(type: number, from: Reader): ChangeRequest {
  switch (type) {
    case OpCode.setData: {
      const path = readText(from);
      const data = readBuffer(from);
      return { type, path, data, version: from.int32() };
    }
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer: {
      const path = readText(from);
      const data = readBuffer(from);
      const acl = readAclList(from);
      return { type, path, data, acl, flags: from.int32(), ttl: -1 };
    }
    case OpCode.createTTL:
      return { type, ...CreateTTLRequest.read(from) };
    case OpCode.delete:
      return { type, ...DeleteRequest.read(from) };
    case OpCode.setACL:
      return { type, ...SetACLRequest.read(from) };
    case OpCode.check:
      return { type, ...CheckVersionRequest.read(from) };
    default:
      throw new MalformedError(`no change has type ${type}`);
  }
}

/** All operations of a multi: it must be readable to its end before the first is tried. @throws MalformedError */
export function readMulti(from: Reader): ChangeRequest[] {
  const operations: ChangeRequest[] = [];
  for (;;) {
    const header = MultiHeader.read(from);
    if (header.done) return operations;
    if (header.type === OpCode.setACL) throw new MalformedError('setACL inside a multi');
    operations.push(readChange(header.type, from));
  }
}

/** Null is refused: no request can do without its path, no entry without its id. */
export function readText(from: Reader): string {
  const size = from.int32();
  if (size < 0) throw new MalformedError('a null string');
  return from.utf8(size);
}

/** A view into the frame. */
function readBuffer(from: Reader): Uint8Array | null {
  const size = from.int32();
  return size < 0 ? null : from.bytes(size);
}

function readAclList(from: Reader): readonly ACL[] | null {
  const count = from.int32();
  if (count < 0) return null;
  // An entry takes twelve bytes at least.
  if (count > from.remaining / 12) throw new MalformedError(`${count} ACL entries in ${from.remaining} bytes`);
  const acl: ACL[] = [];
  for (let index = 0; index < count; index += 1) {
    const perms = from.int32();
    const scheme = readText(from);
    const id = readText(from);
    // Nearly every create carries this one list: then it is the same object everywhere.
    if (count === 1 && perms === Perms.ALL && scheme === 'world' && id === 'anyone') return OPEN_ACL_UNSAFE;
    acl.push({ perms, id: { scheme, id } });
  }
  return acl;
}
