import { MalformedError } from '../../../wire/errors.ts';
import { CreateMode } from '../../jute/create-mode.ts';
import type { ACL, Id } from '../../jute/data.ts';
import { printHex, type SessionId } from '../../jute/ids.ts';
import { OpCode } from '../../jute/op-codes.ts';
import type { TxnRecord } from '../../jute/txn.ts';
import { Perms } from '../../tree/acl.ts';
import type { ApplyResult, DataTree } from '../../tree/data-tree.ts';
import { type ChangeRequest, readChange, readMulti } from '../change-requests.ts';
import type { PendingRequest } from '../pending-request.ts';
import { RequestCursor } from '../request-cursor.ts';
import { type AuditEvent, type AuditResult, type AuditSink, auditLine } from './audit-event.ts';

const Operation = {
  start: 'serverStart',
  stop: 'serverStop',
  create: 'create',
  delete: 'delete',
  setData: 'setData',
  setAcl: 'setAcl',
  multi: 'multiOperation',
  reconfig: 'reconfig',
  ephemeralDeletion: 'ephemeralZNodeDeletionOnSessionCloseOrExpire',
} as const;

const modeNames = new Map<number, string>(
  Object.entries(CreateMode).map(([name, flags]) => [flags, name.toLowerCase()]),
);

/** An ephemeral node that ends with its session, and whether it was there. */
type Doomed = readonly [path: string, exists: boolean];
export const nothingDoomed: readonly Doomed[] = [];

/** Who changed what (AuditHelper): every request that was to change a znode, done or refused. Reads are not told of. */
export class AuditLog {
  readonly #sink: AuditSink;
  /** Whom the process belongs to. */
  readonly #owner: string;
  /** Of its own: the server's may be at work. */
  readonly #cursor = new RequestCursor();
  #hasStarted = false;

  constructor(sink: AuditSink, owner: string) {
    this.#sink = sink;
    this.#owner = owner;
  }

  started(): void {
    this.#hasStarted = true;
    this.#write({ user: this.#owner, operation: Operation.start, result: 'success' });
  }

  startFailed(): void {
    this.#write({ user: this.#owner, operation: Operation.start, result: 'failure' });
  }

  stopping(): void {
    if (!this.#hasStarted) return;
    this.#write({ user: this.#owner, operation: Operation.stop, result: 'invoked' });
  }

  /** Before the end of a session is applied: what will go with it. */
  doomedBy(tree: DataTree, { header, txn }: TxnRecord): readonly Doomed[] {
    if (txn.type !== OpCode.closeSession) return nothingDoomed;
    const paths = new Set([...(txn.paths2Delete ?? []), ...tree.ephemeralsOf(header.clientId)]);
    return [...paths].map((path) => [path, tree.has(path)] as const);
  }

  /** After a transaction was applied. Without a request nobody of this server's clients asked for it. */
  applied(
    record: TxnRecord,
    result: ApplyResult,
    request: PendingRequest | undefined,
    doomed: readonly Doomed[],
  ): void {
    for (const [znode, exists] of doomed) this.#ephemeralDeleted(record.header.clientId, znode, exists);
    if (request === undefined) return;
    try {
      if (request.type === OpCode.multi && record.txn.type === OpCode.multi) this.#multi(request, result);
      else this.#single(request, result);
    } catch (error) {
      // A request that cannot be read was refused as such: there is nothing to tell of it (AuditHelper leaves it out too).
      if (!(error instanceof MalformedError)) throw error;
    }
  }

  #single(request: PendingRequest, { type, err, path }: ApplyResult): void {
    const result: AuditResult = err === 0 ? 'success' : 'failure';
    const failed = type === OpCode.error;
    switch (request.type) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTTL: {
        const asked = readChange(request.type, this.#cursor.open(request.frame, 8));
        const mode = modeOf(asked);
        if (mode === undefined) return;
        this.#asked(request, {
          operation: Operation.create,
          znode: failed ? asked.path : path,
          znode_type: mode,
          result,
        });
        return;
      }
      case OpCode.delete:
      case OpCode.setData: {
        const operation = request.type === OpCode.delete ? Operation.delete : Operation.setData;
        this.#asked(request, { operation, znode: failed ? this.#pathOf(request) : path, result });
        return;
      }
      case OpCode.setACL: {
        const asked = readChange(request.type, this.#cursor.open(request.frame, 8));
        const acl = asked.type === OpCode.setACL ? aclText(asked.acl ?? []) : undefined;
        this.#asked(request, { operation: Operation.setAcl, znode: failed ? asked.path : path, acl, result });
        return;
      }
      case OpCode.multi:
        this.#asked(request, { operation: Operation.multi, result });
        return;
      case OpCode.reconfig:
        this.#asked(request, { operation: Operation.reconfig, result });
    }
  }

  /** What succeeded one by one, what failed as a whole. */
  #multi(request: PendingRequest, { results = [] }: ApplyResult): void {
    // Apache looks modes up by the path that was asked for, of creations without a time to live.
    const modes = new Map<string, string | undefined>();
    for (const asked of readMulti(this.#cursor.open(request.frame, 8))) {
      if (asked.type !== OpCode.createTTL) modes.set(asked.path, modeOf(asked) ?? modes.get(asked.path));
    }
    let failed = false;
    for (const { type, path } of results) {
      switch (type) {
        case OpCode.create:
        case OpCode.create2:
        case OpCode.createTTL:
        case OpCode.createContainer: {
          const mode = path === undefined ? undefined : modes.get(path);
          this.#asked(request, { operation: Operation.create, znode: path, znode_type: mode, result: 'success' });
          break;
        }
        case OpCode.delete:
          this.#asked(request, { operation: Operation.delete, znode: path, result: 'success' });
          break;
        case OpCode.setData:
          this.#asked(request, { operation: Operation.setData, znode: path, result: 'success' });
          break;
        case OpCode.error:
          failed = true;
      }
    }
    if (failed) this.#asked(request, { operation: Operation.multi, result: 'failure' });
  }

  #ephemeralDeleted(session: SessionId, znode: string, exists: boolean): void {
    const result = exists ? 'success' : 'failure';
    this.#write({
      session: printHex(session),
      user: this.#owner,
      operation: Operation.ephemeralDeletion,
      znode,
      result,
    });
  }

  #asked({ session, ids }: PendingRequest, event: AuditEvent): void {
    const ip = ids.find(({ scheme }) => scheme === 'ip')?.id;
    this.#write({ ...event, session: printHex(session.id), user: usersOf(ids), ip });
  }

  #pathOf(request: PendingRequest): string {
    return readChange(request.type, this.#cursor.open(request.frame, 8)).path;
  }

  #write(event: AuditEvent): void {
    this.#sink.write(auditLine(event), event.result);
  }
}

/** Undefined for what creates nothing, or in no way there is. */
function modeOf(asked: ChangeRequest): string | undefined {
  return 'flags' in asked ? modeNames.get(asked.flags) : undefined;
}

/** Names by comma; who is super user is so by a digest that is named anyway (AuthUtil.getUsers). */
function usersOf(ids: readonly Id[]): string | undefined {
  const names = ids
    .filter(({ scheme }) => scheme !== 'super' && scheme !== 'world')
    .map(({ scheme, id }) => (scheme === 'digest' ? (id.split(':', 1)[0] ?? '') : id))
    .filter((name) => name.trim() !== '');
  return names.length === 0 ? undefined : names.join(',');
}

/** `world:anyone:cdrwa`, lists without anything between (ZKUtil.aclToString). */
function aclText(acl: readonly ACL[]): string {
  return acl.map(({ perms, id }) => `${id.scheme}:${id.id}:${permsText(perms)}`).join('');
}

function permsText(perms: number): string {
  const letters: readonly (readonly [number, string])[] = [
    [Perms.CREATE, 'c'],
    [Perms.DELETE, 'd'],
    [Perms.READ, 'r'],
    [Perms.WRITE, 'w'],
    [Perms.ADMIN, 'a'],
  ];
  return letters.map(([bit, letter]) => ((perms & bit) !== 0 ? letter : '')).join('');
}
