/** One partition scenario, in a network of its own: `node partition-process.ts <scenario> <mixture as JSON>`. */
import { startEnsemble } from '../ensemble.ts';
import { PeerError } from '../peers/process.ts';
import { type Mixture, membersOf } from './mixtures.ts';
import { openMachines } from './network.ts';
import { partitions } from './partitions.ts';

const [name = '', mixture = '[]'] = process.argv.slice(2);
const scenario = partitions.get(name);
if (scenario === undefined) throw new PeerError(`no scenario ${name}`);
const members = membersOf(JSON.parse(mixture) as Mixture);
const network = await openMachines(members.map(({ id }) => id));
const endings: (() => unknown)[] = [() => network.close()];
try {
  const t = { after: (done: () => unknown) => endings.unshift(done) };
  const ensemble = await startEnsemble(t, { members, machines: network.machines, config: { syncLimit: 4 } });
  await scenario(t, ensemble, network);
} finally {
  for (const end of endings) await end();
}
