import assert from 'node:assert/strict';
import test from 'node:test';
import { below } from '../../runtime/random.ts';
import type { SimMachine } from '../../runtime/sim/sim-machine.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import { makeZxid, type Zxid } from '../jute/ids.ts';
import { Elector } from './elector.ts';
import type { PeerState, Vote } from './notification.ts';
import { majority, type ServerId } from './quorum-verifier.ts';

/** A voter without the rest of a server: it leads, or follows, as long as the others do what that needs. */
interface Voter {
  readonly id: ServerId;
  readonly machine: SimMachine;
  readonly lastZxid: Zxid;
  readonly epoch: number;
  elector: Elector | undefined;
  state: PeerState;
  vote: Vote | undefined;
}

const PATIENCE_MS = 2000;

class Voters {
  readonly sim: Simulation;
  readonly all: Voter[];

  constructor(seed: number, logs: readonly { readonly lastZxid: Zxid; readonly epoch: number }[]) {
    this.sim = new Simulation({ seed });
    this.all = logs.map((log, index) => {
      const id = index + 1;
      const machine = this.sim.machine(`server${id}`);
      return { id, machine, ...log, elector: undefined, state: 'LOOKING' as PeerState, vote: undefined };
    });
  }

  async start(voter: Voter): Promise<void> {
    const ids = this.all.map(({ id }) => id);
    const { clock } = voter.machine.runtime;
    const elector = new Elector({
      runtime: voter.machine.runtime,
      election: { self: voter.id, role: 'participant', verifiers: [majority(ids)], config: 'version=0' },
      port: {
        addresses: [{ host: voter.machine.host, port: 3888 }],
        addressesOf: (id) => [{ host: this.#voter(id)?.machine.host ?? '', port: 3888 }],
        helloTimeoutMs: 1000,
      },
      decided: (state, vote) => {
        voter.state = state;
        voter.vote = vote;
        const look = (): void => {
          if (voter.elector !== elector) return;
          if (this.#isWellLed(voter)) clock.after(PATIENCE_MS, look);
          else this.#look(voter, elector);
        };
        clock.after(PATIENCE_MS, look);
      },
    });
    voter.elector = elector;
    await this.sim.complete(elector.start());
    this.#look(voter, elector);
  }

  /** As who has lost its leader. */
  look(voter: Voter): void {
    if (voter.elector !== undefined) this.#look(voter, voter.elector);
  }

  crash(voter: Voter): void {
    voter.machine.crash('process');
    voter.elector = undefined;
    voter.state = 'LOOKING';
    voter.vote = undefined;
  }

  async restart(voter: Voter): Promise<void> {
    voter.machine.restart();
    await this.start(voter);
  }

  get leaders(): Voter[] {
    return this.all.filter((voter) => voter.state === 'LEADING');
  }

  /** Everybody who runs follows one leader, or is it. */
  get isSettled(): boolean {
    const running = this.all.filter(({ elector }) => elector !== undefined);
    const [leader, ...more] = this.leaders;
    return (
      leader !== undefined &&
      more.length === 0 &&
      running.every(({ state, vote }) => state !== 'LOOKING' && vote?.leader === leader.id)
    );
  }

  #look(voter: Voter, elector: Elector): void {
    voter.state = 'LOOKING';
    voter.vote = undefined;
    elector.look(voter.lastZxid, voter.epoch);
  }

  #voter(id: ServerId): Voter | undefined {
    return this.all.find((voter) => voter.id === id);
  }

  /** What the rest of a server would notice: a leader whom no quorum follows gives up, and so does a follower without a leader. */
  #isWellLed(voter: Voter): boolean {
    const { network } = this.sim;
    const reaches = (other: Voter): boolean => other.elector !== undefined && network !== undefined;
    if (voter.state === 'LEADING') {
      const followers = this.all.filter(
        (other) => other.state === 'FOLLOWING' && other.vote?.leader === voter.id && reaches(other),
      );
      return followers.length + 1 > this.all.length / 2;
    }
    const leader = this.#voter(voter.vote?.leader ?? 0);
    return leader?.state === 'LEADING' && reaches(leader);
  }
}

const same = { lastZxid: makeZxid(1, 7), epoch: 1 };

test('of equal logs the highest id leads', async () => {
  const voters = new Voters(1, [same, same, same]);
  for (const voter of voters.all) await voters.start(voter);
  await voters.sim.runUntil(() => voters.isSettled, 5000);
  assert.deepEqual(
    voters.leaders.map(({ id }) => id),
    [3],
  );
});

test('the newest epoch wins over the longest log, and that over the highest id', async () => {
  const logs = [
    { lastZxid: makeZxid(2, 1), epoch: 2 },
    { lastZxid: makeZxid(1, 900), epoch: 1 },
    { lastZxid: makeZxid(2, 0), epoch: 2 },
  ];
  const voters = new Voters(2, logs);
  for (const voter of voters.all) await voters.start(voter);
  await voters.sim.runUntil(() => voters.isSettled, 5000);
  assert.deepEqual(
    voters.leaders.map(({ id }) => id),
    [1],
  );
});

test('a unanimous vote is decided at once; a quorum waits a while for who might have a better one', async () => {
  const voters = new Voters(4, [same, same, same]);
  for (const voter of voters.all) await voters.start(voter);
  await voters.sim.runUntil(() => voters.isSettled, 50);
  const [one, two, three] = voters.all as [Voter, Voter, Voter];
  const some = new Voters(4, [same, same, same]);
  await some.start(some.all[0] as Voter);
  await some.start(some.all[1] as Voter);
  await some.sim.runFor(190);
  assert.ok(!some.isSettled);
  await some.sim.runUntil(() => some.isSettled, 60);
  assert.deepEqual([one.state, two.state, three.state], ['FOLLOWING', 'FOLLOWING', 'LEADING']);
});

test('a leader whose process is gone is not waited for', async () => {
  const voters = new Voters(4, [same, same, same]);
  for (const voter of voters.all) await voters.start(voter);
  await voters.sim.runUntil(() => voters.isSettled, 500);
  const [one, two, three] = voters.all as [Voter, Voter, Voter];
  voters.crash(three);
  voters.look(one);
  voters.look(two);
  await voters.sim.runUntil(() => voters.isSettled, 50);
  assert.deepEqual([one.state, two.state], ['FOLLOWING', 'LEADING']);
});

test('without a quorum nobody leads, with one a late joiner follows who leads already', async () => {
  const voters = new Voters(3, [same, same, same, same, same]);
  const [one, two, three, four, five] = voters.all as [Voter, Voter, Voter, Voter, Voter];
  await voters.start(one);
  await voters.start(two);
  await voters.sim.runFor(30_000);
  assert.deepEqual(voters.leaders, []);
  await voters.start(three);
  await voters.sim.runUntil(() => voters.isSettled, 90_000);
  assert.deepEqual(voters.leaders, [three]);
  await voters.start(five);
  await voters.start(four);
  await voters.sim.runUntil(() => voters.isSettled, 90_000);
  assert.deepEqual(voters.leaders, [three]);
});

for (let seed = 1; seed <= 40; seed += 1) {
  test(`seed ${seed}: servers crash, come back, are cut off; then one leads and all follow`, async () => {
    const { random } = new Simulation({ seed: `draws ${seed}` });
    const count = 3 + 2 * below(random, 2);
    const logs = Array.from({ length: count }, () => {
      const epoch = 1 + below(random, 3);
      return { lastZxid: makeZxid(epoch, below(random, 3)), epoch };
    });
    const voters = new Voters(seed, logs);
    const { sim } = voters;
    for (const voter of voters.all) await voters.start(voter);
    for (let fault = 0; fault < 12; fault += 1) {
      await sim.runFor(below(random, 3000));
      const voter = voters.all[below(random, count)] as Voter;
      if (voter.elector === undefined) await voters.restart(voter);
      else voters.crash(voter);
    }
    for (const voter of voters.all) if (voter.elector === undefined) await voters.restart(voter);
    await sim.runUntil(() => voters.isSettled, 300_000);
  });
}
