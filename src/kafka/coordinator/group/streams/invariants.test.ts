/** Random lives of a streams group, seen by clients that know no more than their answers. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ErrorCode } from '../../../protocol/errors.ts';
import type { StreamsGroupHeartbeatResponse } from '../../../protocol/messages/88-streams-group-heartbeat.ts';
import { StreamsWorld } from '../testkit/streams-world.ts';
import type { TaskIds } from './tasks.ts';

type Action =
  | { readonly kind: 'join' | 'beat' | 'release' | 'leave' | 'crash'; readonly member: number }
  | { readonly kind: 'restart' }
  | { readonly kind: 'standbys'; readonly count: number }
  | { readonly kind: 'pass'; readonly ms: number };

const member = fc.nat(4);
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('join' as const), member }) },
  { weight: 20, arbitrary: fc.record({ kind: fc.constantFrom('beat' as const, 'release' as const), member }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('leave' as const, 'crash' as const), member }) },
  { weight: 2, arbitrary: fc.constant<Action>({ kind: 'restart' }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('standbys' as const), count: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.constantFrom(100, 1000, 20_000).map((ms): Action => ({ kind: 'pass', ms })) },
);

const TASKS = ['0_0', '0_1', '0_2', '0_3'];

class Client {
  readonly id: string;
  readonly processId: string;
  epoch = 0;
  /** What it runs, what it is to give up among it. */
  active = new Set<string>();
  standby = new Set<string>();
  told = new Set<string>();
  /** When it takes itself for dead, as the session's end is the broker's to tell. */
  heardMs = 0;

  constructor(index: number, life: number) {
    this.id = `member-${index}-${life}`;
    this.processId = `process-${index % 3}`;
  }

  hear(answer: StreamsGroupHeartbeatResponse): void {
    this.epoch = answer.memberEpoch;
    if (answer.activeTasks === null) return;
    this.told = namesOf(answer.activeTasks);
    this.standby = namesOf(answer.standbyTasks ?? []);
    this.active = this.active.union(this.told);
  }

  forget(): void {
    this.epoch = 0;
    this.active.clear();
    this.standby.clear();
    this.told.clear();
  }
}

function namesOf(tasks: readonly TaskIds[]): Set<string> {
  return new Set(tasks.flatMap(({ subtopologyId, partitions }) => partitions.map((one) => `${subtopologyId}_${one}`)));
}

function mapOf(names: ReadonlySet<string>): Record<string, number[]> {
  return names.size === 0 ? {} : { 0: [...names].map((name) => Number(name.slice(2))) };
}

class Life {
  readonly world = new StreamsWorld();
  readonly clients = new Map<number, Client>();
  #standbys = 0;
  #lives = 0;

  constructor() {
    const { streams } = this.world;
    const usual = streams.settings('');
    this.world.streams = { ...streams, settings: () => ({ ...usual, standbyReplicas: this.#standbys }) };
    this.world.image.set('counts', 4);
    this.world.restart();
  }

  do(step: Action): void {
    switch (step.kind) {
      case 'join':
        if (!this.clients.has(step.member)) this.clients.set(step.member, new Client(step.member, this.#lives));
        this.#lives += 1;
        this.beat(step.member, false);
        break;
      case 'beat':
      case 'release':
        this.beat(step.member, step.kind === 'release');
        break;
      case 'leave': {
        const client = this.clients.get(step.member);
        this.clients.delete(step.member);
        if (client !== undefined && client.epoch > 0) this.world.beat(client.id, { memberEpoch: -1 });
        break;
      }
      case 'crash':
        this.clients.delete(step.member);
        break;
      case 'restart':
        this.world.restart();
        break;
      case 'standbys':
        this.#standbys = step.count;
        break;
      case 'pass':
        // Whoever lives is heard of in time.
        for (let left = step.ms; left > 0; left -= 5000) {
          this.world.run(Math.min(left, 5000));
          for (const index of this.clients.keys()) this.beat(index, false);
        }
        break;
      default:
        step satisfies never;
    }
    this.check();
  }

  /** @param releases it gives up what it was told to */
  beat(index: number, releases: boolean): void {
    const client = this.clients.get(index);
    if (client === undefined) return;
    const { id, epoch, processId } = client;
    if (epoch > 0 && releases) client.active = new Set(client.told);
    const owned = { active: mapOf(client.active), standby: mapOf(client.standby) };
    const answer = this.world.beat(id, epoch === 0 ? { processId } : { memberEpoch: epoch, owned });
    if (answer.errorCode === ErrorCode.NONE) client.hear(answer);
    else {
      assert.ok(
        answer.errorCode === ErrorCode.UNKNOWN_MEMBER_ID ||
          answer.errorCode === ErrorCode.FENCED_MEMBER_EPOCH ||
          answer.errorCode === ErrorCode.GROUP_ID_NOT_FOUND,
        String(answer.errorMessage),
      );
      client.forget();
    }
  }

  /** No two run the same task, and nobody has more than the log says. */
  check(): void {
    const known = new Map(this.world.described().members.map((one) => [one.memberId, one]));
    const holders = new Map<string, string>();
    for (const client of this.clients.values()) {
      const described = known.get(client.id);
      // The broker has thrown it out, and it will hear of that.
      if (described === undefined) continue;
      for (const task of client.active) {
        assert.equal(holders.get(task), undefined, `${task} runs at ${holders.get(task)} and at ${client.id}`);
        holders.set(task, client.id);
      }
      const stored = namesOf(described.assignment.activeTasks);
      assert.ok(client.told.isSubsetOf(stored) || described.memberEpoch !== client.epoch || client.epoch === 0);
    }
  }

  /** All answer in time until nothing changes. */
  settle(): void {
    this.world.run(46_000);
    for (let round = 0; round < 12; round += 1) {
      for (const index of this.clients.keys()) this.beat(index, true);
      this.check();
    }
  }
}

test('a task runs once at a time whatever happens, and in the end each task runs', () => {
  fc.assert(
    fc.property(fc.array(action, { minLength: 5, maxLength: 60 }), (actions) => {
      const life = new Life();
      for (const step of actions) life.do(step);
      life.settle();
      if (life.clients.size === 0) return;
      const running = [...life.clients.values()].flatMap(({ active }) => [...active]).sort();
      assert.deepEqual(running, TASKS);
      const { members, groupState, groupEpoch, assignmentEpoch } = life.world.described();
      assert.equal(groupState, 'Stable');
      assert.equal(groupEpoch, assignmentEpoch);
      const copies = members.flatMap(({ assignment }) => [...namesOf(assignment.standbyTasks)]);
      const processes = new Set(members.map(({ processId }) => processId)).size;
      assert.ok(copies.length <= TASKS.length * Math.max(0, processes - 1));
      life.world.restart();
      assert.deepEqual(life.world.described().members, members);
    }),
    { numRuns: 150 },
  );
});
