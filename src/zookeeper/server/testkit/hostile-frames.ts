import { Writer } from '../../../wire/writer.ts';
import { OpCode } from '../../jute/op-codes.ts';
import {
  AddWatchRequest,
  AuthPacket,
  CheckWatchesRequest,
  CreateRequest,
  CreateTTLRequest,
  DeleteRequest,
  GetDataRequest,
  GetSASLRequest,
  ReconfigRequest,
  SetACLRequest,
  SetDataRequest,
  SetWatches,
  SetWatches2,
  SyncRequest,
} from '../../jute/proto.ts';
import { check, create, getData, multi, remove, setData } from './requests.ts';

/** Chance as a test gives it. */
export interface Draw {
  below(limit: number): number;
  chance(probability: number): boolean;
  pick<T>(choices: readonly T[]): T;
  bytes(count: number): Uint8Array;
}

type Body = (to: Writer) => void;

const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
const path = '/fuzz';
const data = Buffer.from('data');
const noWatches = { dataWatches: [path], existWatches: ['/none'], childWatches: [path] };

/** A body that each request could have. */
const bodies: ReadonlyMap<number, Body> = new Map<number, Body>([
  [OpCode.create, (to) => CreateRequest.write(to, { path, data, acl, flags: 2 })],
  [OpCode.create2, (to) => CreateRequest.write(to, { path, data, acl, flags: 0 })],
  [OpCode.createContainer, (to) => CreateRequest.write(to, { path: '/box', data, acl, flags: 4 })],
  [OpCode.createTTL, (to) => CreateTTLRequest.write(to, { path: '/ttl', data, acl, flags: 5, ttl: 1_000_000 })],
  [OpCode.delete, (to) => DeleteRequest.write(to, { path, version: -1 })],
  [OpCode.setData, (to) => SetDataRequest.write(to, { path, data, version: -1 })],
  [OpCode.setACL, (to) => SetACLRequest.write(to, { path, acl, version: -1 })],
  [OpCode.multi, multi(create(path), setData(path, 'x'), check(path, 1), remove(path)).body],
  [
    OpCode.reconfig,
    (to) =>
      ReconfigRequest.write(to, { joiningServers: '', leavingServers: null, newMembers: '', curConfigId: 1n as never }),
  ],
  [OpCode.sync, (to) => SyncRequest.write(to, { path })],
  [OpCode.exists, (to) => GetDataRequest.write(to, { path, watch: true })],
  [OpCode.getData, (to) => GetDataRequest.write(to, { path, watch: true })],
  [OpCode.getChildren, (to) => GetDataRequest.write(to, { path: '/', watch: false })],
  [OpCode.getChildren2, (to) => GetDataRequest.write(to, { path: '/', watch: true })],
  [OpCode.getACL, (to) => SyncRequest.write(to, { path })],
  [OpCode.ping, () => undefined],
  [OpCode.check, (to) => DeleteRequest.write(to, { path, version: 0 })],
  [OpCode.checkWatches, (to) => CheckWatchesRequest.write(to, { path, type: 3 })],
  [OpCode.removeWatches, (to) => CheckWatchesRequest.write(to, { path, type: 3 })],
  [OpCode.multiRead, multi(getData(path), getData('/none')).body],
  [OpCode.auth, (to) => AuthPacket.write(to, { type: 0, scheme: 'digest', auth: Buffer.from('a:b') })],
  [OpCode.sasl, (to) => GetSASLRequest.write(to, { token: data })],
  [OpCode.setWatches, (to) => SetWatches.write(to, { relativeZxid: 1n as never, ...noWatches })],
  [
    OpCode.setWatches2,
    (to) =>
      SetWatches2.write(to, {
        relativeZxid: 1n as never,
        ...noWatches,
        persistentWatches: [path],
        persistentRecursiveWatches: ['/'],
      }),
  ],
  [OpCode.getEphemerals, (to) => SyncRequest.write(to, { path: '/' })],
  [OpCode.getAllChildrenNumber, (to) => SyncRequest.write(to, { path: '/' })],
  [OpCode.addWatch, (to) => AddWatchRequest.write(to, { path, mode: 1 })],
  [OpCode.whoAmI, () => undefined],
  [OpCode.closeSession, () => undefined],
]);

export const hostileOpCodes: readonly number[] = [
  ...bodies.keys(),
  OpCode.createSession,
  OpCode.deleteContainer,
  OpCode.error,
  OpCode.notification,
  99,
  -99,
];

const INTERESTING = [0, 1, -1, 0x7f, 0xff, 0x7fff_ffff, -0x8000_0000, 0x0010_0000, 0x00ff_ffff] as const;

/** `xid | type | body`, without its length: the body as it should be, or spoiled in one of a few ways. */
export function hostileRequest(draw: Draw, type: number, xid: number): Uint8Array {
  const writer = new Writer();
  writer.int32(xid);
  writer.int32(type);
  (bodies.get(type) ?? (() => undefined))(writer);
  const whole = Buffer.from(writer.finishFlat());
  return spoiled(draw, whole);
}

function spoiled(draw: Draw, whole: Buffer): Uint8Array {
  const size = whole.length - 8;
  switch (draw.below(6)) {
    case 0:
      return whole;
    case 1:
      return whole.subarray(0, 8 + draw.below(size + 1));
    case 2:
      return Buffer.concat([whole, draw.bytes(1 + draw.below(40))]);
    case 3:
      for (let count = 1 + draw.below(4); count > 0 && size > 0; count -= 1) {
        whole[8 + draw.below(size)]! ^= 1 << draw.below(8);
      }
      return whole;
    case 4:
      if (size >= 4) whole.writeInt32BE(draw.pick(INTERESTING), 8 + draw.below(size - 3));
      return whole;
    default:
      return Buffer.concat([whole.subarray(0, 8), draw.bytes(draw.below(60))]);
  }
}

/** Bytes that need not be a frame at all. */
export function hostileBytes(draw: Draw): Uint8Array {
  const body = hostileRequest(draw, draw.pick(hostileOpCodes), draw.pick([1, 0, -1, -2, -4, -8, 77]));
  const frame = Buffer.alloc(4 + body.length);
  frame.writeInt32BE(draw.chance(1 / 8) ? draw.pick(INTERESTING) : body.length);
  frame.set(body, 4);
  return draw.chance(1 / 10) ? draw.bytes(1 + draw.below(200)) : frame;
}
