import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PathTable } from './path-table.ts';

/** A table beside a plain map. */
class Pair {
  readonly names: string[] = [];
  readonly table = new PathTable({ isNamed: (id, path) => this.names[id] === path });
  readonly map = new Map<string, number>();

  /** Adds a path that is not there, deletes one that is. */
  toggle(path: string): void {
    const id = this.map.get(path);
    if (id !== undefined) {
      this.table.delete(path, id);
      this.map.delete(path);
      this.names[id] = '';
      return;
    }
    this.table.add(path, this.names.length);
    this.map.set(path, this.names.length);
    this.names.push(path);
  }

  compare(paths: Iterable<string>): void {
    assert.equal(this.table.size, this.map.size);
    for (const path of paths) assert.equal(this.table.find(path), this.map.get(path) ?? -1, path);
  }
}

test('a table finds what a map finds, whatever is added and deleted', () => {
  const path = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.nat(5000).map((number) => `/app/n-${number}`),
  );
  fc.assert(
    fc.property(fc.array(path, { maxLength: 200, size: 'max' }), fc.nat(4000), fc.nat(4000), (paths, count, from) => {
      const pair = new Pair();
      for (let number = 0; number < count; number += 1) pair.toggle(`/app/n-${number}`);
      for (const each of paths) pair.toggle(each);
      for (let number = from; number < count; number += 3) pair.toggle(`/app/n-${number}`);
      pair.compare([...paths, ...Array.from({ length: 5000 }, (_, number) => `/app/n-${number}`)]);
    }),
    { numRuns: 40 },
  );
});

test('no step moves more than one segment, or the directory', () => {
  const names: string[] = [];
  const table = new PathTable({ isNamed: (id, path) => names[id] === path });
  let most = 0;
  for (let id = 0; id < 300_000; id += 1) {
    names.push(`/app/created/n-${String(id).padStart(10, '0')}`);
    const before = table.moved;
    table.add(names[id] as string, id);
    most = Math.max(most, table.moved - before);
  }
  assert.ok(most <= 700 + 1024, `${most} entries moved in one step`);
  assert.ok(table.moved < 2.5 * names.length, `${table.moved} entries moved in all`);
  for (let id = 0; id < names.length; id += 101) assert.equal(table.find(names[id] as string), id);
});
