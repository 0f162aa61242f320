import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Writer } from '../../wire/writer.ts';
import { makeZxid, type SessionId, type Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import { writeTxnRecord } from '../jute/txn.ts';
import { LeaderBroadcast } from './leader-broadcast.ts';
import type { BroadcastProposal, LeaderEvent } from './leader-events.ts';
import { LearnerBroadcast, type LearnerEvent } from './learner-broadcast.ts';
import { PacketType, type QuorumPacket } from './quorum-packet.ts';
import { majority } from './quorum-verifier.ts';

interface Sent extends BroadcastProposal {
  readonly bytes: Uint8Array;
}

const LEADER = 1;
const FOLLOWERS = [2, 3] as const;
const OBSERVER = 4;
const epoch = makeZxid(5, 0);
const verifiers = [majority([LEADER, ...FOLLOWERS])];

function proposalOf(count: number): Sent {
  const zxid = makeZxid(5, count);
  const header = { clientId: 1n as SessionId, cxid: count, zxid, time: 0, type: OpCode.createSession };
  const to = new Writer(64);
  writeTxnRecord(to, header, { type: OpCode.createSession, timeOut: count }, null);
  return { zxid, change: undefined, bytes: to.finishFlat() };
}

/** As the leader sees it: what was sent before it broke may come later than what is sent on the next one. */
interface Connection {
  readonly id: number;
  /** From the leader, not looked at. */
  readonly inbox: QuorumPacket[];
  /** Acknowledgements that the leader has not heard. */
  readonly outbox: Zxid[];
}

/** A learner's server: its disk outlives its connections. */
class Learner {
  readonly server: number;
  machine: LearnerBroadcast<never, never>;
  /** Those that the leader has, oldest first. */
  readonly connections: Connection[] = [];
  appended: Zxid = epoch;
  durable: Zxid = epoch;
  delivered: Zxid[] = [];
  connection: Connection | undefined;

  constructor(server: number) {
    this.server = server;
    this.machine = this.#become();
  }

  #become(): LearnerBroadcast<never, never> {
    return new LearnerBroadcast(this.server === OBSERVER ? 'observer' : 'follower');
  }

  step(event: LearnerEvent<never, never>): void {
    for (const effect of this.machine.step(event)) {
      if (effect.kind === 'append') this.appended = effect.proposal.zxid;
      if (effect.kind === 'deliver') this.delivered.push(effect.proposal.zxid);
      if (effect.kind !== 'acknowledge') continue;
      for (const { zxid } of effect.proposals) {
        assert.ok(zxid <= this.durable, 'what is acknowledged is on the disk');
        this.connection?.outbox.push(zxid);
      }
    }
  }

  sync(): void {
    this.durable = this.appended;
    this.step({ kind: 'durable', upTo: this.appended });
  }

  read(): void {
    const packet = this.connection?.inbox.shift();
    if (packet !== undefined) this.step({ kind: 'received', packet });
  }

  /** All that the leader has applied is on its disk, and nothing else (TRUNC); what is owed follows. */
  connect(id: number, history: readonly Zxid[]): void {
    this.connection = { id, inbox: [], outbox: [] };
    this.connections.push(this.connection);
    this.machine = this.#become();
    this.delivered = [...history];
    this.appended = history.at(-1) ?? epoch;
    this.durable = this.appended;
  }
}

class World {
  readonly leader = new LeaderBroadcast<Sent, never>(LEADER, epoch);
  readonly learners = new Map([...FOLLOWERS, OBSERVER].map((server) => [server, new Learner(server)]));
  readonly delivered: Zxid[] = [];
  appended: Zxid = epoch;
  durable: Zxid = epoch;
  proposed = 0;
  connectionCount = 0;

  constructor() {
    for (const learner of this.learners.values()) this.connect(learner);
  }

  learner(server: number): Learner {
    return this.learners.get(server) as Learner;
  }

  connect(learner: Learner): void {
    const { server } = learner;
    this.connectionCount += 1;
    learner.connect(this.connectionCount, this.delivered);
    this.step({ kind: 'join', learner: this.connectionCount, server, isObserver: server === OBSERVER });
  }

  tell(to: readonly number[], type: PacketType, { zxid }: Sent, data: Uint8Array | null): void {
    const connections = [...this.learners.values()].flatMap((learner) => learner.connections);
    for (const id of to) connections.find((each) => each.id === id)?.inbox.push({ type, zxid, data, authinfo: null });
  }

  step(event: LeaderEvent<Sent, never>): void {
    for (const effect of this.leader.step(event)) {
      if (effect.kind === 'append') this.appended = effect.proposal.zxid;
      if (effect.kind === 'propose') this.tell(effect.to, PacketType.PROPOSAL, effect.proposal, effect.proposal.bytes);
      if (effect.kind === 'owe') {
        for (const each of effect.proposals) this.tell([effect.learner], PacketType.PROPOSAL, each, each.bytes);
      }
      if (effect.kind === 'commit') {
        for (const each of effect.proposals) {
          this.tell(effect.followers, PacketType.COMMIT, each, null);
          this.tell(effect.observers, PacketType.INFORM, each, each.bytes);
        }
      }
      if (effect.kind === 'deliver') this.delivered.push(...effect.items.map(({ zxid }) => zxid));
    }
  }

  act({ what, server }: Action): void {
    const learner = this.learner(server);
    switch (what) {
      case 'propose':
        this.proposed += 1;
        this.step({ kind: 'propose', proposal: proposalOf(this.proposed), verifiers });
        break;
      case 'sync ours':
        this.durable = this.appended;
        this.step({ kind: 'acknowledged', zxid: this.durable, from: LEADER, learner: undefined });
        break;
      case 'count':
        this.step({ kind: 'count' });
        break;
      case 'read':
        learner.read();
        break;
      case 'sync':
        if (learner.connection !== undefined) learner.sync();
        break;
      case 'hear':
        this.hear(learner, learner.connections.at(-1));
        break;
      case 'hear of old':
        this.hear(learner, learner.connections[0]);
        break;
      case 'lose':
        learner.connection = undefined;
        break;
      case 'notice': {
        const [oldest] = learner.connections;
        if (oldest === undefined || oldest === learner.connection) break;
        learner.connections.shift();
        this.step({ kind: 'gone', learner: oldest.id });
        break;
      }
      case 'come again':
        if (learner.connection === undefined) this.connect(learner);
        break;
      default:
        what satisfies never;
    }
    this.check();
  }

  hear({ server }: Learner, connection: Connection | undefined): void {
    const zxid = connection?.outbox.shift();
    if (zxid !== undefined) this.step({ kind: 'acknowledged', zxid, from: server, learner: connection?.id });
  }

  check(): void {
    const logs = [this.durable, ...FOLLOWERS.map((server) => this.learner(server).durable)];
    const agreed = logs.toSorted((one, other) => (one < other ? -1 : 1))[1] as Zxid;
    for (const delivered of [this.delivered, ...[...this.learners.values()].map((learner) => learner.delivered)]) {
      for (const [index, zxid] of delivered.entries())
        assert.equal(zxid, epoch + BigInt(index + 1), 'one order, no gap');
      assert.ok((delivered.at(-1) ?? epoch) <= agreed, 'what is applied anywhere is on the disks of a quorum');
    }
  }
}

const actions = [
  'propose',
  'sync ours',
  'count',
  'read',
  'sync',
  'hear',
  'hear of old',
  'lose',
  'notice',
  'come again',
] as const;
interface Action {
  readonly what: (typeof actions)[number];
  readonly server: number;
}

test('a leader, two followers and an observer that come and go apply one history, and only what a quorum has on its disks', () => {
  const action = fc.record({ what: fc.constantFrom(...actions), server: fc.constantFrom(...FOLLOWERS, OBSERVER) });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200, size: 'max' }), (order) => {
      const world = new World();
      for (const each of order) world.act(each);
      // Then nothing fails any more, and all has to come to all.
      const servers = [...FOLLOWERS, OBSERVER];
      for (const server of servers) world.act({ what: 'come again', server });
      for (let round = 0; round < 3; round += 1) {
        world.act({ what: 'sync ours', server: OBSERVER });
        for (const server of servers) {
          while (world.learner(server).connection?.inbox.length) world.act({ what: 'read', server });
          world.act({ what: 'sync', server });
          while (world.learner(server).connection?.outbox.length) world.act({ what: 'hear', server });
        }
        world.act({ what: 'count', server: OBSERVER });
      }
      for (const { delivered } of [world, ...world.learners.values()]) assert.equal(delivered.length, world.proposed);
    }),
  );
});
