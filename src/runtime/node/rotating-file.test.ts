import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { RotatingFile } from './rotating-file.ts';

function directory(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-log-'));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

const contents = (dir: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(dir)
      .sort()
      .map((name) => [name, readFileSync(join(dir, name), 'utf8')]),
  );

test('a full file becomes .1, and the oldest goes', (t) => {
  const dir = directory(t);
  const file = new RotatingFile({ path: join(dir, 'logs', 'a.log'), sizeMax: 10, backupCount: 2 });
  for (const line of ['one 4\n', 'two\n', 'three\n', 'four\n', 'a line beyond the limit\n', 'six\n']) {
    file.write(line);
    file.flush();
  }
  file.close();
  assert.deepEqual(contents(join(dir, 'logs')), {
    'a.log': 'six\n',
    'a.log.1': 'a line beyond the limit\n',
    'a.log.2': 'four\n',
  });
});

test('a restart appends, and counts what is there', (t) => {
  const dir = directory(t);
  const path = join(dir, 'a.log');
  for (const line of ['12345678\n', 'next\n']) {
    const file = new RotatingFile({ path, sizeMax: 10 });
    file.write(line);
    file.close();
  }
  assert.deepEqual(contents(dir), { 'a.log': 'next\n', 'a.log.1': '12345678\n' });
});

test('the lines of one turn are there after it', async (t) => {
  const dir = directory(t);
  const file = new RotatingFile({ path: join(dir, 'a.log') });
  t.after(() => file.close());
  file.write('one\n');
  file.write('two\n');
  assert.deepEqual(contents(dir), { 'a.log': '' });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(contents(dir), { 'a.log': 'one\ntwo\n' });
});

test('a file that logrotate moved or truncated is followed', (t) => {
  const dir = directory(t);
  const path = join(dir, 'a.log');
  const file = new RotatingFile({ path, sizeMax: 10 });
  const log = (line: string): void => {
    file.write(line);
    file.flush();
  };
  log('one\n');
  renameSync(path, join(dir, 'moved'));
  log('two\n');
  assert.deepEqual(contents(dir), { 'a.log': 'two\n', moved: 'one\n' });
  log('12345\n');
  truncateSync(path);
  log('three\n');
  file.close();
  assert.deepEqual(contents(dir), { 'a.log': 'three\n', moved: 'one\n' });
});

test('what could not be written is counted and told', (t) => {
  const dir = directory(t);
  const path = join(dir, 'sub', 'a.log');
  const file = new RotatingFile({ path });
  rmSync(join(dir, 'sub'), { recursive: true });
  file.write('lost\n');
  file.write('lost too\n');
  file.flush();
  // a file where the directory was, then the directory again
  writeFileSync(join(dir, 'sub'), '');
  file.write('lost as well\n');
  file.flush();
  rmSync(join(dir, 'sub'));
  const again = new RotatingFile({ path });
  again.close();
  file.write('kept\n');
  file.close();
  assert.equal(readFileSync(path, 'utf8'), '3 lines before this one could not be written\nkept\n');
});
