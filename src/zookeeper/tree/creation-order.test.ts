import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CreationOrder } from './creation-order.ts';
import { NodeStore } from './node-store.ts';

test('an iteration that pauses meets what stays and what comes, in the order of creation', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('create', 'delete', 'next'), fc.nat()), {
    maxLength: 60,
    size: 'max',
  });
  fc.assert(
    fc.property(steps, (actions) => {
      const store = new NodeStore();
      const order = new CreationOrder(store);
      // Ids are used again: a creation has a number of its own.
      const living: { id: number; number: number }[] = [];
      const numberOf = new Map<number, number>();
      let created = 0;
      let metLast = -1;
      const iteration = order.nodes();
      for (const [action, choice] of actions) {
        if (action === 'create') {
          const id = store.allocate();
          order.append(id);
          numberOf.set(id, created);
          living.push({ id, number: created });
          created += 1;
        } else if (action === 'delete' && living.length > 0) {
          const [gone] = living.splice(choice % living.length, 1);
          order.remove(gone!.id);
          store.free(gone!.id);
        } else if (action === 'next') {
          const expected = living.find(({ number }) => number > metLast);
          // A generator that has ended stays so.
          if (expected === undefined) continue;
          assert.equal(iteration.next().value, expected.id);
          metLast = expected.number;
        }
      }
      assert.deepEqual(
        [...order.nodes()],
        living.map(({ id }) => id),
      );
    }),
  );
});
