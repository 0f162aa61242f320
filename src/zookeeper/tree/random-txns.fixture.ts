import type { ACL } from '../jute/data.ts';
import type { SessionId, Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { Txn, TxnHeader, TxnRecord } from '../jute/txn.ts';
import { OPEN_ACL_UNSAFE } from './acl.ts';
import type { DataTree } from './data-tree.ts';
import { DIGEST_VERSION } from './digest.ts';

/** Uniform in [0, limit). */
export type Draw = (limit: number) => number;

/** A generator of its own, so that one number replays a test. */
export function drawFrom(seed: number): Draw {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  return (limit) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0;
    const mixed = Math.imul(state ^ (state >>> 12), 0x297a2d39) >>> 0;
    return ((mixed ^ (mixed >>> 15)) >>> 0) % limit;
  };
}

const sessions = [0x1_0000_0000n, 0x2_0000_0000n, 0x3_0000_0000n] as SessionId[];
const open = OPEN_ACL_UNSAFE as ACL[];
const readOnly: ACL[] = [{ perms: 1, id: { scheme: 'digest', id: 'a:b' } }];

/**
 * Draws transactions that a leader could have made of a tree, over a small set of names so that nodes come and go, applies them,
 * and answers them as they would stand in the log.
 */
export class RandomTxns {
  readonly tree: DataTree;
  readonly #draw: Draw;
  /** Timeouts of open sessions. */
  readonly sessions = new Map<SessionId, number>();

  constructor(tree: DataTree, draw: Draw) {
    this.tree = tree;
    this.#draw = draw;
  }

  next(): TxnRecord {
    const zxid = (this.tree.lastProcessedZxid + 1n) as Zxid;
    const clientId = sessions[this.#draw(sessions.length)] as SessionId;
    const txn = this.#txn(clientId);
    const header: TxnHeader = {
      clientId,
      cxid: this.#draw(1000),
      zxid,
      time: 1_700_000_000_000 + Number(zxid),
      type: txn.type,
    };
    if (txn.type === OpCode.createSession) this.sessions.set(clientId, txn.timeOut);
    if (txn.type === OpCode.closeSession) this.sessions.delete(clientId);
    this.tree.apply(header, txn);
    const digest = txn.type === OpCode.error ? null : { version: DIGEST_VERSION, treeDigest: this.tree.treeDigest };
    return { header, txn, digest };
  }

  #txn(session: SessionId): Txn {
    // Longer than any test runs: a server that loads the sessions must not let them expire meanwhile.
    if (!this.sessions.has(session)) return { type: OpCode.createSession, timeOut: 3_600_000 + this.#draw(1000) };
    switch (this.#draw(14)) {
      case 0:
        return { type: OpCode.closeSession, paths2Delete: [...this.tree.ephemeralsOf(session)] };
      case 1:
        return { type: OpCode.error, err: -101 };
      case 2:
        return this.#multi();
      case 3:
      case 4:
        return this.#delete();
      case 5:
        return this.#setAcl();
      case 6:
      case 7:
      case 8:
        return this.#setData();
      default:
        return this.#create();
    }
  }

  /** Two operations on different nodes, or a failed pair. */
  #multi(): Txn {
    if (this.#draw(3) === 0) {
      return {
        type: OpCode.multi,
        txns: [this.#setData(), { type: OpCode.error, err: -103 }, { type: OpCode.error, err: -2 }],
      };
    }
    const first = this.#setData();
    return { type: OpCode.multi, txns: [first, { type: OpCode.check, path: '/', version: 0 }] };
  }

  #create(): Txn {
    const parents = [...this.#paths()].filter((path) => {
      const node = this.tree.find(path);
      return !this.tree.isEphemeral(node) && path.split('/').length < 5;
    });
    const parent = parents[this.#draw(parents.length)] as string;
    const path = `${parent === '/' ? '' : parent}/${'abcde'[this.#draw(5)]}`;
    if (this.tree.find(path) >= 0) return { type: OpCode.error, err: -110 };
    const parentCVersion = this.tree.cversion(this.tree.find(parent)) + 1;
    const fields = { path, data: this.#data(), acl: this.#draw(4) === 0 ? readOnly : open, parentCVersion };
    switch (this.#draw(6)) {
      case 0:
        return { type: OpCode.createContainer, ...fields };
      case 1:
        return { type: OpCode.createTTL, ...fields, ttl: 1 + this.#draw(100_000) };
      case 2:
      case 3:
        return { type: OpCode.create, ...fields, ephemeral: true };
      default:
        return { type: OpCode.create2, ...fields, ephemeral: false };
    }
  }

  #delete(): Txn {
    const leaves = [...this.#paths()].filter(
      (path) => path !== '/' && this.tree.childCount(this.tree.find(path)) === 0,
    );
    const path = leaves[this.#draw(Math.max(leaves.length, 1))];
    return path === undefined ? { type: OpCode.error, err: -111 } : { type: OpCode.delete, path };
  }

  #setData(): Txn {
    const path = this.#anyPath();
    return { type: OpCode.setData, path, data: this.#data(), version: this.tree.version(this.tree.find(path)) + 1 };
  }

  #setAcl(): Txn {
    const path = this.#anyPath();
    const acl = [{ perms: 1 + this.#draw(30), id: { scheme: 'ip', id: `10.0.0.${this.#draw(3)}` } }];
    return { type: OpCode.setACL, path, acl, version: this.tree.aversion(this.tree.find(path)) + 1 };
  }

  #anyPath(): string {
    const paths = [...this.#paths()];
    return paths[this.#draw(paths.length)] as string;
  }

  *#paths(): IterableIterator<string> {
    for (const node of this.tree.nodes()) {
      const path = this.tree.path(node);
      if (!path.startsWith('/zookeeper')) yield path;
    }
  }

  #data(): Uint8Array | null {
    const kind = this.#draw(12);
    if (kind === 0) return null;
    const size = kind === 1 ? 9000 + this.#draw(3000) : kind === 2 ? 0 : this.#draw(300);
    return Buffer.alloc(size, 1 + this.#draw(250));
  }
}

/** All that a snapshot would hold, as values to compare. */
export function describeTree(tree: DataTree): Map<string, unknown> {
  const described = new Map<string, unknown>();
  const paths = [...tree.nodes()].map((node) => tree.path(node)).sort();
  for (const path of paths) {
    const node = tree.find(path);
    described.set(path, {
      stat: tree.stat(node),
      stored: tree.persistedStat(node),
      data: tree.copyData(node),
      acl: tree.acl(node),
      children: [...tree.children(node)].sort(),
    });
  }
  described.set('ephemerals', [...tree.ephemerals].map(([session, owned]) => [session, [...owned].sort()]).sort());
  described.set('containers', [...tree.containers].sort());
  described.set('ttls', [...tree.ttls].sort());
  described.set('size', tree.approximateDataSize);
  return described;
}
