/** The scenarios on ensembles that hold our servers. */
import { test } from 'node:test';
import { mixedMixtures, mixedReplacements, nameOf } from './ensemble/mixtures.ts';
import { replaceAll } from './ensemble/replacement.ts';
import { scenarios } from './ensemble/scenarios.ts';

for (const mixture of mixedMixtures) {
  for (const [name, run] of scenarios) test(`${nameOf(mixture)}: ${name}`, (t) => run(t, mixture));
}

for (const replacement of mixedReplacements) {
  test(`${replacement.from} is replaced by ${replacement.to}, and back`, (t) => replaceAll(t, replacement));
}
