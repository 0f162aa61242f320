import assert from 'node:assert/strict';
import test from 'node:test';
import type { DiskError } from '../../runtime/disk.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import type { SessionId, Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { TxnRecord } from '../jute/txn.ts';
import { TxnLog } from './txn-log.ts';

const KIB = 1024;
const DATA_BYTES = 3 * KIB;

function setOf(zxid: bigint): TxnRecord {
  const header = { clientId: 1n as SessionId, cxid: 1, zxid: zxid as Zxid, time: 1, type: OpCode.setData };
  const txn = { type: OpCode.setData, path: '/node', data: Buffer.alloc(DATA_BYTES, 1), version: 1 } as const;
  return { header, txn, digest: null };
}

/** Writes so many transactions, each with a sync of its own: what the log takes of the disk with each. */
async function roomTaken(count: number, preAllocBytes: number): Promise<{ taken: number[]; fileSize: number }> {
  const sim = new Simulation({ seed: 1 });
  const { runtime } = sim.machine('zk');
  const { disk } = runtime;
  disk.makeDirectory('/data');
  const log = new TxnLog(runtime, '/data', { preAllocBytes });
  const taken: number[] = [];
  let free = disk.freeBytes('/data');
  for (let zxid = 1n; zxid <= count; zxid += 1n) {
    log.append(setOf(zxid));
    const flushed = await sim.complete(new Promise<DiskError | undefined>((resolve) => log.flush(resolve)));
    assert.equal(flushed, undefined);
    const now = disk.freeBytes('/data');
    taken.push(free - now);
    free = now;
  }
  return { taken, fileSize: disk.stat('/data/log.1')?.size ?? 0 };
}

test('a log takes its room ahead: of many syncs one has to tell the file system where', async () => {
  const { taken, fileSize } = await roomTaken(400, 64 * KIB * KIB);
  const growing = taken.filter((bytes) => bytes > 0);
  const total = growing.reduce((sum, bytes) => sum + bytes, 0);
  assert.ok(total >= 400 * DATA_BYTES, `${total} bytes`);
  assert.ok(total <= 400 * DATA_BYTES + 300 * KIB + 400 * 100, `${total} bytes are more than the next part`);
  assert.ok(growing.length <= 1 + total / (256 * KIB), `it grew ${growing.length} times`);
  assert.equal(fileSize, 64 * KIB * KIB + 16);
});

test('no room is taken beyond the length of the file', async () => {
  const { taken, fileSize } = await roomTaken(30, 16 * KIB);
  const total = taken.reduce((sum, bytes) => sum + bytes, 0);
  assert.ok(total <= fileSize + 4 * KIB, `${total} of ${fileSize}`);
  assert.equal((fileSize - 16) % (16 * KIB), 0);
});

test('without preallocation a log is as long as what is in it', async () => {
  const { fileSize } = await roomTaken(10, 0);
  assert.ok(fileSize < 10 * (DATA_BYTES + 100), `${fileSize}`);
});
