import { adler32 } from '../../base/adler32.ts';
import { Writer } from '../../wire/writer.ts';
import { ACL } from '../jute/data.ts';
import type { SessionId, Zxid } from '../jute/ids.ts';
import { writeUstring } from '../jute/ustring.ts';
import type { DataTree, NodeId } from '../tree/data-tree.ts';
import { DIGEST_VERSION } from '../tree/digest.ts';
import { END_PATH, SNAPSHOT_DBID, SNAPSHOT_MAGIC, SNAPSHOT_VERSION } from './snapshot-format.ts';

export interface SnapshotWriterOptions {
  readonly tree: DataTree;
  /** Global sessions with their timeouts in milliseconds. */
  readonly sessions: ReadonlyMap<SessionId, number>;
  /** A SNAP sync sends only what lies between file header and first seal. Default `file`. */
  readonly form?: 'file' | 'stream';
  /** `zookeeper.serializeLastProcessedZxid.enabled`, default true. */
  readonly lastProcessedZxid?: boolean;
}

/**
 * Writes a tree in steps, while transactions go on between them: what it stands for is the zxid at its start, what it holds may
 * be later, node by node, and replay from that zxid makes it whole. Nodes created after the start are left out, since replay
 * creates them; so the end comes however fast clients create.
 */
export class SnapshotWriter {
  /** What replay has to start after; the file is named by it. */
  readonly zxid: Zxid;
  readonly #tree: DataTree;
  readonly #form: 'file' | 'stream';
  readonly #withZxid: boolean;
  readonly #nodes: Generator<NodeId, void>;
  #head: Uint8Array | undefined;
  #nodesLeft: number;
  /** Newer nodes were created after the start. */
  readonly #czxidMax: Zxid;
  /** Lists with greater ids are newer than the head. */
  readonly #aclIdMax: number;
  #checksum = 1;
  #isDone = false;

  constructor({ tree, sessions, form = 'file', lastProcessedZxid = true }: SnapshotWriterOptions) {
    this.zxid = tree.lastProcessedZxid;
    this.#tree = tree;
    this.#form = form;
    this.#withZxid = lastProcessedZxid;
    // The figure counts the root twice.
    this.#nodesLeft = tree.nodeCount - 1;
    this.#czxidMax = tree.newestRestoredCzxid > this.zxid ? tree.newestRestoredCzxid : this.zxid;
    this.#aclIdMax = tree.lastAclId;
    this.#head = this.#writeHead(sessions);
    this.#nodes = tree.nodes();
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** The next bytes, of so many nodes or about so many bytes, whichever comes first. After the last ones `isDone` is true. */
  step(nodesMax: number, bytesMax = 1 << 20): Uint8Array {
    const to = new Writer(64 * 1024);
    if (this.#head !== undefined) {
      to.bytes(this.#head);
      this.#head = undefined;
    }
    for (let count = 0; count < nodesMax && to.size < bytesMax; count += 1) {
      // What is new stands at the end of the list: after as many as there were at the start, all of those have passed.
      const next = this.#nodesLeft === 0 ? undefined : this.#nodes.next();
      if (next === undefined || next.done === true) {
        this.close();
        this.#isDone = true;
        writeUstring(to, END_PATH);
        break;
      }
      this.#nodesLeft -= 1;
      if (this.#tree.czxid(next.value) <= this.#czxidMax) this.#tree.writePersisted(to, next.value, this.#aclIdMax);
    }
    const bytes = to.finishFlat();
    if (this.#form === 'stream') return bytes;
    this.#checksum = adler32(bytes, this.#checksum);
    return this.#isDone ? Buffer.concat([bytes, this.#tail()]) : bytes;
  }

  /** Who gives up before the end leaves the tree by this. */
  close(): void {
    this.#nodes.return();
  }

  /** Header, sessions and ACL lists. */
  #writeHead(sessions: ReadonlyMap<SessionId, number>): Uint8Array {
    const to = new Writer(4096);
    if (this.#form === 'file') {
      to.int32(SNAPSHOT_MAGIC);
      to.int32(SNAPSHOT_VERSION);
      to.bigint64(SNAPSHOT_DBID);
    }
    to.int32(sessions.size);
    for (const [session, timeoutMs] of sessions) {
      to.bigint64(session);
      to.int32(timeoutMs);
    }
    const lists = [...this.#tree.aclLists()];
    to.int32(lists.length);
    for (const [id, acl] of lists) {
      to.bigint64(BigInt(id));
      to.int32(acl.length);
      for (const entry of acl) ACL.write(to, entry);
    }
    return to.finishFlat();
  }

  #tail(): Uint8Array {
    const to = new Writer(128);
    this.#seal(to);
    const tree = this.#tree;
    const last = tree.lastProcessedZxid;
    if (tree.digestEnabled) {
      // The digest of now, which replay can check once it has come as far. A tree without any transaction has none.
      this.#sealed(to, (section) => {
        section.bigint64(last);
        section.int32(DIGEST_VERSION);
        section.bigint64(last === 0n ? 0n : tree.treeDigest);
      });
    }
    if (this.#withZxid) this.#sealed(to, (section) => section.bigint64(last));
    return to.finishFlat();
  }

  #sealed(to: Writer, write: (section: Writer) => void): void {
    const section = new Writer(64);
    write(section);
    const bytes = section.finishFlat();
    this.#checksum = adler32(bytes, this.#checksum);
    to.bytes(bytes);
    this.#seal(to);
  }

  #seal(to: Writer): void {
    const seal = new Writer(16);
    seal.bigint64(BigInt(this.#checksum));
    writeUstring(seal, END_PATH);
    const bytes = seal.finishFlat();
    // The next checksum covers this seal too.
    this.#checksum = adler32(bytes, this.#checksum);
    to.bytes(bytes);
  }
}
