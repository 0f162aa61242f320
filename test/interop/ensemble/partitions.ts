/** What an ensemble does when its network is cut or slow. */
import { connectZookeeper } from '../../../src/zookeeper/client/index.ts';
import type { Ensemble } from '../ensemble.ts';
import { until } from '../peers/process.ts';
import { audit } from './audit.ts';
import type { Member } from './member.ts';
import type { MachineNetwork } from './network.ts';
import type { TestContext } from './scenarios.ts';
import { Workload } from './workload.ts';

export type Partition = (t: TestContext, ensemble: Ensemble, network: MachineNetwork) => Promise<void>;

export const partitions: ReadonlyMap<string, Partition> = new Map([
  ['a leader that is cut off steps down, and follows when the network is whole again', leaderCutOff],
  ['a follower that is cut off serves nobody, and catches up', followerCutOff],
  ['nobody serves while all are apart', allApart],
  ['a follower behind a slow link holds nobody up', slowFollower],
]);

const idsBut = (ensemble: Ensemble, one: Member): number[] =>
  ensemble.members.filter((member) => member !== one).map(({ id }) => id);

const silent = (member: Member): Promise<boolean> =>
  until(`${member.name} stops to serve`, async () => (await member.mode()) === undefined || undefined);

async function leaderCutOff(t: TestContext, ensemble: Ensemble, network: MachineNetwork): Promise<void> {
  const workload = await Workload.start(t, { connect: ensemble.connect });
  const leader = await ensemble.leader();
  await network.partition(idsBut(ensemble, leader), [leader.id]);
  await ensemble.leader({ not: leader });
  await workload.progress();
  await silent(leader);
  await network.heal();
  await leader.reached('follower');
  await workload.progress();
  await audit(ensemble, await workload.stop());
}

async function followerCutOff(t: TestContext, ensemble: Ensemble, network: MachineNetwork): Promise<void> {
  const workload = await Workload.start(t, { connect: ensemble.connect });
  const [follower] = (await ensemble.followers()) as [Member];
  await network.partition(idsBut(ensemble, follower), [follower.id]);
  await silent(follower);
  await workload.progress(100);
  await network.heal();
  await follower.reached('follower');
  await workload.progress();
  await audit(ensemble, await workload.stop());
}

async function allApart(t: TestContext, ensemble: Ensemble, network: MachineNetwork): Promise<void> {
  const workload = await Workload.start(t, { connect: ensemble.connect });
  await network.partition();
  await Promise.all(ensemble.members.map(silent));
  await network.heal();
  await ensemble.leader();
  await workload.progress();
  await audit(ensemble, await workload.stop());
}

/** Far more than the link carries in the time. */
const SLOW_KILOBITS = 64;

async function slowFollower(t: TestContext, ensemble: Ensemble, network: MachineNetwork): Promise<void> {
  const [slow, quick] = (await ensemble.followers()) as [Member, Member];
  const leader = await ensemble.leader();
  await network.slow(slow.id, SLOW_KILOBITS);
  const connect = `${leader.connect},${quick.connect}`;
  const client = connectZookeeper({ connect });
  const workload = await Workload.start(t, { connect });
  const data = Buffer.alloc(2_000, 'x');
  await client.create('/large');
  await Promise.all(Array.from({ length: 100 }, (_, index) => client.create(`/large/n-${index}`, data)));
  await workload.progress(100);
  const histories = await workload.stop();
  await client.close();
  await network.hurry(slow.id);
  await slow.reached('follower');
  await audit(ensemble, histories);
}
