import { type Slices, slicesOf } from '../../base/slices.ts';
import { MalformedError } from '../../wire/errors.ts';
import { Writer } from '../../wire/writer.ts';
import { Stat } from '../jute/data.ts';
import { ErrorCode } from '../jute/errors.ts';
import type { Zxid } from '../jute/ids.ts';
import { OpCode, Xid } from '../jute/op-codes.ts';
import { ErrorResponse, MultiHeader } from '../jute/proto.ts';
import { ustringSize, writeUstring } from '../jute/ustring.ts';
import type { ApplyResult, DataTree, NodeId } from '../tree/data-tree.ts';
import type { WatchedEvent } from '../tree/watches.ts';
import type { RequestCursor } from './request-cursor.ts';

/** `xid:int32 | zxid:int64 | err:int32` */
export const HEADER_BYTES = 16;
const STAT_BYTES = 68;
/** A reply begins with its length, which nobody counts. */
export const LENGTH_BYTES = 4;

/** A reply of known size: `size | header`, and so many bytes follow. */
export function beginReply(to: Writer, xid: number, zxid: Zxid, err: number, bodyBytes: number): void {
  to.int32(HEADER_BYTES + bodyBytes);
  to.int32(xid);
  to.bigint64(zxid);
  to.int32(err);
}

/** Errors have no body, nor have delete, ping, auth, setWatches and closeSession. */
export function replyHeader(to: Writer, xid: number, zxid: Zxid, err: number): void {
  beginReply(to, xid, zxid, err, 0);
}

export function replyData(to: Writer, xid: number, tree: DataTree, node: NodeId): void {
  beginReply(to, xid, tree.lastProcessedZxid, 0, 4 + tree.dataLength(node) + STAT_BYTES);
  tree.writeData(to, node);
  tree.writeStat(to, node);
}

export function replyStat(to: Writer, xid: number, tree: DataTree, node: NodeId): void {
  beginReply(to, xid, tree.lastProcessedZxid, 0, STAT_BYTES);
  tree.writeStat(to, node);
}

/** A reply whose size shows when it is written. */
export function replyBody(to: Writer, xid: number, zxid: Zxid, writeBody: (to: Writer) => void): void {
  const frame = new Writer(512);
  const size = frame.placeInt32();
  frame.int32(xid);
  frame.bigint64(zxid);
  frame.int32(0);
  writeBody(frame);
  frame.patchInt32(size, frame.size - 4);
  to.slices(frame.finish());
}

/** What the server tells a watcher: xid -1, and since 3.9 the zxid of the change. */
export function writeEvent(to: Writer, event: WatchedEvent): void {
  const path = Buffer.from(event.path);
  beginReply(to, Xid.notification, event.zxid, 0, 12 + path.length);
  to.int32(event.type);
  to.int32(event.state);
  to.int32(path.length);
  to.slices(slicesOf(path));
}

/** The answer to a write, right after its transaction was applied. */
export function replyWrite(to: Writer, xid: number, tree: DataTree, result: ApplyResult): void {
  const zxid = tree.lastProcessedZxid;
  if (result.type === OpCode.multi) {
    // A failed multi is no error of the request: each operation has its own.
    replyBody(to, xid, zxid, (body) => writeMultiResults(body, result.results ?? []));
    return;
  }
  if (result.err !== 0) {
    replyHeader(to, xid, zxid, result.err);
    return;
  }
  switch (result.type) {
    case OpCode.setData:
    case OpCode.setACL:
      replyStat(to, xid, tree, result.node);
      return;
    case OpCode.reconfig:
      replyData(to, xid, tree, result.node);
      return;
    case OpCode.create:
      replyPath(to, xid, zxid, result.path ?? '');
      return;
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      replyBody(to, xid, zxid, (body) => {
        writeUstring(body, result.path ?? '');
        tree.writeStat(body, result.node);
      });
      return;
    default:
      replyHeader(to, xid, zxid, 0);
  }
}

/** CreateResponse and SyncResponse. */
export function replyPath(to: Writer, xid: number, zxid: Zxid, path: string): void {
  beginReply(to, xid, zxid, 0, ustringSize(path));
  writeUstring(to, path);
}

/** The answer to sync is the path of the request, whatever it is. */
export function replySync(to: Writer, xid: number, tree: DataTree, cursor: RequestCursor, frame: Slices): void {
  const { lastProcessedZxid } = tree;
  try {
    const path = cursor.open(frame, 8).buffer();
    if (path !== null) {
      replyPath(to, xid, lastProcessedZxid, Buffer.prototype.utf8Slice.call(path, 0, path.length));
      return;
    }
    beginReply(to, xid, lastProcessedZxid, 0, 4);
    to.int32(-1);
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    replyMalformed(to, xid, lastProcessedZxid);
  }
}

/** SetSASLResponse, the one answer that keeps its body beside an error. Null has the size -1. */
export function replySasl(to: Writer, xid: number, err: number, token: Uint8Array | null): void {
  beginReply(to, xid, 0n as Zxid, err, 4 + (token?.length ?? 0));
  to.int32(token?.length ?? -1);
  if (token !== null) to.bytes(token);
}

function writeMultiResults(to: Writer, results: readonly ApplyResult[]): void {
  for (const result of results) writeMultiResult(to, result);
  MultiHeader.write(to, { type: -1, done: true, err: -1 });
}

function writeMultiResult(to: Writer, result: ApplyResult): void {
  const { type, stat } = result;
  if (type === OpCode.error) {
    writeMultiError(to, result.err);
    return;
  }
  const withStat = type === OpCode.createTTL || type === OpCode.createContainer ? OpCode.create2 : type;
  MultiHeader.write(to, { type: withStat, done: false, err: 0 });
  if (type === OpCode.create || withStat === OpCode.create2) writeUstring(to, result.path ?? '');
  if (stat !== undefined) Stat.write(to, stat);
}

/** Also an element of a multiRead. */
export function writeMultiError(to: Writer, err: number): void {
  MultiHeader.write(to, { type: OpCode.error, done: false, err });
  ErrorResponse.write(to, { err });
}

/** What a request gets whose body cannot be read. */
export function replyMalformed(to: Writer, xid: number, zxid: Zxid): void {
  replyHeader(to, xid, zxid, ErrorCode.MARSHALLINGERROR);
}
