import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type AssignedMember, type AssignedSubtopology, assignSticky } from './sticky-assignor.ts';
import type { TaskAssignment, Tasks } from './tasks.ts';

const subtopologies: fc.Arbitrary<AssignedSubtopology[]> = fc
  .array(fc.record({ taskCount: fc.integer({ min: 1, max: 6 }), isStateful: fc.boolean() }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((list) => list.map((one, index) => ({ id: String(index), ...one })));
/** The process of each member. */
const processes = fc.array(fc.nat(3), { minLength: 1, maxLength: 7 });

const membersOf = (ids: readonly number[], had = new Map<string, TaskAssignment>()): AssignedMember[] =>
  ids.map((process, index) => ({
    id: `member-${index}`,
    processId: `process-${process}`,
    active: had.get(`member-${index}`)?.active ?? new Map(),
    standby: had.get(`member-${index}`)?.standby ?? new Map(),
    offsets: new Map(),
  }));

const listOf = (tasks: Tasks): string[] => [...tasks].flatMap(([id, ones]) => [...ones].map((one) => `${id}_${one}`));

test('each task runs once, and no process has it twice; its copies are as many as there are processes for', () => {
  fc.assert(
    fc.property(subtopologies, processes, fc.nat(2), (topology, ids, replicas) => {
      const assigned = assignSticky(membersOf(ids), topology, replicas);
      const active = [...assigned.values()].flatMap((one) => listOf(one.active)).sort();
      const wanted = topology.flatMap(({ id, taskCount }) =>
        Array.from({ length: taskCount }, (_, at) => `${id}_${at}`),
      );
      assert.deepEqual(active, wanted.sort());
      const byProcess = new Map<number, string[]>();
      for (const [index, process] of ids.entries()) {
        const { active: runs, standby } = assigned.get(`member-${index}`)!;
        byProcess.set(process, [...(byProcess.get(process) ?? []), ...listOf(runs), ...listOf(standby)]);
      }
      for (const tasks of byProcess.values()) assert.equal(new Set(tasks).size, tasks.length);
      const copies = [...assigned.values()].flatMap((one) => listOf(one.standby));
      for (const { id, taskCount, isStateful } of topology) {
        const each = isStateful ? Math.min(replicas, byProcess.size - 1) : 0;
        assert.equal(copies.filter((one) => one.startsWith(`${id}_`)).length, each * taskCount);
      }
    }),
  );
});

test('active tasks are even among members with a process each, and stay where they are when nothing changes', () => {
  fc.assert(
    fc.property(subtopologies, fc.integer({ min: 1, max: 6 }), (topology, count) => {
      const ids = Array.from({ length: count }, (_, index) => index);
      const assigned = assignSticky(membersOf(ids), topology, 0);
      const sizes = [...assigned.values()].map(({ active }) => listOf(active).length);
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, String(sizes));
      const again = assignSticky(membersOf(ids, assigned), topology, 0);
      for (const [id, { active }] of assigned)
        assert.deepEqual(listOf(again.get(id)!.active).sort(), listOf(active).sort());
    }),
  );
});

test('who has a task’s state on disk gets it rather than somebody else', () => {
  const topology = [{ id: '0', taskCount: 2, isStateful: true }];
  const offsets = (partition: number) => new Map([['0', new Map([[partition, 100]])]]);
  const [one, two] = membersOf([0, 1]) as [AssignedMember, AssignedMember];
  const both = [
    { ...one, offsets: offsets(1) },
    { ...two, offsets: offsets(0) },
  ];
  const assigned = assignSticky(both, topology, 0);
  assert.deepEqual(listOf(assigned.get('member-0')!.active), ['0_1']);
  assert.deepEqual(listOf(assigned.get('member-1')!.active), ['0_0']);
});
