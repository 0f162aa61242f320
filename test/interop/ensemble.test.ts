/** The scenarios on ensembles of Apache's servers alone: what they show there, every other ensemble must show. */
import { test } from 'node:test';
import { chosen } from './breadth.ts';
import { apacheMixtures, apacheReplacements, nameOf } from './ensemble/mixtures.ts';
import { replaceAll } from './ensemble/replacement.ts';
import { scenarios } from './ensemble/scenarios.ts';

const rows = apacheMixtures.flatMap((mixture) => scenarios.map(([name, run]) => ({ mixture, name, run })));

// The others are run when ours show the same: they tell of Apache's servers alone.
for (const { mixture, name, run } of chosen(rows, (row) => row === rows[0])) {
  test(`${nameOf(mixture)}: ${name}`, (t) => run(t, mixture));
}

for (const replacement of chosen(apacheReplacements, () => false)) {
  test(`${replacement.from} is replaced by ${replacement.to}, and back`, (t) => replaceAll(t, replacement));
}
