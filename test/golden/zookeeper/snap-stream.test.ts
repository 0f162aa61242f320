/** What Apache's leader sends to a server that joins with nothing, see scripts/golden/zookeeper-snap-stream.ts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Zxid } from '../../../src/zookeeper/jute/ids.ts';
import type { LoadedSnapshot } from '../../../src/zookeeper/persistence/snapshot-body.ts';
import { SnapshotStreamReader, streamSignature } from '../../../src/zookeeper/persistence/snapshot-stream.ts';
import { SnapshotWriter } from '../../../src/zookeeper/persistence/snapshot-writer.ts';

interface Recorded {
  readonly zxid: string;
  readonly stream: string;
  readonly follows: string;
  readonly sessions: Readonly<Record<string, number>>;
}

const recorded = JSON.parse(
  readFileSync(new URL('./apache-3.9.4-snap-stream.json', import.meta.url), 'utf8'),
) as Recorded;
const zxid = BigInt(`0x${recorded.zxid}`) as Zxid;
const stream = Buffer.from(recorded.stream, 'hex');
const follows = Buffer.from(recorded.follows, 'hex');

/** In chunks of a size, the packet behind it too. */
function received(size: number): LoadedSnapshot {
  const reader = new SnapshotStreamReader(zxid, { extendedTypes: true });
  const bytes = Buffer.concat([stream, follows]);
  for (let at = 0; at < bytes.length; at += size) {
    const rest = reader.push(bytes.subarray(at, at + size));
    if (rest === undefined) continue;
    assert.deepEqual(Buffer.concat([rest, bytes.subarray(at + size)]), follows);
    return reader.loaded as LoadedSnapshot;
  }
  assert.fail('the stream does not end');
}

test('the stream of a SNAP sync of 3.9.4 is read in chunks of any size', () => {
  for (let size = 1; size <= stream.length + follows.length; size += size < 40 ? 1 : 97) {
    const { tree, sessions } = received(size);
    assert.equal(tree.lastProcessedZxid, zxid);
    const ids = [...sessions].map(([id, timeoutMs]) => [id.toString(16).padStart(16, '0'), timeoutMs]);
    assert.deepEqual(Object.fromEntries(ids), recorded.sessions);
    const nodes = [...tree.nodes()];
    assert.deepEqual(nodes.map((node) => tree.path(node)).sort(), [
      '/',
      '/container',
      '/container/child',
      '/null',
      '/plain',
      '/plain/ephemeral',
      '/plain/grüße',
      '/private',
      '/ttl',
      '/two-rules',
      '/zookeeper',
      '/zookeeper/config',
      '/zookeeper/quota',
    ]);
    assert.deepEqual(
      new Set(nodes.map((node) => tree.kind(node))),
      new Set(['persistent', 'ephemeral', 'container', 'ttl']),
    );
    assert.deepEqual(
      [...tree.ephemerals].map(([, paths]) => [...paths]),
      [['/plain/ephemeral']],
    );
    assert.deepEqual(tree.acl(tree.find('/two-rules')), [
      { perms: 1, id: { scheme: 'ip', id: '10.0.0.0/8' } },
      { perms: 30, id: { scheme: 'world', id: 'anyone' } },
    ]);
    assert.equal(tree.viewData(tree.find('/null')), null);
  }
});

test('the stream that we send of the same database is the same, byte for byte', () => {
  const { tree, sessions } = received(stream.length);
  const writer = new SnapshotWriter({ tree, sessions, form: 'stream' });
  const parts: Uint8Array[] = [];
  while (!writer.isDone) parts.push(writer.step(3));
  // Nodes come in the order in which they were loaded.
  assert.equal(Buffer.concat([...parts, streamSignature()]).toString('hex'), recorded.stream);
});
