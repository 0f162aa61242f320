/** What the documents name is there. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { root, type SourceFile, trackedFiles } from './source-files.ts';

const documents = trackedFiles('*.md');
const everyPath = trackedFiles().map(({ path }) => path);

function missing(pattern: RegExp, isThere: (name: string, document: SourceFile) => boolean): string[] {
  return documents.flatMap((document) =>
    [...document.text.matchAll(pattern)]
      .map((match) => match[1] as string)
      .filter((name) => !isThere(name, document))
      .map((name) => `${document.path}: ${name}`),
  );
}

test('the documents were found', () => {
  for (const path of ['README.md', 'docs/ARCHITECTURE.md', 'docs/TESTING.md', 'docs/decisions/0001-toolchain.md']) {
    assert.ok(
      documents.some((document) => document.path === path),
      path,
    );
  }
});

test('every link within the repository leads somewhere', () => {
  assert.deepEqual(
    missing(/\]\((?!https?:)([^)#]+)[^)]*\)/g, (link, { path }) => existsSync(join(root, dirname(path), link))),
    [],
  );
});

test('every script that a document starts is there', () => {
  assert.deepEqual(
    missing(/\b(bin\/[\w-]+\.sh)\b/g, (script) => existsSync(join(root, script))),
    [],
  );
});

test('every npm script that a document runs is in package.json', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
  assert.deepEqual(
    missing(/\bnpm run ([\w:-]+)/g, (name) => name in scripts),
    [],
  );
});

/** In ARCHITECTURE a file is named from the folder that its section speaks of, so the end of the path has to fit. */
test('every source file or folder that a document names is there', () => {
  const named = /`(?:\.\.\/)?((?:[\w.-]+\/)*[\w.-]+\.(?:ts|json)|(?:src|test|scripts|conf|docs)\/[\w./-]+)`/g;
  assert.deepEqual(
    missing(named, (name) => {
      const path = name.replace(/\/$/, '');
      return existsSync(join(root, path)) || everyPath.some((each) => each.endsWith(`/${path}`));
    }),
    [],
  );
});
