import assert from 'node:assert/strict';
import test from 'node:test';
import { importsOf, type SourceFile, trackedFiles } from './source-files.ts';

const isTest = (path: string): boolean =>
  path.endsWith('.test.ts') || path.endsWith('.contract.ts') || path.startsWith('test/');

interface Rule {
  readonly name: string;
  /** Which files it holds for. */
  readonly applies: (file: SourceFile) => boolean;
  /** Lines that break it. */
  readonly breaks: RegExp;
}

/** The simulator settles promises with the system's own loop; nothing else of the system is touched there. */
const seam = (path: string): boolean =>
  path.startsWith('src/runtime/node/') || path.startsWith('src/cli/') || /^src\/(zookeeper|kafka)\/cli\//.test(path);

const rules: readonly Rule[] = [
  {
    name: 'time, chance and the process come through the runtime',
    applies: ({ path }) =>
      path.startsWith('src/') && !seam(path) && !isTest(path) && path !== 'src/runtime/sim/settle.ts',
    breaks:
      /\b(setTimeout|setInterval|setImmediate|Math\.random|Date\.now|new Date\(|performance\.now|hrtime|randomUUID|randomBytes|process\.(env|nextTick|exit))\b/,
  },
  {
    name: "a server loads Node's web server for the first who asks, not at its start",
    applies: ({ path }) => path.startsWith('src/') && !isTest(path) && !path.includes('/testkit/'),
    breaks: /^import (?!type ).*'node:https?'/,
  },
  {
    name: 'typed errors only',
    applies: ({ path }) => path.startsWith('src/') && !isTest(path),
    breaks: /throw new Error\(/,
  },
  {
    name: 'no unfinished marks',
    applies: ({ path }) => /^(src|test|scripts)\//.test(path) && path !== 'test/tidy.test.ts',
    breaks: /\b(TODO|FIXME|XXX)\b|not implemented/,
  },
  {
    name: 'no test runs alone or sleeps',
    applies: ({ path }) => path.endsWith('.test.ts') && path !== 'test/tidy.test.ts',
    breaks: /\.only\(|\bsleep\(|await\s+delay\(/,
  },
  {
    name: 'no path of one machine and no registry address',
    applies: ({ path }) => path !== 'test/tidy.test.ts' && path !== 'package-lock.json',
    breaks: /(^|[^A-Za-z0-9_.])\/(work|farm|root)\/|registry\.npmjs\.org|repo1\.maven\.org|pypi\.org\/simple/,
  },
];

const files = trackedFiles();

for (const rule of rules) {
  test(rule.name, () => {
    const broken = files
      .filter((file) => rule.applies(file))
      .flatMap((file) =>
        file.text
          .split('\n')
          .flatMap((line, index) => (rule.breaks.test(line) ? [`${file.path}:${index + 1}: ${line.trim()}`] : [])),
      );
    assert.deepEqual(broken, []);
  });
}

test('only runtime/node and command lines import the system', () => {
  const system = /^node:(net|fs|fs\/promises|tls|dns|child_process|timers|timers\/promises|worker_threads|perf_hooks)$/;
  const broken = files
    .filter(({ path }) => path.startsWith('src/') && path.endsWith('.ts') && !seam(path) && !isTest(path))
    .flatMap((file) =>
      importsOf(file)
        .filter((name) => system.test(name))
        .map((name) => `${file.path}: ${name}`),
    );
  assert.deepEqual(broken, []);
});

test('no file is too long to do one thing', () => {
  const long = files
    .filter(({ path }) => path.endsWith('.ts') && !isTest(path))
    .map(({ path, text }) => ({ path, lines: text.split('\n').length }))
    .filter(({ lines }) => lines > 600);
  assert.deepEqual(long, []);
});
