import assert from 'node:assert/strict';
import test from 'node:test';
import { OpCode } from '../../src/zookeeper/jute/op-codes.ts';
import { DataTree } from '../../src/zookeeper/tree/data-tree.ts';
import { checkEphemeralFates } from './ephemeral-fates.ts';
import { checkNode } from './node-history.ts';
import type { Operation, OperationOutcome, Place } from './operation.ts';
import { checkEphemerals, checkSameTrees, ServerBook } from './server-book.ts';
import { checkZxidOrder } from './zxid-order.ts';

/** Requests on one clock: each call of `ask` begins, and what it answers ends the request. */
class Story {
  readonly operations: Operation[] = [];
  #tick = 0;

  ask(session: string, kind: Operation['kind'], given: Partial<Operation> = {}): Operation {
    this.#tick += 1;
    const id = this.operations.length;
    const operation: Operation = {
      id,
      session,
      order: id,
      transaction: id,
      kind,
      path: '/r',
      value: undefined,
      expected: -1,
      isEphemeral: false,
      isSequential: false,
      synced: undefined,
      begin: this.#tick,
      end: undefined,
      zxid: undefined,
      outcome: undefined,
      ...given,
    };
    this.operations.push(operation);
    return operation;
  }

  answer(operation: Operation, zxid: number, outcome?: OperationOutcome): Operation {
    this.#tick += 1;
    operation.end = this.#tick;
    operation.zxid = BigInt(zxid);
    operation.outcome = outcome;
    return operation;
  }

  create(session: string, value: string, zxid: number, given: Partial<Operation> = {}): Operation {
    return this.answer(this.ask(session, 'create', { value, ...given }), zxid, done(zxid, zxid, 0));
  }

  set(session: string, value: string, zxid: number, version: number, given: Partial<Operation> = {}): Operation {
    return this.answer(this.ask(session, 'set', { value, ...given }), zxid, done(1, zxid, version));
  }

  saw(session: string, zxid: number, value: string, mzxid: number, version: number, given: Partial<Operation> = {}) {
    return this.answer(this.ask(session, 'read', given), zxid, { kind: 'saw', value, place: at(1, mzxid, version) });
  }

  absent(session: string, zxid: number, given: Partial<Operation> = {}): Operation {
    return this.answer(this.ask(session, 'read', given), zxid, { kind: 'absent' });
  }

  check(): void {
    const { zxids } = checkZxidOrder(this.operations);
    for (const [path, operations] of Map.groupBy(this.operations, (each) => each.path)) {
      if (path.startsWith('/e')) continue;
      checkNode(operations, zxids);
    }
    checkEphemeralFates(this.operations, zxids);
  }
}

const at = (czxid: number, mzxid: number, version: number): Place => ({
  czxid: BigInt(czxid),
  mzxid: BigInt(mzxid),
  version,
});
const done = (czxid: number, mzxid: number, version: number): OperationOutcome => ({
  kind: 'done',
  place: at(czxid, mzxid, version),
});
const NEXT_EPOCH = 2 ** 32;
const ephemeral = { path: '/e/1', isEphemeral: true };

/** `refused` undefined: all is well. */
const stories: readonly { name: string; tell: (story: Story) => void; refused?: RegExp }[] = [
  {
    name: 'writes and reads in order, a follower that lags',
    tell: (story) => {
      story.create('a', 'one', 1);
      story.set('a', 'two', 2, 1);
      story.saw('b', 1, 'one', 1, 0);
      story.saw('b', 2, 'two', 2, 1);
      story.set('b', 'three', 5, 2);
    },
  },
  {
    name: 'a write without an answer is found later, and explains a version that nobody saw',
    tell: (story) => {
      story.create('a', 'one', 1);
      story.ask('a', 'set', { value: 'two' });
      story.ask('c', 'set', { value: 'lost' });
      story.set('b', 'four', 9, 3);
      story.saw('b', 9, 'four', 9, 3);
    },
  },
  {
    name: 'a write that was acknowledged before another one was asked for has the smaller zxid',
    tell: (story) => {
      story.create('a', 'one', 5);
      story.set('b', 'two', 4, 1);
    },
    refused: /got zxid 0x4, and .* was answered 0x5 before/,
  },
  {
    name: 'a write without an answer that took effect before it was asked for',
    tell: (story) => {
      story.create('a', 'one', 1);
      story.set('a', 'two', 5, 1);
      story.ask('b', 'set', { value: 'three' });
      story.saw('c', 3, 'three', 3, 1);
    },
    refused: /got zxid 0x3, and .* was answered 0x5 before/,
  },
  {
    name: 'one zxid for two transactions',
    tell: (story) => {
      story.create('a', 'one', 1);
      const first = story.ask('a', 'set', { value: 'two' });
      const second = story.ask('b', 'set', { value: 'three' });
      story.answer(first, 2, done(1, 2, 1));
      story.answer(second, 2, done(1, 2, 1));
    },
    refused: /0x2 is both/,
  },
  {
    name: 'one transaction of two operations',
    tell: (story) => {
      story.create('a', 'one', 1, { path: '/r' });
      story.create('a', 'uno', 2, { path: '/s' });
      const pair = { value: 'two', transaction: 100 };
      const halves = ['/r', '/s'].map((path) => story.ask('a', 'set', { ...pair, path }));
      story.answer(halves[0]!, 3, done(1, 3, 1));
      story.answer(halves[1]!, 3, done(2, 3, 1));
    },
  },
  {
    name: 'one write at two zxids',
    tell: (story) => {
      story.create('a', 'one', 1);
      story.set('a', 'two', 2, 1);
      story.saw('b', 7, 'two', 7, 2);
    },
    refused: /done at 0x2 and again at 0x7/,
  },
  {
    name: 'what nobody wrote',
    tell: (story) => {
      story.create('a', 'one', 1);
      story.saw('b', 7, 'two', 7, 2);
    },
    refused: /which nobody wrote/,
  },
  {
    name: 'what nobody had written yet',
    tell: (story) => {
      story.create('a', 'one', 1);
      story.saw('b', 7, 'two', 7, 1);
      story.ask('a', 'set', { value: 'two' });
    },
    refused: /nobody had written yet/,
  },
  {
    name: 'a read that does not show an acknowledged write at or before its zxid',
    tell: (story) => {
      story.create('a', 'one', 1);
      story.set('a', 'two', 2, 1);
      story.saw('b', 3, 'one', 1, 0);
    },
    refused: /at 0x3 shows 0x1, not set \/r two/,
  },
  {
    name: 'a read that shows what is after its zxid',
    tell: (story) => {
      story.create('a', 'one', 1);
      story.set('a', 'two', 2, 1);
      story.saw('b', 1, 'two', 2, 1);
    },
    refused: /at 0x1 shows 0x2/,
  },
  {
    name: 'a session that goes back at another server',
    tell: (story) => {
      story.create('a', 'one', 1);
      story.set('a', 'two', 2, 1);
      story.saw('b', 2, 'two', 2, 1);
      story.saw('b', 1, 'one', 1, 0);
    },
    refused: /is at 0x1, and .* at 0x2/,
  },
  {
    name: 'a write of the old connection comes after the first one of the new',
    tell: (story) => {
      story.create('a', 'one', 1);
      story.ask('b', 'set', { value: 'two' });
      story.set('b', 'three', 2, 1);
      story.saw('c', 3, 'two', 3, 2);
    },
    refused: /set \/r three .* is at 0x2, and set \/r two .* at 0x3/,
  },
  {
    name: 'a write without an answer that the next server had not heard of when it answered a read',
    tell: (story) => {
      story.create('a', 'one', 1);
      story.saw('b', 1, 'one', 1, 0);
      story.ask('b', 'set', { value: 'two' });
      story.saw('b', 1, 'one', 1, 0);
      story.set('b', 'three', 3, 2);
      story.saw('c', 2, 'two', 2, 1);
    },
  },
  {
    name: 'a sync shows all that was acknowledged before it',
    tell: (story) => {
      story.create('a', 'one', 1);
      story.set('a', 'two', 2, 1);
      story.answer(story.ask('b', 'sync'), 2);
      story.saw('b', 2, 'two', 2, 1);
    },
  },
  {
    name: 'a sync that shows less',
    tell: (story) => {
      story.create('a', 'one', 1);
      story.set('a', 'two', 2, 1);
      story.answer(story.ask('b', 'sync'), 1);
    },
    refused: /sync \/r .* shows 0x1, and .* was answered 0x2 before/,
  },
  {
    name: 'a sync of a leader that does not know of the next epoch',
    tell: (story) => {
      story.create('a', 'one', 1);
      story.set('a', 'two', NEXT_EPOCH + 1, 1);
      story.answer(story.ask('b', 'sync'), 1);
    },
  },
  {
    name: 'a version that was made twice',
    tell: (story) => {
      story.create('a', 'one', 1);
      story.set('a', 'two', 2, 1);
      story.set('b', 'three', 3, 1);
    },
    refused: /met version 0, after set \/r two/,
  },
  {
    name: 'a version that nobody made',
    tell: (story) => {
      story.create('a', 'one', 1);
      story.set('a', 'two', 2, 2);
    },
    refused: /met version 1, after create/,
  },
  {
    name: 'a conditional write that was done at another version',
    tell: (story) => {
      story.create('a', 'one', 1);
      story.ask('b', 'set', { value: 'two' });
      story.set('a', 'three', 3, 2, { expected: 0 });
    },
    refused: /made version 2/,
  },
  {
    name: 'a conditional write that was refused at its version',
    tell: (story) => {
      story.create('a', 'one', 1);
      story.answer(story.ask('a', 'set', { value: 'two', expected: 0 }), 2, { kind: 'bad version' });
    },
    refused: /was refused, after create/,
  },
  {
    name: 'a node that was created twice',
    tell: (story) => {
      story.create('a', 'one', 1);
      story.create('b', 'two', 2);
    },
    refused: /found the node absent, after create/,
  },
  {
    name: 'a node that was deleted twice',
    tell: (story) => {
      story.create('a', 'one', 1);
      story.answer(story.ask('a', 'delete'), 2, { kind: 'done', place: undefined });
      story.answer(story.ask('b', 'delete'), 3, { kind: 'done', place: undefined });
    },
    refused: /found the node there, after delete/,
  },
  {
    name: 'created, deleted, and created again, with a delete that had no answer',
    tell: (story) => {
      story.create('a', 'one', 1);
      story.answer(story.ask('a', 'delete'), 2, { kind: 'done', place: undefined });
      story.absent('b', 2);
      story.create('b', 'two', 3);
      story.ask('a', 'delete');
      story.create('c', 'three', 5);
    },
  },
  {
    name: 'an acknowledged node is gone, and nobody deleted it',
    tell: (story) => {
      story.create('a', 'one', 1);
      story.absent('b', 2);
    },
    refused: /found the node absent/,
  },
  {
    name: 'an ephemeral node, before, during and after its life',
    tell: (story) => {
      story.absent('b', 1, ephemeral);
      story.create('a', 'one', 2, ephemeral);
      story.saw('c', 4, 'one', 2, 0, ephemeral);
      story.absent('b', 5, ephemeral);
      story.saw('d', 3, 'one', 2, 0, ephemeral);
    },
  },
  {
    name: 'an ephemeral node that comes back',
    tell: (story) => {
      story.create('a', 'one', 2, ephemeral);
      story.absent('b', 5, ephemeral);
      story.saw('c', 6, 'one', 2, 0, ephemeral);
    },
    refused: /found it at 0x6, and it was gone at 0x5/,
  },
  {
    name: 'an ephemeral node whose session lived on',
    tell: (story) => {
      story.create('a', 'one', 2, ephemeral);
      story.absent('b', 5, ephemeral);
      story.create('a', 'two', 6);
    },
    refused: /found nothing at 0x5, and its session lived/,
  },
];

for (const { name, tell, refused } of stories) {
  test(`${name}: ${refused === undefined ? 'believed' : 'refused'}`, () => {
    const story = new Story();
    tell(story);
    if (refused === undefined) story.check();
    else assert.throws(() => story.check(), refused);
  });
}

test('a stale sync excuses its read in the search', () => {
  const story = new Story();
  story.create('a', 'one', 1);
  story.set('a', 'two', NEXT_EPOCH + 1, 1);
  const synced = story.answer(story.ask('b', 'sync'), 1);
  const read = story.saw('b', 1, 'one', 1, 0, { synced });
  assert.deepEqual([...checkZxidOrder(story.operations).stale], [read]);
});

test('an epoch has one leader, a zxid one tree', () => {
  const book = new ServerBook();
  book.leads('m1', 1);
  book.leads('m1', 1);
  book.leads('m2', 2);
  assert.throws(() => book.leads('m3', 1), /m1 and m3 both lead epoch 1/);
  book.digestSeen('m1', 7n, 100n);
  book.digestSeen('m2', 7n, 100n);
  book.digestSeen('m2', 8n, 101n);
  assert.throws(() => book.digestSeen('m3', 8n, 100n), /at 0x8 m2 had the digest 101, and m3 has 100/);
});

interface Made {
  readonly path: string;
  readonly zxid: number;
  readonly data?: string;
  readonly owner?: number;
}

function treeOf(...made: readonly Made[]): DataTree {
  const tree = DataTree.create();
  for (const { path, zxid, data = '', owner = 0 } of made) {
    const type = OpCode.create;
    const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
    tree.apply(
      { clientId: BigInt(owner), cxid: 0, zxid: BigInt(zxid), time: 5, type },
      { type, path, data: Buffer.from(data), acl, ephemeral: owner !== 0, parentCVersion: -1 },
    );
  }
  return tree;
}

test('trees must be the same to the last node', () => {
  const servers = (...trees: DataTree[]) => trees.map((tree, index) => ({ name: `m${index + 1}`, tree }));
  const one = { path: '/a', zxid: 1 };
  checkSameTrees(servers(treeOf(one), treeOf(one), treeOf(one)));
  assert.throws(
    () => checkSameTrees(servers(treeOf(one, { path: '/b', zxid: 2 }), treeOf(one, { path: '/c', zxid: 2 }))),
    /\/b is .* on m1, and undefined on m2/,
  );
  assert.throws(() => checkSameTrees(servers(treeOf(one), treeOf({ ...one, data: 'x' }))), /\/a is ''.* and 'x'/);
  assert.throws(() => checkSameTrees(servers(treeOf(one), treeOf({ ...one, zxid: 2 }))), /is at 0x1, and m2 at 0x2/);
});

test('ephemeral nodes are there for the living, and for nobody else', () => {
  const tree = treeOf({ path: '/e', zxid: 1 }, { path: '/e/1', zxid: 2, owner: 7 });
  checkEphemerals('m1', tree, new Map([[7n, new Set(['/e/1'])]]));
  assert.throws(() => checkEphemerals('m1', tree, new Map()), /\/e\/1 on m1 outlive their session 0x7/);
  assert.throws(
    () => checkEphemerals('m1', tree, new Map([[7n, new Set(['/e/1', '/e/2'])]])),
    /\/e\/2 is gone from m1, and its session lives/,
  );
});
