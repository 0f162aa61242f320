import type { ZooCfg } from '../../config/zoo-cfg.ts';
import { isCreateMode, isEphemeral, isSequential, isTtl } from '../jute/create-mode.ts';
import type { ACL, Id } from '../jute/data.ts';
import { ErrorCode, KeeperError } from '../jute/errors.ts';
import type { SessionId, Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { Txn } from '../jute/txn.ts';
import { type AclSchemes, allows, normalizeAcl, Perms } from '../tree/acl.ts';
import { CONTAINER_OWNER, kindOfOwner, TTL_MAX, ttlOwner } from '../tree/ephemeral-owner.ts';
import { pathFault, RecentParent } from '../tree/path.ts';
import type { ChangeRequest, CreateChange } from './change-requests.ts';
import { newRecord, type OutstandingChanges } from './outstanding-changes.ts';
import type { QuotaCheck } from './quota-check.ts';
import type { SessionScope } from './sessions.ts';

/** Who asks for a change, and the transaction it becomes. */
export interface ChangeContext {
  readonly sessionId: SessionId;
  readonly scope: SessionScope;
  readonly ids: readonly Id[];
  readonly zxid: Zxid;
  readonly timeMs: number;
}

/** A transaction, or the code of the error that it fails with. */
export type Prepared = Txn | ErrorCode;

const CONFIG_PATH = '/zookeeper/config';
const SPECIAL_PATHS: ReadonlySet<string> = new Set(['/', '/zookeeper', '/zookeeper/quota', CONFIG_PATH]);

/**
 * Judges changes of single znodes against the outstanding state, and notes what they will do to it. The order of the checks is
 * Apache's (PrepRequestProcessor.pRequest2Txn): a client sees the first that fails.
 */
export class NodeChanges {
  readonly #changes: OutstandingChanges;
  readonly #config: ZooCfg;
  readonly #schemes: AclSchemes;
  readonly #quotas: QuotaCheck | undefined;
  readonly #parents = new RecentParent();

  /** @param quotas undefined: they are not enforced */
  constructor(changes: OutstandingChanges, config: ZooCfg, schemes: AclSchemes, quotas: QuotaCheck | undefined) {
    this.#changes = changes;
    this.#config = config;
    this.#schemes = schemes;
    this.#quotas = quotas;
  }

  prepare(context: ChangeContext, request: ChangeRequest): Prepared {
    switch (request.type) {
      case OpCode.setData:
        return this.#setData(context, request.path, request.data, request.version);
      case OpCode.delete:
        return this.#delete(context, request.path, request.version);
      case OpCode.setACL:
        return this.#setAcl(context, request.path, request.acl, request.version);
      case OpCode.check:
        return this.#check(context, request.path, request.version);
      default:
        return this.#create(context, request);
    }
  }

  #create(context: ChangeContext, request: CreateChange): Prepared {
    const { type, flags, ttl } = request;
    if (!isCreateMode(flags)) return ErrorCode.BADARGUMENTS;
    if (isTtl(flags) && !this.#config.extendedTypesEnabled) return ErrorCode.UNIMPLEMENTED;
    if (isTtl(flags) ? !(ttl > 0 && ttl <= TTL_MAX) : ttl >= 0) return ErrorCode.BADARGUMENTS;
    // Apache goes by the opcode alone; a TTL node without a time to live would be none, so here both must agree.
    if (isTtl(flags) !== (type === OpCode.createTTL)) return ErrorCode.BADARGUMENTS;
    if (isEphemeral(flags) && context.scope !== 'global') {
      // A learner that could not upgrade the session knows the better word for it.
      return context.scope === 'local' ? ErrorCode.EPHEMERALONLOCALSESSION : ErrorCode.SESSIONEXPIRED;
    }
    const parentPath = this.#parentOf(request.path);
    if (parentPath === undefined) return ErrorCode.BADARGUMENTS;
    const acl = this.#normalized(request.path, request.acl, context.ids);
    if (typeof acl === 'number') return acl;
    const parent = this.#changes.get(parentPath);
    if (parent === undefined) return ErrorCode.NONODE;
    if (!this.#permits(parent.acl, Perms.CREATE, context.ids)) return ErrorCode.NOAUTH;
    const path = isSequential(flags) ? request.path + sequenceSuffix(parent.cversion) : request.path;
    if (pathFault(path) !== undefined) return ErrorCode.BADARGUMENTS;
    if (path === '/' || this.#changes.has(path)) return ErrorCode.NODEEXISTS;
    if (this.#isEphemeral(parent.ephemeralOwner)) return ErrorCode.NOCHILDRENFOREPHEMERALS;
    const dataLength = request.data?.length ?? 0;
    if (this.#quotas?.refuses(path, 1, dataLength)) return ErrorCode.QUOTAEXCEEDED;

    const parentCVersion = (parent.cversion + 1) | 0;
    parent.cversion = parentCVersion;
    parent.childCount += 1;
    parent.pzxid = context.zxid;
    this.#changes.put(parent, { kind: 'stat' });
    const node = newRecord(path, acl, context.zxid, context.timeMs);
    node.dataLength = dataLength;
    node.ephemeralOwner = ownerOf(request, context.sessionId);
    this.#changes.put(node, { kind: 'created', data: request.data });

    return creation(request, path, acl as ACL[], parentCVersion);
  }

  #delete(context: ChangeContext, path: string, version: number): Prepared {
    const parentPath = this.#parentOf(path);
    if (parentPath === undefined || SPECIAL_PATHS.has(path)) return ErrorCode.BADARGUMENTS;
    const parent = this.#changes.get(parentPath);
    if (parent === undefined) return ErrorCode.NONODE;
    if (!this.#permits(parent.acl, Perms.DELETE, context.ids)) return ErrorCode.NOAUTH;
    const node = this.#changes.get(path);
    if (node === undefined) return ErrorCode.NONODE;
    if (version !== -1 && version !== node.version) return ErrorCode.BADVERSION;
    if (node.childCount > 0) return ErrorCode.NOTEMPTY;
    this.#remove(context, parentPath, path);
    return { type: OpCode.delete, path };
  }

  /** The server's own, of a container or a node whose time is over: no session, no access control. */
  deleteContainer(context: ChangeContext, path: string): Prepared {
    const parentPath = this.#parentOf(path);
    if (parentPath === undefined || SPECIAL_PATHS.has(path)) return ErrorCode.BADARGUMENTS;
    const node = this.#changes.get(path);
    if (node === undefined) return ErrorCode.NONODE;
    if (node.childCount > 0) return ErrorCode.NOTEMPTY;
    const kind = kindOfOwner(node.ephemeralOwner, this.#config.extendedTypesEnabled);
    if (kind === 'persistent' || kind === 'ephemeral') return ErrorCode.BADVERSION;
    this.#remove(context, parentPath, path);
    return { type: OpCode.deleteContainer, path };
  }

  #setData(context: ChangeContext, path: string, data: Uint8Array | null, version: number): Prepared {
    if (pathFault(path) !== undefined) return ErrorCode.BADARGUMENTS;
    const node = this.#changes.get(treePath(path));
    if (node === undefined) return ErrorCode.NONODE;
    if (!this.#permits(node.acl, Perms.WRITE, context.ids)) return ErrorCode.NOAUTH;
    const dataLength = data?.length ?? 0;
    if (this.#quotas?.refuses(path, 0, dataLength - node.dataLength)) return ErrorCode.QUOTAEXCEEDED;
    if (version !== -1 && version !== node.version) return ErrorCode.BADVERSION;
    node.version = (node.version + 1) | 0;
    node.mzxid = context.zxid;
    node.mtime = context.timeMs;
    node.dataLength = dataLength;
    this.#changes.put(node, { kind: 'data', data });
    return { type: OpCode.setData, path, data, version: node.version };
  }

  /** The membership: no version of the node guards it, and it weighs nothing in quotas. */
  setConfig(context: ChangeContext, data: Uint8Array): Prepared {
    const node = this.#changes.get(CONFIG_PATH);
    if (node === undefined) return ErrorCode.NONODE;
    if (!this.#permits(node.acl, Perms.WRITE, context.ids)) return ErrorCode.NOAUTH;
    node.version = -1;
    node.mzxid = context.zxid;
    node.mtime = context.timeMs;
    node.dataLength = data.length;
    this.#changes.put(node, { kind: 'data', data });
    return { type: OpCode.reconfig, path: CONFIG_PATH, data, version: -1 };
  }

  #setAcl(context: ChangeContext, path: string, requested: readonly ACL[] | null, version: number): Prepared {
    if (pathFault(path) !== undefined) return ErrorCode.BADARGUMENTS;
    const acl = this.#normalized(path, requested, context.ids);
    if (typeof acl === 'number') return acl;
    const node = this.#changes.get(treePath(path));
    if (node === undefined) return ErrorCode.NONODE;
    if (!this.#permits(node.acl, Perms.ADMIN, context.ids)) return ErrorCode.NOAUTH;
    if (version !== -1 && version !== node.aversion) return ErrorCode.BADVERSION;
    node.aversion = (node.aversion + 1) | 0;
    node.acl = acl;
    this.#changes.put(node, { kind: 'stat' });
    return { type: OpCode.setACL, path, acl: acl as ACL[], version: node.aversion };
  }

  /** Only inside a multi. */
  #check(context: ChangeContext, path: string, version: number): Prepared {
    if (pathFault(path) !== undefined) return ErrorCode.BADARGUMENTS;
    const node = this.#changes.get(treePath(path));
    if (node === undefined) return ErrorCode.NONODE;
    if (!this.#permits(node.acl, Perms.READ, context.ids)) return ErrorCode.NOAUTH;
    if (version !== -1 && version !== node.version) return ErrorCode.BADVERSION;
    return { type: OpCode.check, path, version: (node.version + 1) | 0 };
  }

  /** The end of a session takes its ephemerals along; they are listed in the transaction. */
  closeSession(context: ChangeContext): Txn {
    const paths = this.#changes.ephemeralsOf(context.sessionId);
    for (const path of paths) this.#remove(context, this.#parentOf(path) as string, path);
    return { type: OpCode.closeSession, paths2Delete: this.#config.closeSessionTxnEnabled ? paths : null };
  }

  /** Undefined for what is no path with a parent. */
  #parentOf(path: string): string | undefined {
    return path.includes('\0') ? undefined : this.#parents.of(path);
  }

  #remove(context: ChangeContext, parentPath: string, path: string): void {
    const parent = this.#changes.get(parentPath);
    if (parent !== undefined) {
      parent.childCount -= 1;
      parent.pzxid = context.zxid;
      this.#changes.put(parent, { kind: 'stat' });
    }
    const node = this.#changes.get(path);
    if (node !== undefined) this.#changes.put(node, { kind: 'deleted' });
  }

  #permits(acl: readonly ACL[], perm: number, ids: readonly Id[]): boolean {
    return this.#config.skipAcl || allows(acl, perm, ids, this.#schemes);
  }

  #normalized(path: string, acl: readonly ACL[] | null, ids: readonly Id[]): readonly ACL[] | ErrorCode {
    try {
      return normalizeAcl(path, acl, ids, this.#schemes);
    } catch (error) {
      if (error instanceof KeeperError) return error.code as ErrorCode;
      throw error;
    }
  }

  #isEphemeral(owner: SessionId): boolean {
    return owner !== 0n && kindOfOwner(owner, this.#config.extendedTypesEnabled) === 'ephemeral';
  }
}

/** The tree's own name of a path: it calls the root ''. */
export function treePath(path: string): string {
  return path === '/' ? '' : path;
}

/** Written out field by field: the engine copies an object into a literal slowly. */
function creation(request: CreateChange, path: string, acl: ACL[], parentCVersion: number): Txn {
  const { type, data, flags, ttl } = request;
  if (type === OpCode.createTTL) return { type, path, data, acl, parentCVersion, ttl };
  if (type === OpCode.createContainer) return { type, path, data, acl, parentCVersion };
  return { type, path, data, acl, parentCVersion, ephemeral: isEphemeral(flags) };
}

/** `%010d` of the parent's stored cversion: a counter past int32 is negative, as Java prints it. */
function sequenceSuffix(cversion: number): string {
  const digits = String(Math.abs(cversion));
  return cversion < 0 ? `-${digits.padStart(9, '0')}` : digits.padStart(10, '0');
}

function ownerOf(request: CreateChange, sessionId: SessionId): SessionId {
  if (request.type === OpCode.createContainer) return CONTAINER_OWNER;
  if (request.type === OpCode.createTTL) return ttlOwner(request.ttl);
  return isEphemeral(request.flags) ? sessionId : (0n as SessionId);
}
