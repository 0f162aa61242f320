import { MalformedError } from '../../wire/errors.ts';
import type { Reader } from '../../wire/reader.ts';
import type { Writer } from '../../wire/writer.ts';
import type { Stat } from '../jute/data.ts';
import { KeeperError } from '../jute/errors.ts';
import { OpCode } from '../jute/op-codes.ts';
import {
  ErrorResponse,
  GetChildrenRequest,
  GetChildrenResponse,
  GetDataRequest,
  GetDataResponse,
  MultiHeader,
} from '../jute/proto.ts';

/** One read of a multiRead. */
export interface MultiReadOp {
  readonly kind: 'getData' | 'getChildren';
  readonly path: string;
}

/** Each read succeeds or fails by itself. */
export type MultiReadResult =
  | { readonly kind: 'getData'; readonly data: Buffer | null; readonly stat: Stat }
  | { readonly kind: 'getChildren'; readonly children: string[] }
  | { readonly kind: 'error'; readonly error: KeeperError };

/** `(header | request)* | header(done)`; `serverPath` adds the chroot. */
export function writeMultiRead(to: Writer, ops: readonly MultiReadOp[], serverPath: (path: string) => string): void {
  for (const { kind, path } of ops) {
    MultiHeader.write(to, { type: OpCode[kind], done: false, err: -1 });
    const record = kind === 'getData' ? GetDataRequest : GetChildrenRequest;
    record.write(to, { path: serverPath(path), watch: false });
  }
  MultiHeader.write(to, { type: -1, done: true, err: -1 });
}

export function readMultiRead(from: Reader, ops: readonly MultiReadOp[]): MultiReadResult[] {
  const results: MultiReadResult[] = [];
  for (let header = MultiHeader.read(from); !header.done; header = MultiHeader.read(from)) {
    results.push(readResult(from, header.type, ops[results.length]?.path));
  }
  if (results.length !== ops.length) {
    throw new MalformedError(`${results.length} results for the ${ops.length} reads of a multiRead`);
  }
  return results;
}

function readResult(from: Reader, type: number, path: string | undefined): MultiReadResult {
  switch (type) {
    case OpCode.getData: {
      const { data, stat } = GetDataResponse.read(from);
      return { kind: 'getData', data: data === null ? null : Buffer.from(data), stat }; // a copy: the frame must not live on
    }
    case OpCode.getChildren:
      return { kind: 'getChildren', children: GetChildrenResponse.read(from).children ?? [] };
    case OpCode.error:
      return { kind: 'error', error: new KeeperError(ErrorResponse.read(from).err, path) };
    default:
      throw new MalformedError(`a multiRead result of type ${type}`);
  }
}
