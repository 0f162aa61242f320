import type { CreateOptions } from '../client-options.ts';
import type { NodeData } from '../multi.ts';
import { childOf } from '../paths.ts';
import { PersistentNode } from './persistent-node.ts';
import type { SessionSource } from './sessions.ts';
import { TreeCache } from './tree-cache.ts';
import type { WaitOptions } from './waiting.ts';

export interface GroupMemberOptions {
  /** For the other members to see. Default null. */
  readonly data?: NodeData;
  readonly acl?: CreateOptions['acl'];
}

/** Members see each other come and go; on the znodes of Curator's GroupMember: an ephemeral `<path>/<id>` each. */
export class GroupMember {
  readonly id: string;
  readonly #path: string;
  readonly #node: PersistentNode;
  readonly #cache: TreeCache;

  /** Joins; with a SessionKeeper, again in each new session. */
  constructor(source: SessionSource, path: string, id: string, options: GroupMemberOptions = {}) {
    this.id = id;
    this.#path = path;
    this.#node = new PersistentNode(source, childOf(path, id), options);
    this.#cache = new TreeCache(source, path);
  }

  /** Until this member is there, and has seen the others. */
  async joined(options?: WaitOptions): Promise<void> {
    await Promise.all([this.#node.whenThere(options), this.#cache.whenCurrent(options)]);
  }

  /** By id, this member always among them; as last seen. */
  members(): Map<string, NodeData> {
    const members = new Map<string, NodeData>();
    for (const id of this.#cache.children(this.#path)) {
      members.set(id, this.#cache.get(childOf(this.#path, id))?.data ?? null);
    }
    members.set(this.id, this.#node.data);
    return members;
  }

  /** Hears whenever a member has come, gone or changed its data; answers how to stop listening. */
  onChange(listener: () => void): () => void {
    return this.#cache.onEvent(({ kind }) => {
      if (kind === 'created' || kind === 'changed' || kind === 'deleted') listener();
    });
  }

  setData(data: NodeData): Promise<void> {
    return this.#node.setData(data);
  }

  /** Leaves. */
  close(): Promise<void> {
    this.#cache.close();
    return this.#node.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
