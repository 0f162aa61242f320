/** What may be seen of the servers of an ensemble from outside, at any moment: one leader an epoch, one tree a zxid. */
import { counterOf, epochOf, printHex } from '../../src/zookeeper/jute/ids.ts';
import type { DataTree } from '../../src/zookeeper/tree/data-tree.ts';
import { must } from './violation.ts';

interface Sighting {
  readonly server: string;
  readonly digest: bigint;
}

export class ServerBook {
  readonly #leaders = new Map<number, string>();
  readonly #digests = new Map<bigint, Sighting>();
  /** Of each server the zxid that was looked at last. */
  readonly #lastSeen = new Map<string, bigint>();

  get epochs(): number {
    return this.#leaders.size;
  }

  get zxids(): number {
    return this.#digests.size;
  }

  /** A server serves as the leader of an epoch. */
  leads(server: string, epoch: number): void {
    const leader = this.#leaders.get(epoch);
    must(leader === undefined || leader === server, () => `${leader} and ${server} both lead epoch ${epoch}`);
    this.#leaders.set(epoch, server);
  }

  /** The leader of an epoch, if it was seen. */
  leaderOf(epoch: number): string | undefined {
    return this.#leaders.get(epoch);
  }

  /** A server's tree, of any number of looks: nothing is compared while nothing was applied. */
  holds(server: string, tree: DataTree): void {
    const zxid = tree.lastProcessedZxid;
    if (this.#lastSeen.get(server) === zxid || tree.digestLog.isFuzzy) return;
    this.#lastSeen.set(server, zxid);
    this.digestSeen(server, zxid, tree.treeDigest);
  }

  digestSeen(server: string, zxid: bigint, digest: bigint): void {
    // What opens an epoch is no transaction: a server may believe to be there before it has all that came before.
    if (counterOf(zxid) === 0) return;
    const known = this.#digests.get(zxid);
    if (known === undefined) this.#digests.set(zxid, { server, digest });
    else {
      must(
        known.digest === digest,
        () => `at ${printHex(zxid)} ${known.server} had the digest ${known.digest}, and ${server} has ${digest}`,
      );
    }
  }
}

/** Everything that clients can see, and the digest, is the same on all servers. */
export function checkSameTrees(servers: readonly { readonly name: string; readonly tree: DataTree }[]): void {
  const [first, ...others] = servers;
  if (first === undefined) return;
  const expected = contentOf(first.tree);
  for (const { name, tree } of others) {
    must(
      tree.lastProcessedZxid === first.tree.lastProcessedZxid,
      () =>
        `${first.name} is at ${printHex(first.tree.lastProcessedZxid)}, and ${name} at ${printHex(tree.lastProcessedZxid)} (epochs ${epochOf(first.tree.lastProcessedZxid)} and ${epochOf(tree.lastProcessedZxid)})`,
    );
    const content = contentOf(tree);
    for (const path of new Set([...expected.keys(), ...content.keys()])) {
      must(
        expected.get(path) === content.get(path),
        () => `${path} is ${expected.get(path)} on ${first.name}, and ${content.get(path)} on ${name}`,
      );
    }
    must(
      tree.treeDigest === first.tree.treeDigest,
      () => `equal trees, and the digest of ${first.name} is ${first.tree.treeDigest}, of ${name} ${tree.treeDigest}`,
    );
  }
}

/** The node that holds the membership is each server's own: no transaction makes it. */
const CONFIG_PATH = '/zookeeper/config';

function contentOf(tree: DataTree): Map<string, string> {
  const content = new Map<string, string>();
  for (const node of tree.nodes()) {
    const path = tree.path(node);
    if (path === CONFIG_PATH) continue;
    const stat = Object.entries(tree.persistedStat(node)).map(([name, value]) => `${name} ${value}`);
    const data = tree.viewData(node);
    const text = data === null ? 'null' : `'${Buffer.from(data).toString('latin1')}'`;
    const acl = tree.acl(node).map(({ perms, id }) => `${id.scheme}:${id.id}:${perms}`);
    content.set(path, `${text} ${stat.join(' ')} acl ${acl.join()}`);
  }
  return content;
}

/**
 * Of living sessions every ephemeral node that was acknowledged is there, of others none.
 * @param living sessions by id, each with what it was told is its own
 */
export function checkEphemerals(
  server: string,
  tree: DataTree,
  living: ReadonlyMap<bigint, ReadonlySet<string>>,
): void {
  for (const [owner, paths] of tree.ephemerals) {
    must(
      paths.size === 0 || living.has(owner),
      () => `${[...paths].join()} on ${server} outlive their session ${printHex(owner)}`,
    );
  }
  for (const [id, paths] of living) {
    const found = tree.ephemeralsOf(id);
    for (const path of paths) must(found.has(path), () => `${path} is gone from ${server}, and its session lives`);
  }
}
