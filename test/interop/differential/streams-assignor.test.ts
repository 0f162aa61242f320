/** Random lives of streams groups: at every step our assignor gives each member the tasks that Apache's gives it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  type AssignedMember,
  type AssignedSubtopology,
  assignSticky,
} from '../../../src/kafka/coordinator/group/streams/sticky-assignor.ts';
import { type TaskAssignment, type Tasks, taskIds } from '../../../src/kafka/coordinator/group/streams/tasks.ts';
import { below } from '../../../src/runtime/random.ts';
import { SimRandom } from '../../../src/runtime/sim/sim-random.ts';
import { javaProgram } from '../peers/tools.ts';

const GROUPS = 80;
const STEPS = 12;

interface Step {
  readonly input: string;
  readonly output: string;
}

class Life {
  readonly #random: SimRandom;
  readonly #replicas: number;
  readonly #subtopologies: AssignedSubtopology[] = [];
  readonly #processes = new Map<string, string>();
  #assigned: ReadonlyMap<string, TaskAssignment> = new Map();

  constructor(seed: number) {
    this.#random = new SimRandom(`tasks ${seed}`);
    this.#replicas = this.#draw(4);
    const count = 1 + this.#draw(12);
    for (let id = 0; id < count; id += 1) {
      this.#subtopologies.push({ id: String(id), taskCount: 1 + this.#draw(12), isStateful: this.#draw(3) > 0 });
    }
    this.#subtopologies.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  #draw(limit: number): number {
    return below(this.#random, limit);
  }

  step(): Step {
    const ids = [...this.#processes.keys()];
    if (ids.length > 1 && this.#draw(4) === 0) this.#processes.delete(ids[this.#draw(ids.length)]!);
    else {
      const isAlone = this.#draw(2) === 0 || ids.length === 0;
      const process = isAlone ? `p${this.#random.uint32()}` : this.#processes.get(ids[this.#draw(ids.length)]!)!;
      this.#processes.set(`m${this.#random.uint32().toString(36)}`, process);
    }
    const members = Array.from(this.#processes, ([id, processId]) => this.#member(id, processId));
    const topology = this.#subtopologies.map((one) => `${one.id}=${one.taskCount}=${one.isStateful ? 1 : 0}`);
    const described = members.map((one) =>
      [one.id, one.processId, printed(one.active), printed(one.standby), printedOffsets(one)].join(';'),
    );
    this.#assigned = assignSticky(members, this.#subtopologies, this.#replicas);
    const output = [...this.#assigned]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, { active, standby }]) => [id, printed(active), printed(standby)].join(';'));
    return { input: `${this.#replicas}|${topology.join(',')}|${described.join('~')}`, output: output.join('~') };
  }

  /** It may have lost what it had, and have state of other tasks on its disk. */
  #member(id: string, processId: string): AssignedMember {
    const had = this.#draw(8) === 0 ? undefined : this.#assigned.get(id);
    const offsets = new Map<string, Map<number, number>>();
    for (const one of this.#subtopologies) {
      if (this.#draw(6) > 0) continue;
      offsets.set(one.id, new Map([[this.#draw(one.taskCount), this.#draw(100)]]));
    }
    return { id, processId, active: had?.active ?? new Map(), standby: had?.standby ?? new Map(), offsets };
  }
}

function printed(tasks: Tasks): string {
  return taskIds(tasks)
    .map(({ subtopologyId, partitions }) => `${subtopologyId}=${partitions.join('.')}`)
    .join(',');
}

function printedOffsets({ offsets }: AssignedMember): string {
  return Array.from(offsets, ([id, sums]) => `${id}=${Array.from(sums, (sum) => sum.join(':')).join('.')}`).join(',');
}

test('tasks are assigned as Apache’s sticky assignor assigns them', async () => {
  const steps: Step[] = [];
  for (let seed = 0; seed < GROUPS; seed += 1) {
    const life = new Life(seed);
    for (let count = 0; count < STEPS; count += 1) steps.push(life.step());
  }
  const program = join(import.meta.dirname, '../clients/TaskAssignments.java');
  const stdin = `${steps.map(({ input }) => input).join('\n')}\n`;
  const { stdout, stderr, code } = await javaProgram('kafka-server-4.4.0', program, [], { stdin });
  assert.equal(code, 0, stderr);
  const theirs = stdout.trimEnd().split('\n');
  assert.equal(theirs.length, steps.length, stderr);
  for (const [index, { input, output }] of steps.entries()) assert.equal(output, theirs[index], input);
});
