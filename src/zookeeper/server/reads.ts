import type { Slices } from '../../base/slices.ts';
import type { ZooCfg } from '../../config/zoo-cfg.ts';
import { MalformedError } from '../../wire/errors.ts';
import { Reader } from '../../wire/reader.ts';
import type { Writer } from '../../wire/writer.ts';
import type { ACL, Id } from '../jute/data.ts';
import { ErrorCode } from '../jute/errors.ts';
import { AddWatchMode } from '../jute/events.ts';
import type { SessionId } from '../jute/ids.ts';
import { OpCode, Xid } from '../jute/op-codes.ts';
import {
  AddWatchRequest,
  CheckWatchesRequest,
  GetACLResponse,
  GetEphemeralsResponse,
  MultiHeader,
  SetWatches,
  SetWatches2,
  WhoAmIResponse,
} from '../jute/proto.ts';
import { type AclSchemes, allows, Perms, redactAcl } from '../tree/acl.ts';
import { type DataTree, NO_NODE, type NodeId } from '../tree/data-tree.ts';
import { type Watcher, WatchMode } from '../tree/watches.ts';
import type { ServerMetrics } from './metrics/server-metrics.ts';
import {
  beginReply,
  replyBody,
  replyData,
  replyHeader,
  replyMalformed,
  replyStat,
  writeMultiError,
} from './replies.ts';
import type { RequestCursor } from './request-cursor.ts';

/** The connection that asks. */
export interface ReadClient extends Watcher {
  /** What waits to be sent to it. */
  readonly out: Writer;
  readonly ids: readonly Id[];
  readonly sessionId: SessionId;
}

/** Requests that are answered from the tree at once, in their session's order. */
export class ReadRequests {
  readonly #tree: DataTree;
  readonly #cursor: RequestCursor;
  readonly #metrics: ServerMetrics;
  readonly #skipAcl: boolean;
  readonly #schemes: AclSchemes;
  /** The last list that was found to let everybody read: ids of lists are never given to another list. */
  #worldReadableAclId = -1;
  /** Of the request just decoded by `#readPathAndWatch`. */
  #watch = false;

  constructor(tree: DataTree, config: ZooCfg, cursor: RequestCursor, schemes: AclSchemes, metrics: ServerMetrics) {
    this.#tree = tree;
    this.#cursor = cursor;
    this.#metrics = metrics;
    this.#skipAcl = config.skipAcl;
    this.#schemes = schemes;
  }

  /** The tree holds another content now: what was learnt of its access lists does not count. */
  treeReplaced(): void {
    this.#worldReadableAclId = -1;
  }

  /** @param frame with its header of 8 bytes */
  answer(type: number, xid: number, frame: Slices, client: ReadClient): void {
    try {
      this.#answer(type, xid, frame, client);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      replyMalformed(client.out, xid, this.#tree.lastProcessedZxid);
    }
  }

  #answer(type: number, xid: number, frame: Slices, client: ReadClient): void {
    switch (type) {
      case OpCode.getData:
        return this.#getData(xid, this.#readPathAndWatch(frame), client);
      case OpCode.exists:
        return this.#exists(xid, this.#readPathAndWatch(frame), client);
      case OpCode.getChildren2:
      case OpCode.getChildren:
        return this.#getChildren(type, xid, this.#readPathAndWatch(frame), client);
      case OpCode.ping:
        // Whatever number it came with.
        return replyHeader(client.out, Xid.ping, this.#tree.lastProcessedZxid, 0);
      default: {
        const from = new Reader(frame);
        from.skip(8);
        return this.#answerRare(type, xid, from, client);
      }
    }
  }

  #answerRare(type: number, xid: number, from: Reader, client: ReadClient): void {
    switch (type) {
      case OpCode.getACL:
        return this.#getAcl(xid, readText(from), client);
      case OpCode.setWatches:
        return this.#setWatches(xid, { ...SetWatches.read(from), ...noPersistentWatches }, client);
      case OpCode.setWatches2:
        return this.#setWatches(xid, SetWatches2.read(from), client);
      case OpCode.addWatch:
        return this.#addWatch(xid, from, client);
      case OpCode.checkWatches:
      case OpCode.removeWatches:
        return this.#checkOrRemoveWatches(type, xid, from, client);
      case OpCode.multiRead:
        return this.#multiRead(xid, from, client);
      case OpCode.getEphemerals:
        return this.#getEphemerals(xid, from, client);
      case OpCode.getAllChildrenNumber:
        return this.#getAllChildrenNumber(xid, readText(from), client);
      case OpCode.whoAmI:
        return this.#whoAmI(xid, client);
      default:
        throw new MalformedError(`no read has type ${type}`);
    }
  }

  #getData(xid: number, path: string, client: ReadClient): void {
    const node = this.#tree.find(path);
    if (node === NO_NODE) return this.#refuse(xid, ErrorCode.NONODE, client);
    if (!this.#mayRead(node, client)) return this.#refuse(xid, ErrorCode.NOAUTH, client);
    if (this.#watch) this.#tree.watches.data.add(path, client, WatchMode.STANDARD);
    replyData(client.out, xid, this.#tree, node);
    this.#metrics.read(path, this.#tree.dataLength(node));
  }

  /** A missing node leaves its watch too: it will be told of the creation. */
  #exists(xid: number, path: string, client: ReadClient): void {
    if (path.includes('\0')) return this.#refuse(xid, ErrorCode.BADARGUMENTS, client);
    const node = this.#tree.find(path);
    if (node !== NO_NODE && !this.#mayRead(node, client)) return this.#refuse(xid, ErrorCode.NOAUTH, client);
    if (this.#watch) this.#tree.watches.data.add(path, client, WatchMode.STANDARD);
    if (node === NO_NODE) return this.#refuse(xid, ErrorCode.NONODE, client);
    replyStat(client.out, xid, this.#tree, node);
    this.#metrics.read(path, 0);
  }

  #getChildren(type: number, xid: number, path: string, client: ReadClient): void {
    const tree = this.#tree;
    const node = tree.find(path);
    if (node === NO_NODE) return this.#refuse(xid, ErrorCode.NONODE, client);
    if (!this.#mayRead(node, client)) return this.#refuse(xid, ErrorCode.NOAUTH, client);
    if (this.#watch) tree.watches.child.add(path, client, WatchMode.STANDARD);
    replyBody(client.out, xid, tree.lastProcessedZxid, (body) => {
      this.#writeChildren(body, path, node);
      if (type === OpCode.getChildren2) tree.writeStat(body, node);
    });
  }

  #writeChildren(to: Writer, path: string, node: NodeId): void {
    const before = to.size;
    this.#tree.writeChildren(to, node);
    // A count, and a length before each name.
    this.#metrics.read(path, to.size - before - 4 * (1 + this.#tree.childCount(node)));
  }

  /** READ or ADMIN; without ADMIN the digests are hidden. */
  #getAcl(xid: number, path: string, client: ReadClient): void {
    const tree = this.#tree;
    const node = tree.find(path);
    if (node === NO_NODE) return this.#refuse(xid, ErrorCode.NONODE, client);
    const acl = tree.acl(node);
    const isAdmin = this.#skipAcl || allows(acl, Perms.ADMIN, client.ids, this.#schemes);
    if (!isAdmin && !allows(acl, Perms.READ, client.ids, this.#schemes))
      return this.#refuse(xid, ErrorCode.NOAUTH, client);
    const shown = isAdmin ? acl : redactAcl(acl);
    replyBody(client.out, xid, tree.lastProcessedZxid, (body) =>
      GetACLResponse.write(body, { acl: [...shown] as ACL[], stat: tree.stat(node) }),
    );
  }

  /** The events come first, then the reply: header only. */
  #setWatches(xid: number, request: SetWatches2, client: ReadClient): void {
    this.#tree.setWatches(request, client);
    replyHeader(client.out, xid, this.#tree.lastProcessedZxid, 0);
  }

  #addWatch(xid: number, from: Reader, client: ReadClient): void {
    const { path, mode } = AddWatchRequest.read(from);
    if (mode === AddWatchMode.PERSISTENT) this.#tree.watches.addPersistent(path, client);
    else if (mode === AddWatchMode.PERSISTENT_RECURSIVE) this.#tree.watches.addRecursive(path, client);
    else throw new MalformedError(`no watch has mode ${mode}`);
    beginReply(client.out, xid, this.#tree.lastProcessedZxid, 0, 4);
    client.out.int32(0);
  }

  #checkOrRemoveWatches(type: number, xid: number, from: Reader, client: ReadClient): void {
    const { path, type: watcherType } = CheckWatchesRequest.read(from);
    if (watcherType < 1 || watcherType > 5) throw new MalformedError(`no watcher has type ${watcherType}`);
    const { watches } = this.#tree;
    const found =
      type === OpCode.checkWatches ? watches.has(path, watcherType, client) : watches.remove(path, watcherType, client);
    if (!found) return this.#refuse(xid, ErrorCode.NOWATCHER, client);
    replyHeader(client.out, xid, this.#tree.lastProcessedZxid, 0);
  }

  /** Each operation succeeds or fails by itself. */
  #multiRead(xid: number, from: Reader, client: ReadClient): void {
    const tree = this.#tree;
    const operations: { type: number; path: string }[] = [];
    for (let header = MultiHeader.read(from); !header.done; header = MultiHeader.read(from)) {
      const { type } = header;
      if (type !== OpCode.getData && type !== OpCode.getChildren)
        throw new MalformedError(`type ${type} inside a multiRead`);
      operations.push({ type, path: readText(from) });
      from.bool();
    }
    replyBody(client.out, xid, tree.lastProcessedZxid, (body) => {
      for (const { type, path } of operations) {
        const node = tree.find(path);
        if (node === NO_NODE) writeMultiError(body, ErrorCode.NONODE);
        else if (!this.#mayRead(node, client)) writeMultiError(body, ErrorCode.NOAUTH);
        else {
          MultiHeader.write(body, { type, done: false, err: 0 });
          if (type === OpCode.getChildren) {
            this.#writeChildren(body, path, node);
          } else {
            this.#metrics.read(path, tree.dataLength(node));
            tree.writeData(body, node);
            tree.writeStat(body, node);
          }
        }
      }
      MultiHeader.write(body, { type: -1, done: true, err: -1 });
    });
  }

  #getEphemerals(xid: number, from: Reader, client: ReadClient): void {
    // Here a null string is allowed, whose length is -1.
    const size = from.int32();
    if (size < -1) throw new MalformedError(`a string of ${size} bytes`);
    const prefixPath = size < 0 ? '' : from.utf8(size);
    const trimmed = prefixPath.trim();
    const prefix = trimmed === '' || trimmed === '/' ? '/' : prefixPath;
    const ephemerals = [...this.#tree.ephemeralsOf(client.sessionId)].filter((path) => path.startsWith(prefix));
    replyBody(client.out, xid, this.#tree.lastProcessedZxid, (body) =>
      GetEphemeralsResponse.write(body, { ephemerals }),
    );
  }

  #getAllChildrenNumber(xid: number, path: string, client: ReadClient): void {
    const node = this.#tree.find(path);
    if (node === NO_NODE) return this.#refuse(xid, ErrorCode.NONODE, client);
    if (!this.#mayRead(node, client)) return this.#refuse(xid, ErrorCode.NOAUTH, client);
    beginReply(client.out, xid, this.#tree.lastProcessedZxid, 0, 4);
    // Under its other name the root counts itself, as Apache finds those that begin with `/`.
    client.out.int32(this.#tree.allChildrenCount(node) + (path === '' ? 1 : 0));
  }

  #whoAmI(xid: number, client: ReadClient): void {
    const clientInfo = client.ids.map(({ scheme, id }) => ({ authScheme: scheme, user: userOf(scheme, id) }));
    replyBody(client.out, xid, this.#tree.lastProcessedZxid, (body) => WhoAmIResponse.write(body, { clientInfo }));
  }

  #refuse(xid: number, err: number, client: ReadClient): void {
    replyHeader(client.out, xid, this.#tree.lastProcessedZxid, err);
  }

  #mayRead(node: NodeId, client: ReadClient): boolean {
    const aclId = this.#tree.aclId(node);
    if (aclId === this.#worldReadableAclId || this.#skipAcl) return true;
    const acl = this.#tree.acl(node);
    if (allows(acl, Perms.READ, nobody, this.#schemes)) {
      this.#worldReadableAclId = aclId;
      return true;
    }
    return allows(acl, Perms.READ, client.ids, this.#schemes);
  }

  /** `path:ustring | watch:boolean`, which the hot requests share; the flag is left in `#watch`. */
  #readPathAndWatch(frame: Slices): string {
    const from = this.#cursor.open(frame, 8);
    const path = from.text();
    this.#watch = from.bool();
    return path;
  }
}

/** The hash of a digest is not shown, and no provider knows who `super` is. */
function userOf(scheme: string, id: string): string {
  if (scheme === 'super') return '';
  return scheme === 'digest' ? (id.split(':', 1)[0] as string) : id;
}

const nobody: readonly Id[] = [];
const noPersistentWatches = { persistentWatches: null, persistentRecursiveWatches: null };

/** Null is refused: no request can do without its path. */
function readText(from: Reader): string {
  const size = from.int32();
  if (size < 0) throw new MalformedError('a null string');
  return from.utf8(size);
}
