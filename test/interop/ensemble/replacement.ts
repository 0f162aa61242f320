/** An upgrade without a pause: one server after the other becomes another kind on its directory, while clients write. */
import { type Ensemble, startEnsemble } from '../ensemble.ts';
import { audit } from './audit.ts';
import type { MemberKind } from './member.ts';
import { membersOf, type Replacement } from './mixtures.ts';
import type { TestContext } from './scenarios.ts';
import { Workload } from './workload.ts';

export async function replaceAll(t: TestContext, { from, to, config = {} }: Replacement): Promise<void> {
  const ensemble = await startEnsemble(t, { members: membersOf([from, from, from]), config });
  await replaceEach(t, ensemble, to, '/there');
  await replaceEach(t, ensemble, from, '/back');
}

async function replaceEach(t: TestContext, ensemble: Ensemble, kind: MemberKind, root: string): Promise<void> {
  const workload = await Workload.start(t, { connect: ensemble.connect, root });
  for (const member of ensemble.members) {
    await member.restart(kind);
    await workload.progress();
  }
  await audit(ensemble, await workload.stop());
}
