import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { apacheVersions } from '../scripts/compatibility/apache-versions.ts';
import { brokerKeyNotes, zooCfgNotes } from '../scripts/compatibility/key-notes.ts';
import { withTables } from '../scripts/compatibility/tables.ts';
import { allZooCfgOptions } from '../src/config/zoo-cfg.ts';
import { brokerKeys } from '../src/kafka/broker/config/broker-keys.ts';
import { apiInfos } from '../src/kafka/protocol/api-keys.ts';
import { definitionsArePresent, readDefinitions } from './golden/protocol/apache-definitions.ts';
import { root, trackedFiles } from './source-files.ts';

const document = readFileSync(join(root, 'docs', 'COMPATIBILITY.md'), 'utf8');

test('the tables of COMPATIBILITY.md are what the code says: node scripts/compatibility.ts makes them', () => {
  assert.equal(withTables(document), document);
});

test('every key that COMPATIBILITY.md notes exists', () => {
  const noted = [brokerKeyNotes, zooCfgNotes].flatMap(({ withoutEffect, refused }) => [withoutEffect, refused]);
  const names = noted.flatMap((group) => Object.keys(group));
  assert.deepEqual(
    names.filter((name) => !brokerKeys.has(name) && !allZooCfgOptions.has(name)),
    [],
  );
});

/** A named test proves something only while it is there. */
test('every test that COMPATIBILITY.md names exists', () => {
  const sources = trackedFiles('src/*.ts', 'test/*.ts');
  const named = [...document.matchAll(/`((?:src|test)\/[\w./-]+\.test\.ts)`(?:: “([^”]+)”)?/g)];
  assert.ok(named.length > 10, 'tests are named');
  const missing = named.filter(([, path, title]) => {
    const text = sources.find((source) => source.path === path)?.text;
    return text === undefined || (title !== undefined && !text.includes(title.replace(/\s+/g, ' ')));
  });
  assert.deepEqual(
    missing.map(([whole]) => whole),
    [],
  );
});

test('Apache’s versions are listed key by key, in order', () => {
  const keys = [...apacheVersions.keys()];
  assert.deepEqual(
    keys,
    keys.toSorted((a, b) => a - b),
  );
  for (const versions of apacheVersions.values()) assert.match(versions, /^0(-\d+)?$/);
});

const skip = definitionsArePresent ? false : 'skipped: ../shared/kafka-messages is not there';

test('Apache’s versions are those of its definitions', { skip }, () => {
  const defined = new Map([...readDefinitions('3.9.1').values()].map(({ name, versions }) => [name, versions]));
  for (const [key, range] of apacheVersions) {
    const versions = defined.get(`${apiInfos.get(key)?.name}Request`) ?? [];
    const [first, last] = [versions.at(0)?.theirs, versions.at(-1)?.theirs];
    assert.equal(range, first === last ? `${first}` : `${first}-${last}`, apiInfos.get(key)?.name);
  }
});
