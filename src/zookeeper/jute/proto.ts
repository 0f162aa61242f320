import type { Reader } from '../../wire/reader.ts';
import type { Writer } from '../../wire/writer.ts';
import { ACL, ClientInfo, Stat } from './data.ts';
import {
  boolean,
  buffer,
  type InferRecord,
  int,
  long,
  longNumber,
  nested,
  nullableUstring,
  record,
  sessionId,
  ustring,
  ustrings,
  vector,
  zxid,
} from './record.ts';

// Module org.apache.zookeeper.proto.

const ConnectRequestBase = record('ConnectRequest', {
  protocolVersion: int,
  lastZxidSeen: zxid,
  timeOut: int,
  sessionId: sessionId,
  passwd: buffer,
});
/** `readOnly` undefined: the byte is absent, as C clients of 3.4 send it; the response then lacks it too. */
export type ConnectRequest = InferRecord<typeof ConnectRequestBase> & { readOnly: boolean | undefined };
export const ConnectRequest = {
  read(from: Reader): ConnectRequest {
    const base = ConnectRequestBase.read(from);
    return { ...base, readOnly: from.remaining > 0 ? from.bool() : undefined };
  },
  write(to: Writer, request: ConnectRequest): void {
    ConnectRequestBase.write(to, request);
    if (request.readOnly !== undefined) to.bool(request.readOnly);
  },
};

const ConnectResponseBase = record('ConnectResponse', {
  protocolVersion: int,
  timeOut: int,
  sessionId: sessionId,
  passwd: buffer,
});
/** `timeOut` 0: the session is rejected or expired. `readOnly` undefined: the byte is absent (the client sent none). */
export type ConnectResponse = InferRecord<typeof ConnectResponseBase> & { readOnly: boolean | undefined };
export const ConnectResponse = {
  read(from: Reader): ConnectResponse {
    const base = ConnectResponseBase.read(from);
    return { ...base, readOnly: from.remaining > 0 ? from.bool() : undefined };
  },
  write(to: Writer, response: ConnectResponse): void {
    ConnectResponseBase.write(to, response);
    if (response.readOnly !== undefined) to.bool(response.readOnly);
  },
};

/** Sent on reconnect with xid -8: what the client watched, and the last zxid it saw. */
export const SetWatches = record('SetWatches', {
  relativeZxid: zxid,
  dataWatches: ustrings,
  existWatches: ustrings,
  childWatches: ustrings,
});
export type SetWatches = InferRecord<typeof SetWatches>;

export const SetWatches2 = record('SetWatches2', {
  relativeZxid: zxid,
  dataWatches: ustrings,
  existWatches: ustrings,
  childWatches: ustrings,
  persistentWatches: ustrings,
  persistentRecursiveWatches: ustrings,
});
export type SetWatches2 = InferRecord<typeof SetWatches2>;

export const RequestHeader = record('RequestHeader', { xid: int, type: int });
export type RequestHeader = InferRecord<typeof RequestHeader>;

export const MultiHeader = record('MultiHeader', { type: int, done: boolean, err: int });
export type MultiHeader = InferRecord<typeof MultiHeader>;

export const AuthPacket = record('AuthPacket', { type: int, scheme: ustring, auth: buffer });
export type AuthPacket = InferRecord<typeof AuthPacket>;

export const ReplyHeader = record('ReplyHeader', { xid: int, zxid, err: int });
export type ReplyHeader = InferRecord<typeof ReplyHeader>;

export const GetDataRequest = record('GetDataRequest', { path: ustring, watch: boolean });
export type GetDataRequest = InferRecord<typeof GetDataRequest>;

export const SetDataRequest = record('SetDataRequest', { path: ustring, data: buffer, version: int });
export type SetDataRequest = InferRecord<typeof SetDataRequest>;

/** `curConfigId` -1 asks for no check of the version. */
export const ReconfigRequest = record('ReconfigRequest', {
  joiningServers: nullableUstring,
  leavingServers: nullableUstring,
  newMembers: nullableUstring,
  curConfigId: long,
});
export type ReconfigRequest = InferRecord<typeof ReconfigRequest>;

export const SetDataResponse = record('SetDataResponse', { stat: nested(Stat) });
export type SetDataResponse = InferRecord<typeof SetDataResponse>;

export const GetSASLRequest = record('GetSASLRequest', { token: buffer });
export type GetSASLRequest = InferRecord<typeof GetSASLRequest>;

export const SetSASLRequest = record('SetSASLRequest', { token: buffer });
export type SetSASLRequest = InferRecord<typeof SetSASLRequest>;

export const SetSASLResponse = record('SetSASLResponse', { token: buffer });
export type SetSASLResponse = InferRecord<typeof SetSASLResponse>;

export const CreateRequest = record('CreateRequest', { path: ustring, data: buffer, acl: vector(ACL), flags: int });
export type CreateRequest = InferRecord<typeof CreateRequest>;

/** `ttl` in milliseconds; a value outside ±2^53 arrives as ±Infinity and fails the range check. */
export const CreateTTLRequest = record('CreateTTLRequest', {
  path: ustring,
  data: buffer,
  acl: vector(ACL),
  flags: int,
  ttl: longNumber,
});
export type CreateTTLRequest = InferRecord<typeof CreateTTLRequest>;

export const DeleteRequest = record('DeleteRequest', { path: ustring, version: int });
export type DeleteRequest = InferRecord<typeof DeleteRequest>;

export const GetChildrenRequest = record('GetChildrenRequest', { path: ustring, watch: boolean });
export type GetChildrenRequest = InferRecord<typeof GetChildrenRequest>;

export const GetAllChildrenNumberRequest = record('GetAllChildrenNumberRequest', { path: ustring });
export type GetAllChildrenNumberRequest = InferRecord<typeof GetAllChildrenNumberRequest>;

export const GetChildren2Request = record('GetChildren2Request', { path: ustring, watch: boolean });
export type GetChildren2Request = InferRecord<typeof GetChildren2Request>;

export const CheckVersionRequest = record('CheckVersionRequest', { path: ustring, version: int });
export type CheckVersionRequest = InferRecord<typeof CheckVersionRequest>;

/** In the definition file, but no opcode uses the MaxChildren records. */
export const GetMaxChildrenRequest = record('GetMaxChildrenRequest', { path: ustring });
export type GetMaxChildrenRequest = InferRecord<typeof GetMaxChildrenRequest>;

export const GetMaxChildrenResponse = record('GetMaxChildrenResponse', { max: int });
export type GetMaxChildrenResponse = InferRecord<typeof GetMaxChildrenResponse>;

export const SetMaxChildrenRequest = record('SetMaxChildrenRequest', { path: ustring, max: int });
export type SetMaxChildrenRequest = InferRecord<typeof SetMaxChildrenRequest>;

export const SyncRequest = record('SyncRequest', { path: ustring });
export type SyncRequest = InferRecord<typeof SyncRequest>;

export const SyncResponse = record('SyncResponse', { path: ustring });
export type SyncResponse = InferRecord<typeof SyncResponse>;

export const GetACLRequest = record('GetACLRequest', { path: ustring });
export type GetACLRequest = InferRecord<typeof GetACLRequest>;

export const SetACLRequest = record('SetACLRequest', { path: ustring, acl: vector(ACL), version: int });
export type SetACLRequest = InferRecord<typeof SetACLRequest>;

export const SetACLResponse = record('SetACLResponse', { stat: nested(Stat) });
export type SetACLResponse = InferRecord<typeof SetACLResponse>;

/** Mode 0 persistent, 1 persistent recursive. */
export const AddWatchRequest = record('AddWatchRequest', { path: ustring, mode: int });
export type AddWatchRequest = InferRecord<typeof AddWatchRequest>;

export const WatcherEvent = record('WatcherEvent', { type: int, state: int, path: ustring });
export type WatcherEvent = InferRecord<typeof WatcherEvent>;

export const ErrorResponse = record('ErrorResponse', { err: int });
export type ErrorResponse = InferRecord<typeof ErrorResponse>;

export const CreateResponse = record('CreateResponse', { path: ustring });
export type CreateResponse = InferRecord<typeof CreateResponse>;

export const Create2Response = record('Create2Response', { path: ustring, stat: nested(Stat) });
export type Create2Response = InferRecord<typeof Create2Response>;

export const ExistsRequest = record('ExistsRequest', { path: ustring, watch: boolean });
export type ExistsRequest = InferRecord<typeof ExistsRequest>;

export const ExistsResponse = record('ExistsResponse', { stat: nested(Stat) });
export type ExistsResponse = InferRecord<typeof ExistsResponse>;

export const GetDataResponse = record('GetDataResponse', { data: buffer, stat: nested(Stat) });
export type GetDataResponse = InferRecord<typeof GetDataResponse>;

export const GetChildrenResponse = record('GetChildrenResponse', { children: ustrings });
export type GetChildrenResponse = InferRecord<typeof GetChildrenResponse>;

export const GetAllChildrenNumberResponse = record('GetAllChildrenNumberResponse', { totalNumber: int });
export type GetAllChildrenNumberResponse = InferRecord<typeof GetAllChildrenNumberResponse>;

export const GetChildren2Response = record('GetChildren2Response', { children: ustrings, stat: nested(Stat) });
export type GetChildren2Response = InferRecord<typeof GetChildren2Response>;

export const GetACLResponse = record('GetACLResponse', { acl: vector(ACL), stat: nested(Stat) });
export type GetACLResponse = InferRecord<typeof GetACLResponse>;

export const CheckWatchesRequest = record('CheckWatchesRequest', { path: ustring, type: int });
export type CheckWatchesRequest = InferRecord<typeof CheckWatchesRequest>;

export const RemoveWatchesRequest = record('RemoveWatchesRequest', { path: ustring, type: int });
export type RemoveWatchesRequest = InferRecord<typeof RemoveWatchesRequest>;

export const GetEphemeralsRequest = record('GetEphemeralsRequest', { prefixPath: nullableUstring });
export type GetEphemeralsRequest = InferRecord<typeof GetEphemeralsRequest>;

export const GetEphemeralsResponse = record('GetEphemeralsResponse', { ephemerals: ustrings });
export type GetEphemeralsResponse = InferRecord<typeof GetEphemeralsResponse>;

export const WhoAmIResponse = record('WhoAmIResponse', { clientInfo: vector(ClientInfo) });
export type WhoAmIResponse = InferRecord<typeof WhoAmIResponse>;
