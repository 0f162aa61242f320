import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeZxid, type Zxid } from '../jute/ids.ts';
import { CommittedLog } from './committed-log.ts';

const bytes = Buffer.from('txn');
const proposals = (...zxids: Zxid[]) => zxids.map((zxid) => ({ zxid, bytes }));
const zxidsOf = (log: CommittedLog): Zxid[] => [...log].map(({ zxid }) => zxid);

test('the newest committed proposals are kept, as many as were asked for and at least 500', () => {
  for (const { asked, kept } of [
    { asked: undefined, kept: 500 },
    { asked: 10, kept: 500 },
    { asked: 700, kept: 700 },
  ]) {
    const log = new CommittedLog(
      asked,
      proposals(...Array.from({ length: 300 }, (_, index) => makeZxid(1, index + 1))),
    );
    for (let counter = 301; counter <= 2000; counter += 1) log.add(makeZxid(1, counter), bytes);
    assert.equal(log.size, kept);
    assert.equal(log.oldest, makeZxid(1, 2001 - kept));
    assert.equal(log.newest, makeZxid(1, 2000));
    assert.deepEqual(
      zxidsOf(log),
      Array.from({ length: kept }, (_, index) => makeZxid(1, 2001 - kept + index)),
    );
  }
});

test('what is not newer is passed over, what leaves a gap begins anew, another epoch is no gap', () => {
  const log = new CommittedLog(500, proposals(makeZxid(1, 1), makeZxid(1, 2)));
  log.add(makeZxid(1, 2), bytes);
  log.add(makeZxid(1, 1), bytes);
  log.add(makeZxid(2, 1), bytes);
  assert.deepEqual(zxidsOf(log), [makeZxid(1, 1), makeZxid(1, 2), makeZxid(2, 1)]);
  log.add(makeZxid(2, 3), bytes);
  assert.deepEqual(zxidsOf(log), [makeZxid(2, 3)]);
  log.clear();
  assert.deepEqual([log.oldest, log.newest, log.size], [undefined, undefined, 0]);
});
