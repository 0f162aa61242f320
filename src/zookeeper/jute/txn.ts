import { MalformedError } from '../../wire/errors.ts';
import { Reader } from '../../wire/reader.ts';
import { Writer } from '../../wire/writer.ts';
import { ACL } from './data.ts';
import { OpCode } from './op-codes.ts';
import {
  boolean,
  buffer,
  type InferRecord,
  int,
  long,
  longNumber,
  record,
  sessionId,
  ustring,
  ustrings,
  vector,
  zxid,
} from './record.ts';

// Module org.apache.zookeeper.txn. The numbers in the bodies are results, not requests: `version` is the version to store,
// `parentCVersion` the parent's stored cversion after the create (-1: the next one, in very old logs).

/** 32 bytes before each transaction, in logs and in proposals. */
export const TxnHeader = record('TxnHeader', {
  clientId: sessionId,
  cxid: int,
  zxid,
  /** Wall clock of the leader, milliseconds. */
  time: longNumber,
  type: int,
});
export type TxnHeader = InferRecord<typeof TxnHeader>;

/** The digest of the tree after the transaction. */
export const TxnDigest = record('TxnDigest', { version: int, treeDigest: long });
export type TxnDigest = InferRecord<typeof TxnDigest>;

export const CreateTxnV0 = record('CreateTxnV0', { path: ustring, data: buffer, acl: vector(ACL), ephemeral: boolean });
export const CreateTxn = record('CreateTxn', {
  path: ustring,
  data: buffer,
  acl: vector(ACL),
  ephemeral: boolean,
  parentCVersion: int,
});
export const CreateTTLTxn = record('CreateTTLTxn', {
  path: ustring,
  data: buffer,
  acl: vector(ACL),
  parentCVersion: int,
  /** Milliseconds. */
  ttl: longNumber,
});
export const CreateContainerTxn = record('CreateContainerTxn', {
  path: ustring,
  data: buffer,
  acl: vector(ACL),
  parentCVersion: int,
});
export const DeleteTxn = record('DeleteTxn', { path: ustring });
export const SetDataTxn = record('SetDataTxn', { path: ustring, data: buffer, version: int });
export const CheckVersionTxn = record('CheckVersionTxn', { path: ustring, version: int });
export const SetACLTxn = record('SetACLTxn', { path: ustring, acl: vector(ACL), version: int });
export const SetMaxChildrenTxn = record('SetMaxChildrenTxn', { path: ustring, max: int });
export const CreateSessionTxn = record('CreateSessionTxn', { timeOut: int });
export const CloseSessionTxn = record('CloseSessionTxn', { paths2Delete: ustrings });
export const ErrorTxn = record('ErrorTxn', { err: int });

type Tagged<T extends number, R> = { readonly type: T } & Readonly<InferRecord<R>>;

export type CreateTxn = Tagged<typeof OpCode.create | typeof OpCode.create2, typeof CreateTxn>;
export type CreateTTLTxn = Tagged<typeof OpCode.createTTL, typeof CreateTTLTxn>;
export type CreateContainerTxn = Tagged<typeof OpCode.createContainer, typeof CreateContainerTxn>;
export type DeleteTxn = Tagged<typeof OpCode.delete | typeof OpCode.deleteContainer, typeof DeleteTxn>;
/** A reconfiguration stores its text in `/zookeeper/config`. */
export type SetDataTxn = Tagged<typeof OpCode.setData | typeof OpCode.reconfig, typeof SetDataTxn>;
export type CheckVersionTxn = Tagged<typeof OpCode.check, typeof CheckVersionTxn>;
export type SetACLTxn = Tagged<typeof OpCode.setACL, typeof SetACLTxn>;
export type CreateSessionTxn = Tagged<typeof OpCode.createSession, typeof CreateSessionTxn>;
/** `paths2Delete` null: the body is empty (before 3.6), the session's ephemerals are those that the tree then holds. */
export type CloseSessionTxn = Tagged<typeof OpCode.closeSession, typeof CloseSessionTxn>;
export type ErrorTxn = Tagged<typeof OpCode.error, typeof ErrorTxn>;
/** Failed if one of them is an error; nothing is applied then. */
export type MultiTxn = { readonly type: typeof OpCode.multi; readonly txns: readonly Txn[] };

export type Txn =
  | CreateTxn
  | CreateTTLTxn
  | CreateContainerTxn
  | DeleteTxn
  | SetDataTxn
  | CheckVersionTxn
  | SetACLTxn
  | CreateSessionTxn
  | CloseSessionTxn
  | ErrorTxn
  | MultiTxn;

/** What a log entry and a proposal hold. */
export interface TxnRecord {
  readonly header: TxnHeader;
  readonly txn: Txn;
  /** Null: the writer had no digest (before 3.6, error transactions, feature off). */
  readonly digest: TxnDigest | null;
}

/**
 * Header, body and digest to the end of the reader. Byte strings are views: copy what outlives the frame.
 * @throws MalformedError
 */
export function readTxnRecord(from: Reader): TxnRecord {
  const header = TxnHeader.read(from);
  if (header.type === OpCode.closeSession && from.remaining === 12)
    return readShortCloseSession(header, from.bytes(12));
  const txn = readTxn(from, header.type);
  const digest = from.remaining >= 12 ? TxnDigest.read(from) : null;
  return { header, txn, digest };
}

export function writeTxnRecord(to: Writer, header: TxnHeader, txn: Txn, digest: TxnDigest | null): void {
  TxnHeader.write(to, header);
  writeTxn(to, txn);
  if (digest !== null) TxnDigest.write(to, digest);
}

/** @throws MalformedError for an unknown type too: its body's length is unknown */
export function readTxn(from: Reader, type: number): Txn {
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
      return tagged<CreateTxn>(type, readCreateTxn(from));
    case OpCode.createTTL:
      return tagged<CreateTTLTxn>(type, CreateTTLTxn.read(from));
    case OpCode.createContainer:
      return tagged<CreateContainerTxn>(type, CreateContainerTxn.read(from));
    case OpCode.delete:
    case OpCode.deleteContainer:
      return tagged<DeleteTxn>(type, DeleteTxn.read(from));
    case OpCode.setData:
    case OpCode.reconfig:
      return tagged<SetDataTxn>(type, SetDataTxn.read(from));
    case OpCode.check:
      return tagged<CheckVersionTxn>(type, CheckVersionTxn.read(from));
    case OpCode.setACL:
      return tagged<SetACLTxn>(type, SetACLTxn.read(from));
    case OpCode.createSession:
      return tagged<CreateSessionTxn>(type, CreateSessionTxn.read(from));
    case OpCode.closeSession:
      return tagged<CloseSessionTxn>(type, readCloseSessionTxn(from));
    case OpCode.error:
      return tagged<ErrorTxn>(type, ErrorTxn.read(from));
    case OpCode.multi:
      return readMultiTxn(from);
    default:
      throw new MalformedError(`Unsupported Txn with type=${type}`);
  }
}

export function writeTxn(to: Writer, txn: Txn): void {
  switch (txn.type) {
    case OpCode.create:
    case OpCode.create2:
      return CreateTxn.write(to, txn);
    case OpCode.createTTL:
      return CreateTTLTxn.write(to, txn);
    case OpCode.createContainer:
      return CreateContainerTxn.write(to, txn);
    case OpCode.delete:
    case OpCode.deleteContainer:
      return DeleteTxn.write(to, txn);
    case OpCode.setData:
    case OpCode.reconfig:
      return SetDataTxn.write(to, txn);
    case OpCode.check:
      return CheckVersionTxn.write(to, txn);
    case OpCode.setACL:
      return SetACLTxn.write(to, txn);
    case OpCode.createSession:
      return CreateSessionTxn.write(to, txn);
    case OpCode.closeSession:
      // Null is the empty body of servers before 3.6, not a null vector.
      return txn.paths2Delete === null ? undefined : CloseSessionTxn.write(to, txn);
    case OpCode.error:
      return ErrorTxn.write(to, txn);
    case OpCode.multi:
      return writeMultiTxn(to, txn);
    default:
      return txn satisfies never;
  }
}

/** Adds the discriminant to a value that nobody else holds. */
function tagged<T extends Txn>(type: T['type'], body: Omit<T, 'type'>): T {
  const txn = body as { type?: number };
  txn.type = type;
  return txn as T;
}

function readCreateTxn(from: Reader): InferRecord<typeof CreateTxn> {
  const value = CreateTxnV0.read(from) as InferRecord<typeof CreateTxn>;
  // Before 3.4 the body ended here, and no digest followed (SerializeUtils.deserializeTxn).
  value.parentCVersion = from.remaining >= 4 ? from.int32() : -1;
  return value;
}

function readCloseSessionTxn(from: Reader): InferRecord<typeof CloseSessionTxn> {
  if (from.remaining === 0) return { paths2Delete: null };
  return CloseSessionTxn.read(from);
}

/**
 * With zookeeper.closeSessionTxn.enabled=false the body is empty, but a digest of 12 bytes follows. It begins with its
 * version, 2; a body of 12 bytes begins with 1, since two paths take more.
 */
function readShortCloseSession(header: TxnHeader, rest: Uint8Array): TxnRecord {
  const version = new Reader(rest).int32();
  if (version !== 2) return { header, txn: readTxn(new Reader(rest), OpCode.closeSession), digest: null };
  return { header, txn: { type: OpCode.closeSession, paths2Delete: null }, digest: TxnDigest.read(new Reader(rest)) };
}

function readMultiTxn(from: Reader): MultiTxn {
  const count = from.int32();
  if (count > from.remaining) throw new MalformedError(`${count} transactions in ${from.remaining} bytes`);
  const txns: Txn[] = [];
  for (let index = 0; index < count; index += 1) {
    const type = from.int32();
    const size = from.int32();
    txns.push(readTxn(new Reader(from.bytes(Math.max(size, 0))), type));
  }
  return { type: OpCode.multi, txns };
}

function writeMultiTxn(to: Writer, multi: MultiTxn): void {
  to.int32(multi.txns.length);
  for (const txn of multi.txns) {
    to.int32(txn.type);
    const body = new Writer();
    writeTxn(body, txn);
    const bytes = body.finishFlat();
    to.int32(bytes.length);
    to.bytes(bytes);
  }
}
