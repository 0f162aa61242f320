import { MalformedError } from '../../wire/errors.ts';
import { isContainer, isCreateMode, isTtl } from '../jute/create-mode.ts';
import type { ACL } from '../jute/data.ts';
import { OpCode } from '../jute/op-codes.ts';
import { OPEN_ACL_UNSAFE, Perms } from '../tree/acl.ts';
import type { RequestCursor } from './request-cursor.ts';

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
export function readChange(type: number, from: RequestCursor): ChangeRequest {
  switch (type) {
    case OpCode.setData: {
      const path = from.text();
      const data = from.buffer();
      return { type, path, data, version: from.int32() };
    }
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer: {
      const path = from.text();
      const data = from.buffer();
      const acl = readAclList(from);
      return { type, path, data, acl, flags: from.int32(), ttl: -1 };
    }
    case OpCode.createTTL: {
      const path = from.text();
      const data = from.buffer();
      const acl = readAclList(from);
      const flags = from.int32();
      return { type, path, data, acl, flags, ttl: from.int32() * 4_294_967_296 + (from.int32() >>> 0) };
    }
    case OpCode.setACL: {
      const path = from.text();
      const acl = readAclList(from);
      return { type, path, acl, version: from.int32() };
    }
    case OpCode.delete:
    case OpCode.check: {
      const path = from.text();
      return { type, path, version: from.int32() };
    }
    default:
      throw new MalformedError(`no change has type ${type}`);
  }
}

/** All operations of a multi: it must be readable to its end before the first is tried. @throws MalformedError */
export function readMulti(from: RequestCursor): ChangeRequest[] {
  const operations: ChangeRequest[] = [];
  for (;;) {
    // MultiHeader: type, done, err.
    const type = from.int32();
    const done = from.bool();
    from.int32();
    if (done) return operations;
    if (type === OpCode.setACL) throw new MalformedError('setACL inside a multi');
    const operation = readChange(type, from);
    operations.push('flags' in operation ? creationInMulti(operation) : operation);
  }
}

/**
 * Inside a multi the flags decide which kind of creation it is, where outside the opcode does (MultiOperationRecord, Op.create).
 * @throws MalformedError where no operation can be made of it
 */
function creationInMulti(request: CreateChange): CreateChange {
  const { type, flags } = request;
  if (type === OpCode.createTTL) {
    if (isTtl(flags)) return request;
    return { ...request, type: isContainer(flags) ? OpCode.createContainer : OpCode.create, ttl: -1 };
  }
  if (!isCreateMode(flags)) throw new MalformedError(`create mode ${flags}`);
  if (isTtl(flags)) throw new MalformedError('a mode with a time to live, and no time');
  if (request.acl === null) throw new MalformedError('no ACL');
  return isContainer(flags) ? { ...request, type: OpCode.createContainer } : request;
}

function readAclList(from: RequestCursor): readonly ACL[] | null {
  const count = from.int32();
  if (count < 0) return count === -1 ? null : [];
  // An entry takes twelve bytes at least.
  if (count > from.remaining / 12) throw new MalformedError(`${count} ACL entries in ${from.remaining} bytes`);
  const acl: ACL[] = [];
  for (let index = 0; index < count; index += 1) {
    const perms = from.int32();
    const scheme = from.nullableText() ?? '';
    // kazoo writes an empty id as null, and `auth` needs none. Apache fails on any other, and refuses an entry without scheme.
    const id = scheme === 'auth' || scheme === '' ? (from.nullableText() ?? '') : from.text();
    // Nearly every create carries this one list: then it is the same object everywhere.
    if (count === 1 && perms === Perms.ALL && scheme === 'world' && id === 'anyone') return OPEN_ACL_UNSAFE;
    acl.push({ perms, id: { scheme, id } });
  }
  return acl;
}
