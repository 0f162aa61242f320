/** Ensembles of which each member has a machine of its own, in a network that is cut and slowed. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { chosen } from './breadth.ts';
import { type Mixture, nameOf } from './ensemble/mixtures.ts';
import { inOwnNetwork } from './ensemble/network.ts';
import { partitions } from './ensemble/partitions.ts';

const mixtures: readonly Mixture[] = [
  ['apache-3.9.4', 'apache-3.9.4', 'apache-3.9.4'],
  ['odradek', 'odradek', 'odradek'],
  ['odradek', 'apache-3.9.4', 'apache-3.9.4'],
  ['apache-3.9.4', 'apache-3.9.4', 'odradek'],
];
const program = join(import.meta.dirname, 'ensemble/partition-process.ts');

const rows = mixtures.flatMap((mixture) => [...partitions.keys()].map((name) => ({ mixture, name })));
const isOurs = (mixture: Mixture): boolean => mixture.every((kind) => kind === 'odradek');
const leaderIsCutOff = [...partitions.keys()][0];
const isMixed = (mixture: Mixture): boolean => !isOurs(mixture) && mixture.includes('odradek');

for (const { mixture, name } of chosen(rows, (row) => row.name === leaderIsCutOff && isMixed(row.mixture))) {
  test(`${nameOf(mixture)}: ${name}`, async () => {
    const outcome = await inOwnNetwork(program, [name, JSON.stringify(mixture)], { timeoutMs: 180_000 });
    assert.equal(outcome.code, 0, `${outcome.stdout}\n${outcome.stderr}`);
  });
}
