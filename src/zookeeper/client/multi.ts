import { MalformedError } from '../../wire/errors.ts';
import type { Reader } from '../../wire/reader.ts';
import type { Writer } from '../../wire/writer.ts';
import { CreateMode, isContainer, isTtl } from '../jute/create-mode.ts';
import type { ACL, Stat } from '../jute/data.ts';
import { ErrorCode, KeeperError } from '../jute/errors.ts';
import { OpCode } from '../jute/op-codes.ts';
import {
  CheckVersionRequest,
  Create2Response,
  CreateRequest,
  CreateResponse,
  CreateTTLRequest,
  DeleteRequest,
  ErrorResponse,
  MultiHeader,
  SetDataRequest,
  SetDataResponse,
} from '../jute/proto.ts';
import { OPEN_ACL_UNSAFE } from './acl.ts';

/** One operation of a multi: all of them happen, or none. `version` -1 (the default) matches any. */
export type MultiOp =
  | CreateOp
  | { readonly kind: 'delete'; readonly path: string; readonly version?: number }
  | { readonly kind: 'setData'; readonly path: string; readonly data: NodeData; readonly version?: number }
  | { readonly kind: 'check'; readonly path: string; readonly version?: number };

export interface CreateOp extends CreateFields {
  readonly kind: 'create';
  readonly path: string;
}

/** What a node begins with. */
export interface CreateFields {
  /** Default: null. */
  readonly data?: NodeData;
  /** Default: anyone may do anything. */
  readonly acl?: readonly ACL[];
  /** Default: persistent. */
  readonly mode?: CreateMode;
  /** Of the TTL modes, which need it: 1 … 2^40 - 1 milliseconds without a change or a child. */
  readonly ttlMs?: number;
}

/** Text is stored as UTF-8. Null and empty differ. */
export type NodeData = Uint8Array | string | null;

/** What became of an operation of a multi. */
export type MultiResult = CreateResult | DeleteResult | SetDataResult | CheckResult;
export interface CreateResult {
  readonly kind: 'create';
  /** With the digits that a sequential mode adds. */
  readonly path: string;
  /** Of container and TTL nodes. */
  readonly stat?: Stat;
}
export interface DeleteResult {
  readonly kind: 'delete';
}
export interface SetDataResult {
  readonly kind: 'setData';
  readonly stat: Stat;
}
export interface CheckResult {
  readonly kind: 'check';
}

/** A multi that changed nothing: `code` and `path` are those of the operation that failed. */
export class MultiError extends KeeperError {
  /** By operation: 0 for those before the failed one (undone), its own code, RUNTIMEINCONSISTENCY for those not tried. */
  readonly codes: readonly number[];
  readonly failedIndex: number;

  constructor(codes: readonly number[], failedIndex: number, path: string | undefined) {
    super(codes[failedIndex] ?? ErrorCode.SYSTEMERROR, path);
    this.codes = codes;
    this.failedIndex = failedIndex;
  }
}

export function dataBytes(data: NodeData): Uint8Array | null {
  return typeof data === 'string' ? Buffer.from(data) : data;
}

/** Which opcode creates a node of a mode, when no Stat is wanted. */
export function createOpCode(mode: CreateMode): OpCode {
  if (isTtl(mode)) return OpCode.createTTL;
  return isContainer(mode) ? OpCode.createContainer : OpCode.create;
}

/** The body that all the create opcodes share; a time to live follows for the TTL modes. */
export function writeCreate(to: Writer, path: string, fields: CreateFields): void {
  const { data = null, acl = OPEN_ACL_UNSAFE, mode = CreateMode.PERSISTENT, ttlMs = 0 } = fields;
  const request = { path, data: dataBytes(data), acl: [...acl], flags: mode };
  if (isTtl(mode)) CreateTTLRequest.write(to, { ...request, ttl: ttlMs });
  else CreateRequest.write(to, request);
}

/** `(header | request)* | header(done)`; `serverPath` adds the chroot. */
export function writeMulti(to: Writer, ops: readonly MultiOp[], serverPath: (path: string) => string): void {
  for (const op of ops) {
    MultiHeader.write(to, { type: opCodeOf(op), done: false, err: -1 });
    writeOp(to, op, serverPath(op.path));
  }
  MultiHeader.write(to, { type: -1, done: true, err: -1 });
}

function opCodeOf(op: MultiOp): OpCode {
  return op.kind === 'create' ? createOpCode(op.mode ?? CreateMode.PERSISTENT) : OpCode[op.kind];
}

function writeOp(to: Writer, op: MultiOp, path: string): void {
  switch (op.kind) {
    case 'create':
      return writeCreate(to, path, op);
    case 'delete':
      return DeleteRequest.write(to, { path, version: op.version ?? -1 });
    case 'setData':
      return SetDataRequest.write(to, { path, data: dataBytes(op.data), version: op.version ?? -1 });
    case 'check':
      return CheckVersionRequest.write(to, { path, version: op.version ?? -1 });
    default:
      return op satisfies never;
  }
}

/**
 * The results of a multi, in order. A failed one has a header without error and an error element for each operation.
 * @throws MultiError
 */
export function readMulti(from: Reader, ops: readonly MultiOp[], clientPath: (path: string) => string): MultiResult[] {
  const results: MultiResult[] = [];
  const codes: number[] = [];
  for (let header = MultiHeader.read(from); !header.done; header = MultiHeader.read(from)) {
    if (header.type === OpCode.error) codes.push(ErrorResponse.read(from).err);
    else results.push(readResult(from, header.type, clientPath));
  }
  if (codes.length > 0) throw multiError(codes, ops);
  if (results.length !== ops.length) {
    throw new MalformedError(`${results.length} results for the ${ops.length} operations of a multi`);
  }
  return results;
}

function readResult(from: Reader, type: number, clientPath: (path: string) => string): MultiResult {
  switch (type) {
    case OpCode.create:
      return { kind: 'create', path: clientPath(CreateResponse.read(from).path) };
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL: {
      const { path, stat } = Create2Response.read(from);
      return { kind: 'create', path: clientPath(path), stat };
    }
    case OpCode.delete:
      return { kind: 'delete' };
    case OpCode.setData:
      return { kind: 'setData', stat: SetDataResponse.read(from).stat };
    case OpCode.check:
      return { kind: 'check' };
    default:
      throw new MalformedError(`a multi result of type ${type}`);
  }
}

function multiError(codes: readonly number[], ops: readonly MultiOp[]): MultiError {
  const failed = codes.findIndex((code) => code !== ErrorCode.OK);
  return new MultiError(codes, failed, ops[failed]?.path);
}
