/** The scenarios on ensembles of Apache's servers alone: what they show there, every other ensemble must show. */
import { test } from 'node:test';
import { apacheMixtures, apacheReplacements, nameOf } from './ensemble/mixtures.ts';
import { replaceAll } from './ensemble/replacement.ts';
import { scenarios } from './ensemble/scenarios.ts';

for (const mixture of apacheMixtures) {
  for (const [name, run] of scenarios) test(`${nameOf(mixture)}: ${name}`, (t) => run(t, mixture));
}

for (const replacement of apacheReplacements) {
  test(`${replacement.from} is replaced by ${replacement.to}, and back`, (t) => replaceAll(t, replacement));
}
