import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { slicesOf } from '../../base/slices.ts';
import { ComputeError, type Lent, type Task } from '../compute.ts';
import { task as contractTask } from '../contract/compute-tasks.ts';
import { NodeCompute } from './node-compute.ts';

const order = { xor: 1, fails: false, steps: 0, isOwn: false };

function open(t: TestContext, idleMs?: number): NodeCompute {
  const compute = new NodeCompute(idleMs === undefined ? {} : { idleMs });
  t.after(() => compute.close());
  return compute;
}

function asked<I, O>(compute: NodeCompute, task: Task<I, O>, input: I): Promise<Lent<O>> {
  return new Promise((resolve, reject) => {
    compute.run(task, input, slicesOf(Uint8Array.of(4, 2)), (error, result) => {
      if (result === undefined) reject(error);
      else resolve(result);
    });
  });
}

test('threads begin with the first task, are two at most, and none is left when it is closed', async (t) => {
  const compute = open(t);
  assert.equal(compute.threadCount, 0);
  await asked(compute, contractTask, order);
  assert.equal(compute.threadCount, 1);
  await asked(compute, contractTask, order);
  assert.equal(compute.threadCount, 1, 'one task after the other needs one');
  await Promise.all(Array.from({ length: 8 }, () => asked(compute, contractTask, order)));
  assert.ok(compute.threadCount <= 2);
  compute.run(contractTask, { ...order, steps: 2 ** 31 }, slicesOf(), () => assert.fail('answered after the end'));
  await compute.close();
  assert.equal(compute.threadCount, 0);
});

test('threads that have nothing to do end, and the next task has another', async (t) => {
  const compute = open(t, 1);
  await asked(compute, contractTask, order);
  while (compute.helperCount > 0) await turn();
  assert.equal((await asked(compute, contractTask, order)).bytes[0], 5, 'asked while the first is ending');
  while (compute.threadCount > 0) await turn();
  assert.equal((await asked(compute, contractTask, order)).bytes[0], 5);
});

for (const kind of ['exit', 'heap', 'missing'] as const) {
  test(`a thread that is lost is an error of its tasks, and the next task runs: ${kind}`, async (t) => {
    const compute = open(t);
    const fatal: Task<{ readonly kind: string }, null> = {
      name: kind === 'missing' ? 'runtime/contract/no-such-task' : 'runtime/node/testkit/fatal-task',
      run: () => assert.fail('it runs in a thread'),
    };
    await assert.rejects(asked(compute, fatal, { kind }), ComputeError);
    assert.equal((await asked(compute, contractTask, order)).bytes[0], 5);
  });
}

test('a process that wants to end is not held by its helpers', () => {
  const script = `
    import { NodeCompute } from './node-compute.ts';
    import { task } from '../contract/compute-tasks.ts';
    new NodeCompute().run(task, { xor: 0, fails: false, steps: 1, isOwn: true }, { chunks: [], size: 0 }, () => undefined);`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    // Idle helpers would let go of it, but later.
    timeout: 30_000,
  });
  assert.deepEqual([status, stderr], [0, '']);
});
