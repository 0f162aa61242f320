/** After a workload: no member has lost what was acknowledged, and all hold the same tree. */
import assert from 'node:assert/strict';
import { connectZookeeper, type Stat, type ZookeeperClient } from '../../../src/zookeeper/client/index.ts';
import type { Ensemble } from '../ensemble.ts';
import { until } from '../peers/process.ts';
import type { Member } from './member.ts';
import { type LaneHistory, registerComplaint } from './workload.ts';

interface Node {
  readonly data: Buffer | null;
  readonly stat: Stat;
  readonly acl: unknown;
}

type Tree = ReadonlyMap<string, Node>;

/** Every member must be running. */
export async function audit(ensemble: Ensemble, histories: readonly LaneHistory[] = []): Promise<void> {
  const { members } = ensemble;
  await settle(members);
  // each makes /zookeeper/config of its own file, but 3.4.8, which has none, and whose /zookeeper has a child less
  const isOld = members.some(({ kind }) => kind === 'apache-3.4.8');
  const own = isOld ? /^\/zookeeper/ : /^\/zookeeper\/config$/;
  const trees: Tree[] = [];
  for (const member of members) trees.push(await readTree(member, own));
  for (const [index, tree] of trees.entries()) {
    sameTree(members[0]!, trees[0]!, members[index]!, tree);
    for (const history of histories) nothingLost(history, tree, members[index]!.name);
  }
}

/**
 * What a lost connection left under way is done when a later request through the same member is; then all must have applied the
 * same. The session counts: between its election and the first transaction a leader shows a zxid that no follower has.
 */
async function settle(members: readonly Member[]): Promise<void> {
  for (const { connect } of members) {
    await using client = connectZookeeper({ connect });
    await client.sync('/');
  }
  await sameZxid(members);
}

export async function sameZxid(members: readonly Member[]): Promise<void> {
  await until('the same zxid everywhere', async () => {
    const zxids = await Promise.all(members.map((member) => member.zxid()));
    return (zxids[0] !== undefined && new Set(zxids).size === 1) || undefined;
  });
}

function sameTree(first: Member, expected: Tree, second: Member, actual: Tree): void {
  const who = `${second.name} and ${first.name}`;
  assert.deepEqual([...actual.keys()].sort(), [...expected.keys()].sort(), `paths of ${who}`);
  for (const [path, node] of expected) assert.deepEqual(actual.get(path), node, `${path} of ${who}`);
}

function nothingLost(history: LaneHistory, tree: Tree, who: string): void {
  const { register, parent, created, perhapsCreated } = history;
  const node = tree.get(register);
  assert(node !== undefined, `${register} is gone from ${who}`);
  assert.equal(registerComplaint(history, node.data, node.stat), undefined, who);
  const present = new Set(
    [...tree.keys()].filter((path) => path.startsWith(`${parent}/`)).map((path) => path.slice(parent.length + 1)),
  );
  const lost = [...created].filter((name) => !present.has(name));
  assert.deepEqual(lost, [], `acknowledged nodes below ${parent} that ${who} lost`);
  const unasked = [...present].filter((name) => !created.has(name) && !perhapsCreated.has(name));
  assert.deepEqual(unasked, [], `nodes below ${parent} of ${who} that nobody created`);
}

async function readTree(member: Member, leftOut: RegExp): Promise<Tree> {
  await using client = connectZookeeper({ connect: member.connect });
  await client.sync('/');
  const tree = new Map<string, Node>();
  await readNode(client, '/', tree, leftOut);
  return tree;
}

async function readNode(
  client: ZookeeperClient,
  path: string,
  tree: Map<string, Node>,
  leftOut: RegExp,
): Promise<void> {
  if (leftOut.test(path)) return;
  const [{ data, stat }, { acl }, children] = await Promise.all([
    client.getData(path),
    client.getACL(path),
    client.getChildren(path),
  ]);
  tree.set(path, { data, stat, acl });
  const prefix = path === '/' ? '' : path;
  await Promise.all(children.map((name) => readNode(client, `${prefix}/${name}`, tree, leftOut)));
}
