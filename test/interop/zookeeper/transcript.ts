/** What a server said, in a form in which two servers can be compared: decoded where times, ids or hash tables differ. */
import { Reader } from '../../../src/wire/reader.ts';
import type { Stat } from '../../../src/zookeeper/jute/data.ts';
import { OpCode, opCodeName, Xid } from '../../../src/zookeeper/jute/op-codes.ts';
import {
  Create2Response,
  CreateResponse,
  ErrorResponse,
  ExistsResponse,
  GetACLResponse,
  GetAllChildrenNumberResponse,
  GetChildren2Response,
  GetChildrenResponse,
  GetDataResponse,
  GetEphemeralsResponse,
  MultiHeader,
  SetDataResponse,
  SyncResponse,
  WatcherEvent,
  WhoAmIResponse,
} from '../../../src/zookeeper/jute/proto.ts';
import type { RawReply } from '../../../src/zookeeper/server/testkit/raw-client.ts';

/** Names a session by its id. */
export type NameOf = (id: bigint) => string;

interface Response {
  read(from: Reader): unknown;
}

const responses: ReadonlyMap<number, Response> = new Map<number, Response>([
  [OpCode.create, CreateResponse],
  [OpCode.create2, Create2Response],
  [OpCode.createContainer, Create2Response],
  [OpCode.createTTL, Create2Response],
  [OpCode.exists, ExistsResponse],
  [OpCode.getData, GetDataResponse],
  [OpCode.setData, SetDataResponse],
  [OpCode.setACL, SetDataResponse],
  [OpCode.getACL, GetACLResponse],
  [OpCode.getChildren, GetChildrenResponse],
  [OpCode.getChildren2, GetChildren2Response],
  [OpCode.getEphemerals, GetEphemeralsResponse],
  [OpCode.getAllChildrenNumber, GetAllChildrenNumberResponse],
  [OpCode.whoAmI, WhoAmIResponse],
  [OpCode.sync, SyncResponse],
]);

/** Every field but the times; that a reply ends where its body ends is part of it. */
export function describeReply(type: number, { xid, zxid, err, body }: RawReply, nameOf: NameOf): unknown {
  const from = new Reader(body);
  if (xid === Xid.notification) return { event: WatcherEvent.read(from), zxid, err, rest: from.remaining };
  const header = { request: opCodeName(type), xid, zxid, err };
  if (err !== 0 || body.length === 0) return { ...header, rest: body.length };
  if (type === OpCode.multi || type === OpCode.multiRead) {
    const results = multiResults(from);
    return { ...header, results: comparable(results, nameOf), rest: from.remaining };
  }
  const value = responses.get(type)?.read(from);
  return { ...header, value: comparable(value, nameOf), rest: from.remaining };
}

function multiResults(from: Reader): unknown[] {
  const results: unknown[] = [];
  for (;;) {
    const { type, done, err } = MultiHeader.read(from);
    results.push({ type, done, err });
    if (done) return results;
    if (type === OpCode.error) results.push(ErrorResponse.read(from));
    else if (responses.has(type)) results.push(responses.get(type)?.read(from));
  }
}

/** Times differ between any two runs, but not whether a node was changed since it was made; hash tables have no order. */
function comparable(value: unknown, nameOf: NameOf): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (Array.isArray(value)) return value.map((each) => comparable(each, nameOf));
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([key, field]): [string, unknown] => {
    if (key === 'ctime' || key === 'mtime') return [key, 'a time'];
    if (key === 'ephemeralOwner') return [key, nameOf(field as Stat['ephemeralOwner'])];
    if (key === 'children' || key === 'ephemerals') return [key, [...(field as string[])].sort()];
    if (key === 'clientInfo') return [key, (field as unknown[]).map((each) => JSON.stringify(each)).sort()];
    return [key, comparable(field, nameOf)];
  });
  return Object.fromEntries(fields);
}

/** Zxids without their epoch: how many elections it took does not matter. */
export const shown = (value: unknown): string =>
  JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(BigInt.asUintN(32, each)) : each));
