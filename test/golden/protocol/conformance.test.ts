import assert from 'node:assert/strict';
import test from 'node:test';
import { type ApacheMessage, definitionsArePresent, readDefinitions, releases } from './apache-definitions.ts';
import { compareMessage } from './compare.ts';
import { absences, differences } from './differences.ts';
import { schemas, versionsOf } from './our-schemas.ts';

const skip = definitionsArePresent ? false : 'skipped: ../shared/kafka-messages is not there';
const ours = new Map(schemas.map((schema) => [schema.name, schema]));

/** Messages of a release that have a stable version and a schema of ours. */
function* shared(definitions: ReadonlyMap<string, ApacheMessage>): Generator<ApacheMessage> {
  for (const message of definitions.values()) if (message.versions.length > 0 && ours.has(message.name)) yield message;
}

for (const release of releases) {
  test(`every field of ${release} stands in our schemas as Apache defines it`, { skip }, () => {
    const found: string[] = [];
    for (const message of shared(readDefinitions(release)))
      found.push(...compareMessage(message, ours.get(message.name)!));
    const reviewed = differences.filter((entry) => entry.release === release).flatMap((entry) => entry.findings);
    assert.deepEqual(found.toSorted(), reviewed.toSorted());
  });

  test(`every message of ${release} is ours, or its absence is reviewed`, { skip }, () => {
    const definitions = [...readDefinitions(release).values()].filter(({ versions }) => versions.length > 0);
    const absent = definitions.map(({ name }) => name).filter((name) => !ours.has(name));
    const reviewed = absences.flatMap(({ names }) => names);
    assert.deepEqual(
      absent.filter((name) => !reviewed.includes(name.replace(/(Request|Response)$/, '')) && !reviewed.includes(name)),
      [],
    );
  });
}

test('our versions are the union of both releases', { skip }, () => {
  const union = new Map<string, Set<number>>();
  for (const release of releases) {
    for (const message of shared(readDefinitions(release))) {
      const versions = union.get(message.name) ?? new Set();
      for (const version of message.versions) versions.add(version.ours);
      union.set(message.name, versions);
    }
  }
  for (const schema of schemas) {
    assert.deepEqual(
      [...(union.get(schema.name) ?? [])].toSorted((a, b) => a - b),
      versionsOf(schema),
      schema.name,
    );
  }
});

test('no reviewed absence is out of date', { skip }, () => {
  const known = new Set(releases.flatMap((release) => [...readDefinitions(release).keys()]));
  for (const name of absences.flatMap(({ names }) => names)) {
    const full = known.has(name) ? name : `${name}Request`;
    assert.ok(known.has(full), `${name} is in neither release`);
    assert.ok(!ours.has(full), `${name} is ours now`);
  }
});
