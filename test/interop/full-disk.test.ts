/** Disks that are full in earnest: a small one is filled to its last byte by what clients write. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { inOwnMounts } from './full-disk/small-disk.ts';
import { tempDir } from './peers/temp-dir.ts';

const program = join(import.meta.dirname, 'full-disk/story-process.ts');

async function tell(story: string): Promise<void> {
  const { code, stdout, stderr } = await inOwnMounts(program, [story, tempDir()]);
  assert.equal(code, 0, `(mounting needs root, or user namespaces)\n${stdout}\n${stderr}`);
}

test('a broker whose log dir is full says so, serves from its other one, and has kept all that it acknowledged', () =>
  tell('kafka'));

test('a ZooKeeper server whose transaction log is full stops, and comes back with all that it acknowledged', () =>
  tell('zookeeper'));
