/** A fourth member that does not vote. */
import assert from 'node:assert/strict';
import { connectZookeeper } from '../../../src/zookeeper/client/index.ts';
import { startEnsemble } from '../ensemble.ts';
import { until } from '../peers/process.ts';
import { audit } from './audit.ts';
import { membersOf } from './mixtures.ts';
import type { Scenario } from './scenarios.ts';
import { Workload } from './workload.ts';

/** The observer is of the first member's kind. */
export const observers: Scenario = async (t, mixture) => {
  const members = [...membersOf(mixture), { id: 4, kind: mixture[0], role: 'observer' as const }];
  const ensemble = await startEnsemble(t, { members });
  const observer = ensemble.member(4);
  assert.equal(await observer.mode(), 'observer');
  const workload = await Workload.start(t, { connect: observer.connect });
  await observer.kill();
  await observer.start();
  await workload.progress();
  const leader = await ensemble.leader();
  await leader.kill();
  await ensemble.leader({ not: leader });
  await observer.reached('observer');
  await workload.progress();

  // two of four are not enough where one of the two has no vote
  const last = (await ensemble.followers()).find((member) => member.isRunning);
  await last?.kill();
  await until('end of service', async () => (await observer.mode()) === undefined || undefined);
  await Promise.all([leader.start(), last?.start()]);
  await observer.reached('observer');
  await workload.progress();
  await audit(ensemble, await workload.stop());
  await using client = connectZookeeper({ connect: observer.connect });
  assert.equal((await client.getChildren('/workload')).length, 6);
};
