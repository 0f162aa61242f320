/** ZooKeeper requests as bytes, written here by hand so that both servers get what no code of ours encoded. */
import { PeerError } from '../../test/interop/peers/process.ts';
import { exchange } from './kafka-frames.ts';

const XID = 1;
const OP = { create: 1, exists: 3, getData: 4, setData: 5, multi: 14, addWatch: 106 } as const;
const PERSISTENT = 0;
const PERSISTENT_SEQUENTIAL = 2;
const NODE_EXISTS = -110;
const RECURSIVE = 1;

const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const buffer = (bytes: Uint8Array): Buffer => Buffer.concat([int(bytes.length), bytes]);
const text = (value: string): Buffer => buffer(Buffer.from(value));
const frame = (...parts: readonly Uint8Array[]): Buffer => buffer(Buffer.concat(parts));
const request = (op: number, ...parts: readonly Uint8Array[]): Buffer => frame(int(XID), int(op), ...parts);
/** type, done, err. */
const operation = (op: number): Buffer => Buffer.concat([int(op), Buffer.from([0]), int(-1)]);
const noMoreOperations = Buffer.concat([int(-1), Buffer.from([1]), int(-1)]);
const anyone = Buffer.concat([int(1), int(31), text('world'), text('anyone')]);

/** protocol version, last zxid, timeout, session id, password, read-only. */
export const connectFrame = frame(
  int(0),
  Buffer.alloc(8),
  int(30_000),
  Buffer.alloc(8),
  buffer(Buffer.alloc(16)),
  Buffer.alloc(1),
);

export const getFrame = (path: string): Buffer => request(OP.getData, text(path), Buffer.alloc(1));
export const setFrame = (path: string, data: Uint8Array): Buffer =>
  request(OP.setData, text(path), buffer(data), int(-1));
export const createFrame = (prefix: string, data: Uint8Array): Buffer =>
  request(OP.create, text(prefix), buffer(data), anyone, int(PERSISTENT_SEQUENTIAL));
export const existsFrame = (path: string, isWatched: boolean): Buffer =>
  request(OP.exists, text(path), Buffer.from([isWatched ? 1 : 0]));
export const recursiveWatchFrame = (path: string): Buffer => request(OP.addWatch, text(path), int(RECURSIVE));

/** One transaction that creates many. */
export function createAllFrame(paths: readonly string[], data: Uint8Array): Buffer {
  const operations = paths.flatMap((path) => [operation(OP.create), text(path), buffer(data), anyone, int(PERSISTENT)]);
  return request(OP.multi, ...operations, noMoreOperations);
}

/** One transaction that sets many. */
export function setAllFrame(paths: readonly string[], data: Uint8Array): Buffer {
  const operations = paths.flatMap((path) => [operation(OP.setData), text(path), buffer(data), int(-1)]);
  return request(OP.multi, ...operations, noMoreOperations);
}

/** Reply header: xid int32, zxid int64, err int32. */
export const REPLY_ERROR_AT = 12;

async function reply(port: number, bytes: Buffer, allowed: readonly number[] = [0]): Promise<Buffer> {
  const answer = await exchange(port, bytes, connectFrame);
  const code = answer.readInt32BE(REPLY_ERROR_AT);
  if (!allowed.includes(code)) throw new PeerError(`ZooKeeper answered error ${code}`);
  return answer.subarray(16);
}

export async function createNode(port: number, path: string, data: Uint8Array): Promise<void> {
  await reply(port, request(OP.create, text(path), buffer(data), anyone, int(PERSISTENT)), [0, NODE_EXISTS]);
}

/** From the node's Stat: czxid, mzxid, ctime, mtime (8 each), version, cversion, aversion, owner (8), dataLength, numChildren. */
export async function statOf(port: number, path: string): Promise<{ version: number; children: number }> {
  const stat = await reply(port, request(OP.exists, text(path), Buffer.alloc(1)));
  return { version: stat.readInt32BE(32), children: stat.readInt32BE(56) };
}
