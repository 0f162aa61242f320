/** A member leaves and comes back, in every way that its leader knows to bring it up to date: what passes on the wire. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { connectZookeeper } from '../../../src/zookeeper/client/index.ts';
import { type Ensemble, startEnsemble } from '../ensemble.ts';
import { type Capture, startCapture } from '../peers/capture.ts';
import { type CuttableProxy, startCuttableProxy } from '../peers/cuttable-proxy.ts';
import { until } from '../peers/process.ts';
import { sameZxid } from './audit.ts';
import type { Member } from './member.ts';
import { type Mixture, membersOf } from './mixtures.ts';
import { joining } from './quorum-wire.ts';
import type { TestContext } from './scenarios.ts';

/** More than a leader keeps in memory. */
const MANY = 1_200;

/** What each join of the member 1, and of the observer 4, looks like, by its name. The observer is of member 1's kind. */
export async function recordJoins(t: TestContext, mixture: Mixture): Promise<ReadonlyMap<string, readonly string[]>> {
  const wires = new Wires(t);
  const members = [...membersOf(mixture), { id: 4, kind: mixture[0], role: 'observer' as const }];
  const ensemble = await startEnsemble(t, {
    members,
    // no limit: Apache does not count the log file in which the missed ones begin, our leader counts what it would send
    config: { snapshotSizeFactor: 0 },
    peerPort: (from, to, port) => wires.between(from, to, port),
  });
  const [follower, leader, observer] = [ensemble.member(1), ensemble.member(3), ensemble.member(4)];
  const joins = new Map<string, readonly string[]>();
  const record = async (name: string, member: Member, to = leader): Promise<void> => {
    joins.set(name, await wires.joined(member, to));
  };
  await record('a new ensemble', follower);
  await record('a new observer', observer);

  const client = connectZookeeper({ connect: leader.connect });
  t.after(() => client.close());
  let named = 0;
  const create = (count: number): Promise<unknown> =>
    Promise.all(
      Array.from({ length: count }, () => {
        named += 1;
        return client.create(`/n-${named}`);
      }),
    );
  const absence = async (name: string, member: Member, meanwhile: () => unknown): Promise<void> => {
    await sameZxid(ensemble.members);
    await member.kill();
    await meanwhile();
    await member.start();
    await record(name, member);
  };
  await create(1);
  await absence('nothing was missed', follower, () => undefined);
  await absence('three transactions were missed', follower, () => create(3));
  await absence('an observer missed three transactions', observer, () => create(3));
  await absence('more was missed than the leader has in memory', follower, () => create(MANY));
  const empty = ({ dataDir }: Member) => rmSync(join(dataDir, 'version-2'), { recursive: true });
  await absence('the disk was emptied', follower, () => empty(follower));
  await absence('the disk of an observer was emptied', observer, () => empty(observer));
  await loseTail(ensemble, wires, () => void client.create('/never-agreed').catch(() => undefined));
  await record('the leader has less', leader, await ensemble.leader());
  return joins;
}

/** The leader logs what reaches nobody, and comes back as a follower. */
async function loseTail(ensemble: Ensemble, wires: Wires, write: () => void): Promise<void> {
  const leader = ensemble.member(3);
  wires.hold(3);
  write();
  await until('transaction in the log of the leader', () => leader.hasLogged('/never-agreed') || undefined);
  await leader.kill();
  wires.cut(3);
  await ensemble.leader({ not: leader });
  await leader.start();
}

/** Between every two members a recorder, and behind it a relay that can be held. */
class Wires {
  readonly #t: TestContext;
  readonly #captures = new Map<string, Capture>();
  readonly #proxies = new Map<number, CuttableProxy[]>();

  constructor(t: TestContext) {
    this.#t = t;
  }

  async between(from: number, to: number, port: number): Promise<number> {
    const proxy = await startCuttableProxy(port, { patienceMs: 5_000 });
    const capture = await startCapture({ port: proxy.port, framed: false });
    this.#t.after(() => Promise.all([capture.close(), proxy.close()]));
    this.#proxies.set(to, [...(this.#proxies.get(to) ?? []), proxy]);
    this.#captures.set(`${from} to ${to}`, capture);
    return capture.port;
  }

  joined(learner: Member, leader: Member): Promise<readonly string[]> {
    const capture = this.#captures.get(`${learner.id} to ${leader.id}`);
    return until(`${learner.name} joins ${leader.name}`, () => (capture === undefined ? undefined : joining(capture)));
  }

  hold(to: number): void {
    for (const proxy of this.#proxies.get(to) ?? []) proxy.hold();
  }

  /** For good what is under way; new connections pass. */
  cut(to: number): void {
    for (const proxy of this.#proxies.get(to) ?? []) {
      proxy.cut();
      proxy.release();
      proxy.mend();
    }
  }
}
