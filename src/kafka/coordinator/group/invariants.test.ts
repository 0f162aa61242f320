import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ErrorCode } from '../../protocol/errors.ts';
import type { JoinGroupResponse } from '../../protocol/messages/11-join-group.ts';
import { GROUP, GroupWorld, type Pending, subscription } from './testkit/group-world.ts';

/** What happens, in any order; members are picked by number among those who were ever given an id. */
type Action =
  | { readonly kind: 'enter' | 'restart' | 'hold' | 'commitAll' | 'commitOne' | 'delete' | 'resign' | 'deleteTopic' }
  | { readonly kind: 'enterStatic'; readonly instance: number; readonly version: number }
  | { readonly kind: 'join' | 'sync' | 'heartbeat' | 'leave'; readonly member: number }
  | { readonly kind: 'change'; readonly member: number; readonly protocols: readonly string[] }
  | { readonly kind: 'commit'; readonly member: number; readonly partition: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'fail'; readonly errorCode: number; readonly isWritten: boolean };

const member = fc.nat(7);
const protocols = fc.subarray(['range', 'sticky', 'own'], { minLength: 1 });
const written = [ErrorCode.REQUEST_TIMED_OUT, ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND];
const unwritten = [ErrorCode.NOT_ENOUGH_REPLICAS, ErrorCode.MESSAGE_TOO_LARGE];
const unknown = [ErrorCode.UNKNOWN_SERVER_ERROR, ErrorCode.KAFKA_STORAGE_ERROR];

const plain = (
  ...kinds: ('enter' | 'hold' | 'commitAll' | 'commitOne' | 'delete' | 'restart' | 'resign' | 'deleteTopic')[]
) => fc.constantFrom(...kinds).map((kind): Action => ({ kind }));

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: plain('enter') },
  { weight: 6, arbitrary: plain('commitAll', 'commitOne', 'hold') },
  { weight: 2, arbitrary: plain('restart', 'resign', 'delete', 'deleteTopic') },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('enterStatic' as const),
      instance: fc.nat(2),
      version: fc.constantFrom(8, 9),
    }),
  },
  { weight: 30, arbitrary: fc.record({ kind: fc.constantFrom('join', 'sync', 'sync', 'heartbeat', 'leave'), member }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('change' as const), member, protocols }) },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('commit' as const), member, partition: fc.nat(1) }) },
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, 50, 3000, 9000, 31_000) }),
  },
  {
    weight: 2,
    arbitrary: fc
      .oneof(
        fc.record({ errorCode: fc.constantFrom(...written), isWritten: fc.constant(true) }),
        fc.record({ errorCode: fc.constantFrom(...unwritten), isWritten: fc.constant(false) }),
        fc.record({ errorCode: fc.constantFrom(...unknown), isWritten: fc.boolean() }),
      )
      .map((failure): Action => ({ kind: 'fail', ...failure })),
  },
);

interface Known {
  readonly id: string;
  readonly instanceId: string | null;
  generation: number;
  leads: boolean;
}

interface Commit {
  readonly offset: number;
  readonly answer: Pending<number>;
}

/** Plays members that know only what they were answered, and holds the coordinator to what it said. */
class Play {
  readonly #world = new GroupWorld({ initialRebalanceDelayMs: 100 });
  readonly #members: Known[] = [];
  readonly #joins: { pending: Pending<JoinGroupResponse>; known: Known; isSeen: boolean }[] = [];
  readonly #pendings: Pending<unknown>[] = [];
  /** What was told of each generation since the log was read: unstored ones are counted again from there. */
  #generations = new Map<string, { protocol: string | null; leader: string }>();
  readonly #commits = new Map<number, Commit[]>();
  #nextOffset = 1;

  run(actions: readonly Action[]): void {
    for (const next of actions) {
      this.#do(next);
      this.#look();
    }
    this.#world.topic.isHeld = false;
    this.#world.topic.commit();
    this.#world.run(700_000);
    this.#look();
    for (const pending of this.#pendings) assert.equal(pending.count, 1, 'every request is answered once');
    this.#checkOffsets();
    this.#world.restart();
    this.#checkOffsets();
    this.#checkLog();
  }

  #do(next: Action): void {
    const world = this.#world;
    switch (next.kind) {
      case 'enter': {
        const id = world.join().answer?.memberId;
        if (id !== undefined && id !== '') this.#join({ id, instanceId: null, generation: -1, leads: false }, {});
        return;
      }
      case 'enterStatic':
        this.#join(
          { id: '', instanceId: `i${next.instance}`, generation: -1, leads: false },
          { version: next.version },
        );
        return;
      case 'join':
        return this.#with(next.member, (known) => this.#join(known, {}));
      case 'change': {
        const offered = Object.fromEntries(next.protocols.map((name) => [name, subscription('t', name)]));
        return this.#with(next.member, (known) => this.#join(known, { protocols: offered }));
      }
      case 'sync':
        return this.#with(next.member, (known) => {
          const parts = known.leads ? { [known.id]: `of generation ${known.generation}` } : {};
          this.#pendings.push(world.sync(known.id, known.generation, parts, { groupInstanceId: known.instanceId }));
        });
      case 'heartbeat':
        return this.#with(next.member, (known) => world.heartbeat(known.id, known.generation, known.instanceId));
      case 'leave':
        return this.#with(next.member, (known) => world.leave({ memberId: known.id }));
      case 'commit':
        return this.#commit(next.member, next.partition);
      case 'pass':
        return world.run(next.ms);
      case 'hold':
        world.topic.isHeld = true;
        return;
      case 'commitOne':
        return world.topic.commit(1);
      case 'commitAll':
        world.topic.isHeld = false;
        return world.topic.commit();
      case 'fail':
        world.topic.failures.push(next);
        return;
      case 'delete':
        this.#pendings.push(world.deleteGroup());
        return this.#forgetGroup();
      case 'deleteTopic':
        world.coordinator.onPartitionsDeleted([{ topic: 't', partition: 0 }]);
        return this.#forgetGroup();
      case 'restart':
      case 'resign':
        return this.#beginLife(next.kind);
      default:
        next satisfies never;
    }
  }

  #beginLife(kind: 'restart' | 'resign'): void {
    // What was under way arrives: only then do we know what the log must hold.
    this.#world.topic.commit();
    if (kind === 'resign') this.#world.coordinator.onResigned(0);
    else this.#world.coordinator.close();
    this.#look();
    if (kind === 'resign') this.#world.electAll();
    else this.#world.restart();
  }

  #with(index: number, act: (known: Known) => void): void {
    const known = this.#members[index % Math.max(1, this.#members.length)];
    if (known !== undefined) act(known);
  }

  #join(known: Known, given: { version?: number; protocols?: { readonly [name: string]: Uint8Array } }): void {
    const offered = given.protocols ?? { range: subscription('t'), sticky: subscription('t') };
    const pending = this.#world.join({
      memberId: known.id,
      instanceId: known.instanceId,
      ...given,
      protocols: offered,
    });
    this.#pendings.push(pending);
    this.#joins.push({ pending, known, isSeen: false });
  }

  #commit(index: number, partition: number): void {
    const known = this.#members[index % Math.max(1, this.#members.length)];
    const { id = '', instanceId = null, generation = -1 } = known ?? {};
    const offset = this.#nextOffset;
    this.#nextOffset += 1;
    const sender = { memberId: id, groupInstanceId: instanceId, generationIdOrMemberEpoch: generation };
    const answer = this.#world.commit(offset, { ...sender, partition });
    this.#pendings.push(answer);
    this.#commits.set(partition, [...(this.#commits.get(partition) ?? []), { offset, answer }]);
  }

  /** Deleted, perhaps: the model asks no more than that later commits are kept; generations may begin anew. */
  #forgetGroup(): void {
    this.#commits.clear();
    this.#generations = new Map();
  }

  /** Members read their answers; what they are told must agree. */
  #look(): void {
    for (const join of this.#joins) {
      const { answer } = join.pending;
      assert.ok(join.pending.count <= 1, 'a join is answered once');
      if (answer === undefined || join.isSeen) continue;
      join.isSeen = true;
      if (answer.errorCode === ErrorCode.NONE) this.#learn(join.known, answer, join.pending.loadCount);
    }
  }

  #learn(known: Known, answer: JoinGroupResponse, loadCount: number): void {
    const { generationId, protocolName, leader, memberId, members, skipAssignment } = answer;
    const id = { id: memberId, instanceId: known.instanceId, generation: generationId };
    this.#members.push({ ...id, leads: leader === memberId && !skipAssignment });
    const name = `${loadCount}: ${generationId}`;
    const told = this.#generations.get(name);
    if (told === undefined) this.#generations.set(name, { protocol: protocolName, leader });
    else {
      assert.equal(protocolName, told.protocol, 'all members of a generation get the same protocol');
      // A static leader takes a new id within its generation.
      if (known.instanceId === null) assert.ok(leader === told.leader || leader.startsWith('i'), 'one leader');
    }
    if (leader === memberId)
      assert.ok(
        members.some((one) => one.memberId === memberId),
        'the leader sees itself',
      );
    else assert.deepEqual(members, [], 'only the leader sees the members');
  }

  #checkOffsets(): void {
    for (const [partition, commits] of this.#commits) {
      const acknowledged = commits.filter(({ answer }) => answer.answer === ErrorCode.NONE).at(-1)?.offset ?? -1;
      const found = this.#world.offset('t', partition);
      assert.ok(found !== undefined && found >= acknowledged, `offset ${found}, acknowledged ${acknowledged}`);
    }
  }

  /** Generations only grow in the log, until the group is deleted. */
  #checkLog(): void {
    let last = -1;
    for (const record of this.#world.topic.records(0)) {
      if (record.kind !== 'metadata' || record.group !== GROUP) continue;
      const generation = record.value?.generation ?? -1;
      assert.ok(record.value === null || generation >= last, `generation ${generation} after ${last}`);
      last = generation;
      const ids = record.value?.members.map(({ memberId }) => memberId) ?? [];
      if (ids.length > 0) assert.ok(ids.includes(record.value!.leader ?? ''), 'the leader is a member');
      assert.equal(new Set(ids).size, ids.length);
    }
  }
}

test('whatever members, replicas and crashes do, the coordinator keeps its word', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60, size: 'max' }), (actions) => new Play().run(actions)),
    { numRuns: 400, seed: 20_261_123 },
  );
});
