/** The scenarios on ensembles that hold our servers. */
import { test } from 'node:test';
import { chosen } from './breadth.ts';
import { mixedMixtures, mixedReplacements, nameOf } from './ensemble/mixtures.ts';
import { replaceAll } from './ensemble/replacement.ts';
import { scenarios } from './ensemble/scenarios.ts';

const serving = 'what one member is told, all tell';
const moving = 'a session goes on at another member, with its watches and ephemeral nodes';
const killed = 'leaders and followers are killed, and come back';
const tail = 'who led forgets what nobody else has, when it comes back at once';
const observer = 'an observer serves, and does not count';

/** Of all, those that are run every time, by the name of their mixture. */
const always: Readonly<Record<string, readonly string[]>> = {
  '2 of odradek behind odradek': [killed, 'all are killed, and come back', observer],
  '1 of odradek and 1 of apache-3.9.4 behind apache-3.9.4': [moving, killed, tail],
  '2 of apache-3.9.4 behind odradek': [moving, tail],
  '1 of odradek and 1 of apache-3.4.8 behind apache-3.4.8': [serving],
  '2 of apache-3.4.8 behind odradek': [serving],
};
const rows = mixedMixtures.flatMap((mixture) => scenarios.map(([name, run]) => ({ mixture, name, run })));

for (const { mixture, name, run } of chosen(rows, (row) => always[nameOf(row.mixture)]?.includes(row.name) === true)) {
  test(`${nameOf(mixture)}: ${name}`, (t) => run(t, mixture));
}

for (const replacement of chosen(mixedReplacements, ({ from }) => from === 'apache-3.9.4')) {
  test(`${replacement.from} is replaced by ${replacement.to}, and back`, (t) => replaceAll(t, replacement));
}
