import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { adler32, adler32Within } from '../../base/adler32.ts';
import { Writer } from '../../wire/writer.ts';
import type { ACL } from '../jute/data.ts';
import type { Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import { TxnDigest, TxnHeader, type TxnRecord, writeTxn, writeTxnRecord } from '../jute/txn.ts';
import { OPEN_ACL_UNSAFE } from '../tree/acl.ts';
import { EntryBatch } from './entry-batch.ts';

/** Adler-32 as RFC 1950 tells it. */
function byteByByte(bytes: Uint8Array, initial: number): number {
  let low = initial & 0xffff;
  let high = initial >>> 16;
  for (const byte of bytes) {
    low = (low + byte) % 65_521;
    high = (high + low) % 65_521;
  }
  return ((high << 16) | low) >>> 0;
}

test('the checksum of a part is that of its bytes', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.nat(9000).map((size) => new Uint8Array(size).fill(255)),
  );
  fc.assert(
    fc.property(bytes, fc.nat(20), fc.nat(20), fc.nat(0xffff_ffff), (block, skipped, left, initial) => {
      const from = Math.min(skipped, block.length);
      const to = Math.max(from, block.length - left);
      const view = new DataView(block.buffer, block.byteOffset, block.length);
      const sums = ((initial >>> 16) % 65_521) * 65_536 + ((initial & 0xffff) % 65_521);
      assert.equal(adler32Within(view, from, to, sums), byteByByte(block.subarray(from, to), sums));
      assert.equal(adler32(block.subarray(from, to), sums), byteByByte(block.subarray(from, to), sums));
    }),
  );
});

const path = fc.oneof(fc.string({ maxLength: 120 }), fc.string({ unit: 'binary', maxLength: 60 }));
const data = fc.option(fc.uint8Array({ maxLength: 300 }));
const acl = fc.constantFrom<ACL[] | null>(
  null,
  [],
  [...OPEN_ACL_UNSAFE],
  [{ perms: 1, id: { scheme: 'digest', id: 'ä:x' } }],
);
const anyTxn = fc.oneof(
  fc.record({ type: fc.constant(OpCode.setData), path, data, version: fc.integer() }),
  fc.record({
    type: fc.constantFrom(OpCode.create, OpCode.create2),
    ...{ path, data, acl, ephemeral: fc.boolean(), parentCVersion: fc.integer() },
  }),
  fc.record({ type: fc.constant(OpCode.delete), path }),
);
const anyRecord: fc.Arbitrary<TxnRecord> = fc
  .tuple(anyTxn, fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.integer(), fc.maxSafeInteger(), fc.boolean())
  .map(([txn, long, int, time, withDigest]) => ({
    header: { clientId: long, cxid: int, zxid: (long ^ 1n) as Zxid, time, type: txn.type },
    txn,
    digest: withDigest ? { version: 2, treeDigest: long } : null,
  }));

/** As the schema has it, field by field. */
function encoded({ header, txn, digest }: TxnRecord): Buffer {
  const to = new Writer();
  TxnHeader.write(to, header);
  writeTxn(to, txn);
  if (digest !== null) TxnDigest.write(to, digest);
  return Buffer.from(to.finishFlat());
}

function entryOf(record: Uint8Array): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32BE(adler32(record), 4);
  head.writeInt32BE(record.length, 8);
  return Buffer.concat([head, record, Buffer.from('B')]);
}

test('a transaction is written as its schema says', () => {
  fc.assert(
    fc.property(anyRecord, (record) => {
      const to = new Writer();
      writeTxnRecord(to, record.header, record.txn, record.digest);
      assert.equal(Buffer.from(to.finishFlat()).toString('hex'), encoded(record).toString('hex'));
    }),
  );
});

test('a batch is its entries, one after the other', () => {
  fc.assert(
    fc.property(
      fc.array(anyRecord, { minLength: 1, maxLength: 8 }),
      fc.boolean(),
      fc.nat(600),
      (records, split, hint) => {
        const batch = new EntryBatch(hint + 1);
        const entries = records.map((record, index) => {
          const entry = entryOf(encoded(record));
          const size = index % 2 === 0 ? batch.add(record) : batch.addBytes(encoded(record));
          assert.equal(size, entry.length);
          return entry;
        });
        if (split && batch.isDivisible) {
          const last = batch.takeLast();
          assert.equal(entryOf(last).toString('hex'), entries.pop()?.toString('hex'));
        }
        assert.equal(batch.size, Buffer.concat(entries).length);
        assert.equal(Buffer.from(batch.finish()).toString('hex'), Buffer.concat(entries).toString('hex'));
      },
    ),
  );
});
