/** Servers are killed, hang, and lose their disks while clients write. */
import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { connectZookeeper } from '../../../src/zookeeper/client/index.ts';
import { startEnsemble } from '../ensemble.ts';
import { type CuttableProxy, startCuttableProxy } from '../peers/cuttable-proxy.ts';
import { until } from '../peers/process.ts';
import { audit } from './audit.ts';
import type { Member } from './member.ts';
import { type Mixture, membersOf } from './mixtures.ts';
import type { Scenario, TestContext } from './scenarios.ts';
import { type LaneHistory, Workload } from './workload.ts';

export const killedServers: Scenario = async (t, mixture) => {
  const ensemble = await startEnsemble(t, { members: membersOf(mixture) });
  const workload = await Workload.start(t, { connect: ensemble.connect, sessionTimeoutMs: 12_000 });
  for (let round = 0; round < 2; round += 1) {
    const leader = await ensemble.leader();
    await leader.kill();
    await ensemble.leader({ not: leader });
    await workload.progress();
    await leader.start();
    await leader.reached('follower');
    await workload.progress();
  }
  for (const follower of await ensemble.followers()) {
    await follower.kill();
    await workload.progress();
    await follower.start();
    await workload.progress();
  }
  const histories = await workload.stop();
  await audit(ensemble, histories);
  sessionsLived(histories);
};

function sessionsLived(histories: readonly LaneHistory[]): void {
  assert.deepEqual(
    histories.map(({ sessionsExpired }) => sessionsExpired),
    histories.map(() => 0),
  );
}

export const everyoneKilled: Scenario = async (t, mixture) => {
  const ensemble = await startEnsemble(t, { members: membersOf(mixture) });
  const workload = await Workload.start(t, { connect: ensemble.connect });
  await ensemble.kill();
  await Promise.all(ensemble.members.map((member) => member.start()));
  await workload.progress();
  await audit(ensemble, await workload.stop());
};

/** Apache's leader answers TRUNC, since the newcomer has more than anybody. */
export const unagreedTail: Scenario = (t, mixture) => tailOfTheLeader(t, mixture, false);

/** Apache's leader answers SNAP, since the newcomer's last transaction is older than its own, and unknown. */
export const unagreedBranch: Scenario = (t, mixture) => tailOfTheLeader(t, mixture, true);

/** The leader's log ends with a transaction that reached nobody else, and it is killed; the others go on, or have just elected. */
async function tailOfTheLeader(t: TestContext, mixture: Mixture, isOthersWriting: boolean): Promise<void> {
  const toLeader: CuttableProxy[] = [];
  const ensemble = await startEnsemble(t, {
    members: membersOf(mixture),
    async peerPort(_from, to, port) {
      if (to !== 3) return port;
      const proxy = await startCuttableProxy(port, { patienceMs: 5_000 });
      t.after(() => proxy.close());
      toLeader.push(proxy);
      return proxy.port;
    },
  });
  const leader = await ensemble.leader();
  assert.equal(leader.id, 3);
  const client = connectZookeeper({ connect: leader.connect });
  await client.create('/before');
  for (const proxy of toLeader) proxy.hold();
  client.create('/never-agreed').catch(() => undefined); // nobody will answer
  await until('transaction in the log of the leader', () => leader.hasLogged('/never-agreed') || undefined);
  await leader.kill();
  for (const proxy of toLeader) proxy.cut();
  for (const proxy of toLeader) proxy.release();
  for (const proxy of toLeader) proxy.mend();
  t.after(() => client.close());
  await ensemble.leader({ not: leader });
  const early = isOthersWriting ? await Workload.start(t, { connect: ensemble.connect }) : undefined;
  await leader.start();
  await leader.reached('follower');
  const workload = early ?? (await Workload.start(t, { connect: ensemble.connect }));
  await workload.progress();
  await audit(ensemble, await workload.stop());
  await using reader = connectZookeeper({ connect: leader.connect });
  assert.notEqual(await reader.exists('/before'), undefined);
  assert.equal(await reader.exists('/never-agreed'), undefined);
}

export const emptiedDisk: Scenario = async (t, mixture) => {
  const ensemble = await startEnsemble(t, { members: membersOf(mixture) });
  const workload = await Workload.start(t, { connect: ensemble.connect });
  const [follower] = (await ensemble.followers()) as [Member];
  await follower.kill();
  rmSync(join(follower.dataDir, 'version-2'), { recursive: true });
  await workload.progress();
  await follower.start();
  await follower.reached('follower');
  await workload.progress();
  await audit(ensemble, await workload.stop());
  assert(existsSync(join(follower.dataDir, 'version-2', 'currentEpoch')));
  if (follower.kind !== 'apache-3.4.8') {
    // also where its leader is of 3.4 and has none (ZOOKEEPER-2819)
    await using client = connectZookeeper({ connect: follower.connect });
    assert.match(`${(await client.getConfig()).data}`, /\nversion=0$/);
  }
  // what it got is on its disk, and not only in its memory
  await ensemble.kill();
  await ensemble.start();
  await audit(ensemble);
};

/** Apache's leaders keep 500 transactions in memory. */
const MISSED = 1_200;

export const bigAbsence: Scenario = async (t, mixture) => {
  const ensemble = await startEnsemble(t, { members: membersOf(mixture) });
  const [follower] = (await ensemble.followers()) as [Member];
  await follower.kill();
  const survivors = ensemble.members.filter((member) => member !== follower);
  const client = connectZookeeper({ connect: survivors.map((member) => member.connect).join(',') });
  t.after(() => client.close());
  await client.create('/missed');
  const paths = Array.from({ length: MISSED }, (_, index) => `/missed/n-${index}`);
  await Promise.all(paths.map((path) => client.create(path, path)));
  const workload = await Workload.start(t, { connect: ensemble.connect });
  await follower.start();
  await workload.progress();
  await audit(ensemble, await workload.stop());
  await using reader = connectZookeeper({ connect: follower.connect });
  assert.equal((await reader.getChildren('/missed')).length, MISSED);
};

export const leaderHangs: Scenario = async (t, mixture) => {
  const ensemble = await startEnsemble(t, { members: membersOf(mixture), config: { syncLimit: 2 } });
  const workload = await Workload.start(t, { connect: ensemble.connect });
  const leader = await ensemble.leader();
  leader.pause();
  await ensemble.leader({ not: leader });
  await workload.progress();
  leader.resume();
  await leader.reached('follower');
  await workload.progress();
  await audit(ensemble, await workload.stop());
};
