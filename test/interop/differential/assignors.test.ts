/** Random lives of groups: at every step our assignors give each member what Apache's give it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { NO_ASSIGNMENT } from '../../../src/kafka/coordinator/group/consumer/assignment.ts';
import { ConsumerGroup } from '../../../src/kafka/coordinator/group/consumer/consumer-group.ts';
import {
  type ConsumerMember,
  metadataValue,
  newMember,
} from '../../../src/kafka/coordinator/group/consumer/consumer-member.ts';
import { assignTarget } from '../../../src/kafka/coordinator/group/consumer/target.ts';
import { TopicsInMemory } from '../../../src/kafka/coordinator/group/testkit/topics-in-memory.ts';
import { below } from '../../../src/runtime/random.ts';
import { SimRandom } from '../../../src/runtime/sim/sim-random.ts';
import { javaProgram } from '../peers/tools.ts';

const GROUPS = 150;
const STEPS = 12;
const TOPICS = ['a', 'b', 'c', 'd', 'e'];

interface Step {
  readonly input: string;
  readonly output: string;
}

/** One group that changes step by step. */
class Life {
  readonly #random: SimRandom;
  readonly #image = new TopicsInMemory();
  readonly #group = new ConsumerGroup('g');
  readonly #ids = new Map<string, string>();
  readonly #assignor: string;
  readonly #isUniform: boolean;

  constructor(seed: number) {
    this.#random = new SimRandom(`assignors ${seed}`);
    this.#assignor = this.#draw(2) === 0 ? 'range' : 'uniform';
    this.#isUniform = this.#draw(2) === 0;
    for (const name of TOPICS) this.#ids.set(name, this.#image.set(name, 1 + this.#draw(40), this.#random.bytes(16)));
  }

  #draw(limit: number): number {
    return below(this.#random, limit);
  }

  step(): Step | undefined {
    const updated = this.#change();
    if (updated === undefined) return undefined;
    const members = new Map(this.#group.members).set(updated.id, updated);
    const isHomogeneous = this.#group.subscriptions
      .with(this.#group.members.get(updated.id), updated)
      .isHomogeneous(members.size);
    const input = this.#describe(members.values(), isHomogeneous);
    const { records } = assignTarget({
      group: this.#group,
      epoch: this.#group.epoch + 1,
      updated,
      isHomogeneous,
      assignor: this.#assignor,
      image: this.#image,
      nowMs: 1,
    });
    this.#replayMember(updated);
    for (const record of records) this.#group.replay(record);
    return { input, output: this.#outcome() };
  }

  #change(): ConsumerMember | undefined {
    const members = [...this.#group.members.values()];
    const drawn = members[this.#draw(Math.max(1, members.length))];
    switch (this.#draw(6)) {
      case 0:
        if (drawn === undefined || members.length < 2) break;
        for (const kind of ['consumer-current', 'consumer-target', 'consumer-member'] as const) {
          this.#group.replay({ kind, group: 'g', member: drawn.id, value: null });
        }
        return [...this.#group.members.values()][0];
      case 1: {
        const name = TOPICS[this.#draw(TOPICS.length)]!;
        this.#image.set(name, this.#image.topic(name)!.partitionCount + this.#draw(10));
        return drawn;
      }
      case 2:
        if (drawn !== undefined && !this.#isUniform) return { ...drawn, topicNames: this.#topics() };
        break;
      default:
    }
    const id = `member-${this.#random.uint32().toString(36)}`;
    return {
      ...newMember(id),
      instanceId: this.#draw(4) === 0 ? `instance-${this.#random.uint32()}` : null,
      topicNames: this.#isUniform && drawn !== undefined ? drawn.topicNames : this.#topics(),
    };
  }

  #topics(): string[] {
    return TOPICS.filter(() => this.#draw(3) > 0);
  }

  #replayMember(member: ConsumerMember): void {
    this.#group.replay({ kind: 'consumer-member', group: 'g', member: member.id, value: metadataValue(member) });
  }

  #describe(members: Iterable<ConsumerMember>, isHomogeneous: boolean): string {
    const topics = TOPICS.map((name) => `${this.#ids.get(name)}=${this.#image.topic(name)!.partitionCount}`);
    const described = Array.from(members, ({ id, instanceId, topicNames }) => {
      const subscribed = topicNames.map((name) => this.#ids.get(name)).join(',');
      const assigned = Array.from(
        this.#group.target(id) ?? NO_ASSIGNMENT,
        ([topicId, partitions]) => `${topicId}=${partitions.join('.')}`,
      );
      return `${id};${instanceId ?? '-'};${subscribed};${assigned.join(',')}`;
    });
    return `${this.#assignor}|${isHomogeneous ? 1 : 0}|${topics.join(',')}|${described.join('~')}`;
  }

  #outcome(): string {
    return Array.from(this.#group.targets, ([id, target]) => [id, sortedTopics(target)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, topics]) => `${id};${topics}`)
      .join('~');
  }
}

function sortedTopics(target: ReadonlyMap<string, readonly number[]>): string {
  return [...target]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([topicId, partitions]) => `${topicId}=${[...partitions].sort((a, b) => a - b).join('.')}`)
    .join(',');
}

/** Apache leaves out who gets nothing when there is nothing for anybody. */
function withoutIdle(output: string): string {
  return output
    .split('~')
    .filter((member) => !member.endsWith(';'))
    .join('~');
}

test('uniform and range assign as Apache’s assignors do', async () => {
  const steps: Step[] = [];
  for (let seed = 0; seed < GROUPS; seed += 1) {
    const life = new Life(seed);
    for (let count = 0; count < STEPS; count += 1) {
      const step = life.step();
      if (step !== undefined) steps.push(step);
    }
  }
  const program = join(import.meta.dirname, '../clients/Assignments.java');
  const stdin = `${steps.map(({ input }) => input).join('\n')}\n`;
  const { stdout, stderr, code } = await javaProgram('kafka-server-4.4.0', program, [], { stdin });
  assert.equal(code, 0, stderr);
  const theirs = stdout.trimEnd().split('\n');
  assert.equal(theirs.length, steps.length, stderr);
  for (const [index, { input, output }] of steps.entries()) {
    assert.equal(withoutIdle(output), withoutIdle(theirs[index]!), input);
  }
});
