import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventType } from '../jute/events.ts';
import type { Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import { DataTree } from '../tree/data-tree.ts';
import { QuotaValues } from '../tree/quotas.ts';
import { drawFrom, RandomTxns } from '../tree/random-txns.fixture.ts';
import { type WatchedEvent, type Watcher, WatchMode } from '../tree/watches.ts';
import { finished } from './recovery.ts';
import { loadSnapshot } from './snapshot-reader.ts';
import { SnapshotWriter } from './snapshot-writer.ts';

const options = { extendedTypes: true };
const QUOTA = '/zookeeper/quota/a';

class Recorder implements Watcher {
  events: string[] = [];

  process({ type, path }: WatchedEvent): void {
    this.events.push(`${type} ${path}`);
  }
}

/** As a client would set a quota on `/a`. */
function setQuota(tree: DataTree): void {
  const at = (path: string, data: string): void => {
    const zxid = (tree.lastProcessedZxid + 1n) as Zxid;
    const header = { clientId: 1n, cxid: 0, zxid, time: 1, type: OpCode.create };
    const fields = { path, data: Buffer.from(data), acl: null, ephemeral: false, parentCVersion: -1 };
    tree.apply(header, { type: OpCode.create, ...fields });
  };
  at(QUOTA, '');
  at(`${QUOTA}/zookeeper_limits`, 'count=1000,bytes=-1');
  at(`${QUOTA}/zookeeper_stats`, 'count=0,bytes=0');
}

const isBelowA = (path: string): boolean => path === '/a' || path.startsWith('/a/');

/** Nodes at and below `/a`, with what a change of their data changes. */
function stampsBelowA(tree: DataTree): Map<string, bigint> {
  const stamps = new Map<string, bigint>();
  for (const node of tree.nodes()) if (isBelowA(tree.path(node))) stamps.set(tree.path(node), tree.mzxid(node));
  return stamps;
}

/** What a recursive watch of `/a` hears of one transaction: no event of children. */
function expectedEvents(before: ReadonlyMap<string, bigint>, after: ReadonlyMap<string, bigint>): string[] {
  const events: string[] = [];
  for (const path of before.keys()) if (!after.has(path)) events.push(`${EventType.NodeDeleted} ${path}`);
  for (const [path, stamp] of after) {
    if (!before.has(path)) events.push(`${EventType.NodeCreated} ${path}`);
    else if (before.get(path) !== stamp) events.push(`${EventType.NodeDataChanged} ${path}`);
  }
  return events.sort();
}

function checkQuota(tree: DataTree): void {
  let count = 0;
  let bytes = 0;
  for (const node of tree.nodes()) {
    if (!isBelowA(tree.path(node))) continue;
    count += 1;
    bytes += tree.dataLength(node);
  }
  const stats = tree.copyData(tree.find(`${QUOTA}/zookeeper_stats`));
  const usage = new QuotaValues(Buffer.from(stats ?? []).toString());
  assert.deepEqual([usage.get('count'), usage.get('bytes')], [count, bytes]);
}

/** A list is kept while a node uses it, and no longer. */
function checkAclCache(tree: DataTree): void {
  const used = new Set<number>();
  for (const node of tree.nodes()) if (tree.aclId(node) !== -1) used.add(tree.aclId(node));
  assert.deepEqual([...tree.aclLists()].map(([id]) => id).sort(), [...used].sort());
}

function throughSnapshot(tree: DataTree): DataTree {
  const writer = new SnapshotWriter({ tree, sessions: new Map() });
  const parts: Uint8Array[] = [];
  while (!writer.isDone) parts.push(writer.step(7));
  const bytes = Buffer.concat(parts);
  const source = {
    path: 'memory',
    size: bytes.length,
    read: (position: number, length: number) => bytes.subarray(position, position + length),
  };
  return finished(loadSnapshot(source, tree.lastProcessedZxid, options)).tree;
}

test('quotas, lists of permissions and recursive watches are right after any transactions, snapshots between them', () => {
  fc.assert(
    fc.property(fc.nat(), fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 }), (seed, lives) => {
      const draw = drawFrom(seed);
      let tree = DataTree.create(options);
      setQuota(tree);
      let sessions = new Map<never, number>();
      for (const count of lives) {
        const txns = new RandomTxns(tree, draw);
        for (const [id, timeout] of sessions) txns.sessions.set(id, timeout);
        const watcher = new Recorder();
        tree.watches.addRecursive('/a', watcher);
        tree.watches.data.add('/none', watcher, WatchMode.STANDARD);
        for (let index = 0; index < count; index += 1) {
          const before = stampsBelowA(tree);
          watcher.events = [];
          txns.next();
          assert.deepEqual(watcher.events.sort(), expectedEvents(before, stampsBelowA(tree)));
          checkQuota(tree);
          checkAclCache(tree);
        }
        sessions = txns.sessions as Map<never, number>;
        tree = throughSnapshot(tree);
        checkQuota(tree);
        checkAclCache(tree);
      }
    }),
    { numRuns: 60 },
  );
});
