/** What each operation asks of the server, and how its reply is read. */
import type { Reader } from '../../wire/reader.ts';
import { CreateMode, isCreateMode, isSequential, isTtl } from '../jute/create-mode.ts';
import type { ACL, ClientInfo, Stat } from '../jute/data.ts';
import { ErrorCode, KeeperError } from '../jute/errors.ts';
import { AddWatchMode, WatcherType } from '../jute/events.ts';
import { OpCode } from '../jute/op-codes.ts';
import {
  AddWatchRequest,
  Create2Response,
  CreateResponse,
  DeleteRequest,
  ExistsRequest,
  ExistsResponse,
  GetACLRequest,
  GetACLResponse,
  GetAllChildrenNumberRequest,
  GetAllChildrenNumberResponse,
  GetChildren2Request,
  GetChildren2Response,
  GetChildrenRequest,
  GetChildrenResponse,
  GetDataRequest,
  GetDataResponse,
  GetEphemeralsRequest,
  GetEphemeralsResponse,
  ReconfigRequest,
  RemoveWatchesRequest,
  SetACLRequest,
  SetACLResponse,
  SetDataRequest,
  SetDataResponse,
  SyncRequest,
  WhoAmIResponse,
} from '../jute/proto.ts';
import type { Ask } from './ask.ts';
import { type Chroot, CONFIG_PATH } from './chroot.ts';
import { InvalidArgumentError } from './client-errors.ts';
import type { CreateOptions, NodeValue, ReadOptions, Reconfiguration } from './client-options.ts';
import {
  type CreateFields,
  dataBytes,
  type MultiOp,
  type MultiResult,
  type NodeData,
  readMulti,
  writeCreate,
  writeMulti,
} from './multi.ts';
import { type MultiReadOp, type MultiReadResult, readMultiRead, writeMultiRead } from './multi-read.ts';
import { validatePath, validateSequentialPath } from './paths.ts';
import type { RemovableWatches, Watcher } from './watch-registry.ts';

/** The path is the one that the server gave; the Stat is there unless `type` is the old `create`. */
export function create(
  chroot: Chroot,
  type: OpCode,
  path: string,
  data: NodeData,
  options: CreateOptions,
): Ask<{ path: string; stat?: Stat }> {
  return {
    type,
    path,
    validate: () => validateCreate(path, options),
    write: (to, serverPath) => writeCreate(to, serverPath, { ...options, data }),
    read: (body) => {
      const created = type === OpCode.create ? CreateResponse.read(body) : Create2Response.read(body);
      return { ...created, path: chroot.clientPath(created.path) };
    },
  };
}

export function deleteNode(path: string, version: number): Ask<void> {
  return {
    type: OpCode.delete,
    path,
    validate: (each) => validateVersioned(each, version),
    write: (to, serverPath) => DeleteRequest.write(to, { path: serverPath, version }),
    read: () => undefined,
  };
}

export function exists(path: string, options: ReadOptions): Ask<Stat | undefined> {
  const { watch } = options;
  return {
    type: OpCode.exists,
    path,
    write: (to, serverPath) => ExistsRequest.write(to, { path: serverPath, watch: watch !== undefined }),
    read: (body) => ExistsResponse.read(body).stat,
    noNode: () => undefined,
    watch: { kind: 'data', kindWithoutNode: 'exist', watcher: watch },
  };
}

export function getData(path: string, options: ReadOptions): Ask<NodeValue> {
  const { watch } = options;
  return {
    type: OpCode.getData,
    path,
    write: (to, serverPath) => GetDataRequest.write(to, { path: serverPath, watch: watch !== undefined }),
    read: readNodeValue,
    watch: { kind: 'data', watcher: watch },
  };
}

export function setData(path: string, data: NodeData, version: number): Ask<Stat> {
  return {
    type: OpCode.setData,
    path,
    validate: (each) => validateVersioned(each, version),
    write: (to, serverPath) => SetDataRequest.write(to, { path: serverPath, data: dataBytes(data), version }),
    read: (body) => SetDataResponse.read(body).stat,
  };
}

export function getACL(path: string): Ask<{ acl: ACL[]; stat: Stat }> {
  return {
    type: OpCode.getACL,
    path,
    write: (to, serverPath) => GetACLRequest.write(to, { path: serverPath }),
    read: (body) => {
      const { acl, stat } = GetACLResponse.read(body);
      return { acl: acl ?? [], stat };
    },
  };
}

export function setACL(path: string, acl: readonly ACL[], version: number): Ask<Stat> {
  return {
    type: OpCode.setACL,
    path,
    validate: (each) => {
      validateVersioned(each, version);
      validateAcl(acl, each);
    },
    write: (to, serverPath) => SetACLRequest.write(to, { path: serverPath, acl: [...acl], version }),
    read: (body) => SetACLResponse.read(body).stat,
  };
}

export function getChildren(path: string, options: ReadOptions): Ask<string[]> {
  const { watch } = options;
  return {
    type: OpCode.getChildren,
    path,
    write: (to, serverPath) => GetChildrenRequest.write(to, { path: serverPath, watch: watch !== undefined }),
    read: (body) => GetChildrenResponse.read(body).children ?? [],
    watch: { kind: 'child', watcher: watch },
  };
}

export function getChildrenWithStat(path: string, options: ReadOptions): Ask<{ children: string[]; stat: Stat }> {
  const { watch } = options;
  return {
    type: OpCode.getChildren2,
    path,
    write: (to, serverPath) => GetChildren2Request.write(to, { path: serverPath, watch: watch !== undefined }),
    read: (body) => {
      const { children, stat } = GetChildren2Response.read(body);
      return { children: children ?? [], stat };
    },
    watch: { kind: 'child', watcher: watch },
  };
}

export function sync(path: string): Ask<void> {
  return {
    type: OpCode.sync,
    path,
    write: (to, serverPath) => SyncRequest.write(to, { path: serverPath }),
    read: () => undefined,
  };
}

export function multiRead(chroot: Chroot, ops: readonly MultiReadOp[]): Ask<MultiReadResult[]> {
  return {
    type: OpCode.multiRead,
    path: undefined,
    validate: () => {
      for (const { path } of ops) validatePath(path);
    },
    write: (to) => writeMultiRead(to, ops, (path) => chroot.serverPath(path)),
    read: (body) => readMultiRead(body, ops),
  };
}

export function multi(chroot: Chroot, ops: readonly MultiOp[]): Ask<MultiResult[]> {
  return {
    type: OpCode.multi,
    path: undefined,
    validate: () => ops.forEach(validateOp),
    write: (to) => writeMulti(to, ops, (path) => chroot.serverPath(path)),
    read: (body) => readMulti(body, ops, (path) => chroot.clientPath(path)),
  };
}

export function addWatch(path: string, watcher: Watcher, options: { readonly recursive?: boolean }): Ask<void> {
  const { recursive = false } = options;
  const mode = recursive ? AddWatchMode.PERSISTENT_RECURSIVE : AddWatchMode.PERSISTENT;
  return {
    type: OpCode.addWatch,
    path,
    write: (to, serverPath) => AddWatchRequest.write(to, { path: serverPath, mode }),
    read: () => undefined,
    watch: { kind: recursive ? 'recursive' : 'persistent', watcher },
  };
}

/** `checkWatches` only asks whether the server has such a watch; both have the same body. */
export function removeWatches(
  type: typeof OpCode.removeWatches | typeof OpCode.checkWatches,
  path: string,
  which: RemovableWatches,
  removed: () => void,
): Ask<void> {
  return {
    type,
    path,
    write: (to, serverPath) => RemoveWatchesRequest.write(to, { path: serverPath, type: WatcherType[which] }),
    read: removed,
  };
}

export function getEphemerals(chroot: Chroot, prefixPath: string): Ask<string[]> {
  return {
    type: OpCode.getEphemerals,
    path: prefixPath,
    write: (to, serverPath) => GetEphemeralsRequest.write(to, { prefixPath: serverPath }),
    read: (body) =>
      (GetEphemeralsResponse.read(body).ephemerals ?? [])
        .filter((path) => chroot.contains(path)) // the server compares text: /app is a prefix of /apple
        .map((path) => chroot.clientPath(path)),
  };
}

export function getAllChildrenNumber(path: string): Ask<number> {
  return {
    type: OpCode.getAllChildrenNumber,
    path,
    write: (to, serverPath) => GetAllChildrenNumberRequest.write(to, { path: serverPath }),
    read: (body) => GetAllChildrenNumberResponse.read(body).totalNumber,
  };
}

export function whoAmI(): Ask<ClientInfo[]> {
  return {
    type: OpCode.whoAmI,
    path: undefined,
    validate: noPath,
    write: () => undefined,
    read: (body) => WhoAmIResponse.read(body).clientInfo ?? [],
  };
}

export function getConfig(options: ReadOptions): Ask<NodeValue> {
  const { watch } = options;
  return {
    type: OpCode.getData,
    path: CONFIG_PATH,
    isServerPath: true,
    write: (to, serverPath) => GetDataRequest.write(to, { path: serverPath, watch: watch !== undefined }),
    read: readNodeValue,
    watch: { kind: 'data', watcher: watch },
  };
}

export function reconfigure(change: Reconfiguration): Ask<NodeValue> {
  const { joining = null, leaving = null, members = null, fromConfig = -1n } = change;
  return {
    type: OpCode.reconfig,
    path: undefined,
    validate: noPath,
    write: (to) =>
      ReconfigRequest.write(to, {
        joiningServers: joining,
        leavingServers: leaving,
        newMembers: members,
        curConfigId: fromConfig,
      }),
    read: readNodeValue,
  };
}

const noPath = (): void => undefined;

function readNodeValue(body: Reader): NodeValue {
  const { data, stat } = GetDataResponse.read(body);
  return { data: data === null ? null : Buffer.from(data), stat }; // a copy: the frame must not live on
}

function validateOp(op: MultiOp): void {
  if (op.kind === 'create') validateCreate(op.path, op);
  else validateVersioned(op.path, op.version ?? -1);
}

/** The longest time to live, in milliseconds: what is left of an ephemeral owner's 64 bits. */
const TTL_MS_MAX = 0xff_ffff_ffff;

/** What Apache's client refuses before it asks (EphemeralType.validateTTL, ZooKeeper.validateACL). */
function validateCreate(path: string, { mode = CreateMode.PERSISTENT, acl, ttlMs }: CreateFields): void {
  if (!isCreateMode(mode)) throw new InvalidArgumentError(`${mode} is no create mode`);
  if (isSequential(mode)) validateSequentialPath(path);
  else validatePath(path);
  if (acl !== undefined) validateAcl(acl, path);
  if (isTtl(mode)) {
    if (ttlMs === undefined || !Number.isInteger(ttlMs) || ttlMs <= 0 || ttlMs > TTL_MS_MAX) {
      throw new InvalidArgumentError(`ttlMs must be between 1 and ${TTL_MS_MAX}, not ${ttlMs}`);
    }
  } else if (ttlMs !== undefined) throw new InvalidArgumentError(`ttlMs is of the TTL modes, not of mode ${mode}`);
}

function validateAcl(acl: readonly ACL[], path: string): void {
  if (acl.length === 0) throw new KeeperError(ErrorCode.INVALIDACL, path);
}

function validateVersioned(path: string, version: number): void {
  validatePath(path);
  if ((version | 0) !== version) throw new InvalidArgumentError(`${version} is no version, which has 32 bits`);
}
