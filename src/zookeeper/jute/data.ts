import { type InferRecord, int, longNumber, nested, record, sessionId, ustring, zxid } from './record.ts';

// Module org.apache.zookeeper.data.

export const Id = record('Id', { scheme: ustring, id: ustring });
export type Id = InferRecord<typeof Id>;

export const ACL = record('ACL', { perms: int, id: nested(Id) });
export type ACL = InferRecord<typeof ACL>;

/** 68 bytes: what clients see. */
export const Stat = record('Stat', {
  czxid: zxid,
  mzxid: zxid,
  ctime: longNumber,
  mtime: longNumber,
  version: int,
  cversion: int,
  aversion: int,
  ephemeralOwner: sessionId,
  dataLength: int,
  numChildren: int,
  pzxid: zxid,
});
export type Stat = InferRecord<typeof Stat>;

/** 60 bytes: what snapshots hold. */
export const StatPersisted = record('StatPersisted', {
  czxid: zxid,
  mzxid: zxid,
  ctime: longNumber,
  mtime: longNumber,
  version: int,
  cversion: int,
  aversion: int,
  ephemeralOwner: sessionId,
  pzxid: zxid,
});
export type StatPersisted = InferRecord<typeof StatPersisted>;

export const ClientInfo = record('ClientInfo', { authScheme: ustring, user: ustring });
export type ClientInfo = InferRecord<typeof ClientInfo>;
