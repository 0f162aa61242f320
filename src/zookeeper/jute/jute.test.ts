import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MalformedError } from '../../wire/errors.ts';
import { Reader } from '../../wire/reader.ts';
import { Writer } from '../../wire/writer.ts';
import { ErrorCode, KeeperError } from './errors.ts';
import { counterOf, epochOf, hexOf, makeZxid, parseHex, printHex } from './ids.ts';
import { OpCode } from './op-codes.ts';
import { ConnectRequest, ConnectResponse, CreateRequest } from './proto.ts';
import { readTxnRecord, type Txn, type TxnDigest, type TxnHeader, writeTxnRecord } from './txn.ts';

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');
const written = (write: (to: Writer) => void): string => {
  const to = new Writer();
  write(to);
  return Buffer.from(to.finishFlat()).toString('hex');
};

const connectRequest = '00000000 0000000000000005 00007530 0000000000000000 00000010 00000000000000000000000000000000';

test('a ConnectRequest with the read-only byte keeps it', () => {
  const request = ConnectRequest.read(new Reader(hex(`${connectRequest} 01`)));
  assert.equal(request.readOnly, true);
  assert.equal(request.timeOut, 30_000);
  assert.equal(request.lastZxidSeen, 5n);
  assert.equal(
    written((to) => ConnectRequest.write(to, request)),
    `${connectRequest}01`.replaceAll(' ', ''),
  );
});

test('a ConnectRequest of an old C client has no read-only byte, and neither has its response', () => {
  const request = ConnectRequest.read(new Reader(hex(connectRequest)));
  assert.equal(request.readOnly, undefined);
  assert.equal(written((to) => ConnectRequest.write(to, request)).length, 88);
  const response = { protocolVersion: 0, timeOut: 6000, sessionId: 1n, passwd: new Uint8Array(16) };
  assert.equal(written((to) => ConnectResponse.write(to, { ...response, readOnly: undefined })).length, 72);
  assert.equal(written((to) => ConnectResponse.write(to, { ...response, readOnly: false })).length, 74);
});

test('null data and null ACL lists pass, a null path is refused', () => {
  const request = CreateRequest.read(new Reader(hex('00000002 2f61 ffffffff ffffffff 00000000')));
  assert.deepEqual(request, { path: '/a', data: null, acl: null, flags: 0 });
  assert.throws(() => CreateRequest.read(new Reader(hex('ffffffff ffffffff ffffffff 00000000'))), /null string/);
});

test('of the lengths below zero only -1 is null; as a count they all mean that there is nothing', () => {
  const request = hex('00000000 0000000000000005 00007530 0000000000000000 ffffffff');
  for (const read of ['first', 'generated']) {
    assert.equal(ConnectRequest.read(new Reader(request)).passwd, null);
    for (const length of ['fffffffe', '80000000']) {
      const refused = Buffer.concat([request.subarray(0, 24), hex(length), new Uint8Array(16)]);
      assert.throws(() => ConnectRequest.read(new Reader(refused)), MalformedError, `${length}, ${read}`);
      const create = hex(`00000002 2f61 ffffffff ${length} 00000000`);
      assert.deepEqual(CreateRequest.read(new Reader(create)).acl, []);
    }
    for (let uses = 0; uses < 100; uses += 1) {
      ConnectRequest.read(new Reader(request));
      CreateRequest.read(new Reader(hex('00000002 2f61 ffffffff ffffffff 00000000')));
    }
  }
});

test('zxids are made and taken apart', () => {
  const zxid = makeZxid(7, 0xffffffff);
  assert.equal(printHex(zxid), '0x7ffffffff');
  assert.equal(epochOf(zxid), 7);
  assert.equal(counterOf(zxid), 0xffffffff);
  assert.equal(epochOf(-1n), -1);
  assert.equal(hexOf(-1n), 'ffffffffffffffff');
  assert.equal(parseHex('ffffffffffffffff'), -1n);
  assert.equal(parseHex('12x'), undefined);
});

test('errors carry the texts of Apache', () => {
  const error = new KeeperError(ErrorCode.NONODE, '/x');
  assert.equal(error.message, 'KeeperErrorCode = NoNode for /x');
  assert.equal(error.name, 'NoNode');
  assert.equal(new KeeperError(ErrorCode.NOTEMPTY).message, 'KeeperErrorCode = Directory not empty');
  assert.equal(new KeeperError(ErrorCode.CONNECTIONLOSS).retriable, true);
});

const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
const path = fc.string({ unit: 'grapheme' });
const data = fc.option(fc.uint8Array({ maxLength: 40 }));
const int = fc.integer();
const create = { path, data, acl: fc.constantFrom(acl, null, []), parentCVersion: int };
const { txn: anyTxn } = fc.letrec<{ txn: Txn; multi: Txn }>((tie) => ({
  txn: fc.oneof(
    fc.record({ type: fc.constantFrom(OpCode.create, OpCode.create2), ...create, ephemeral: fc.boolean() }),
    fc.record({ type: fc.constant(OpCode.createContainer), ...create }),
    fc.record({ type: fc.constant(OpCode.createTTL), ...create, ttl: fc.maxSafeNat() }),
    fc.record({ type: fc.constantFrom(OpCode.delete, OpCode.deleteContainer), path }),
    fc.record({ type: fc.constantFrom(OpCode.setData, OpCode.reconfig), path, data, version: int }),
    fc.record({ type: fc.constant(OpCode.check), path, version: int }),
    fc.record({ type: fc.constant(OpCode.setACL), path, acl: create.acl, version: int }),
    fc.record({ type: fc.constant(OpCode.createSession), timeOut: int }),
    fc.record({ type: fc.constant(OpCode.closeSession), paths2Delete: fc.option(fc.array(path)) }),
    fc.record({ type: fc.constant(OpCode.error), err: int }),
    tie('multi'),
  ),
  multi: fc.record({
    type: fc.constant(OpCode.multi),
    txns: fc.array(tie('txn') as fc.Arbitrary<Txn>, { maxLength: 3 }),
  }),
}));

test('every transaction survives writing and reading, with and without a digest', () => {
  const digest = fc.option(
    fc.record(
      { version: fc.constant(2), treeDigest: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) },
      { noNullPrototype: true },
    ),
  );
  fc.assert(
    fc.property(anyTxn, digest, (txn, withDigest) => {
      const header: TxnHeader = { clientId: 5n, cxid: 1, zxid: 9n, time: 1_700_000_000_000, type: txn.type };
      const to = new Writer();
      writeTxnRecord(to, header, txn, withDigest as TxnDigest | null);
      const bytes = to.finishFlat();
      const record = readTxnRecord(new Reader(bytes));
      assert.deepEqual(record.header, header);
      assert.deepEqual(record.digest, withDigest);
      const again = new Writer();
      writeTxnRecord(again, record.header, record.txn, record.digest);
      assert.deepEqual(Buffer.from(again.finishFlat()), Buffer.from(bytes));
    }),
  );
});

test('a create of before 3.4 lacks the parent version', () => {
  const header = '0000000000000005 00000001 0000000000000009 0000018bcfe56800 00000001';
  const record = readTxnRecord(new Reader(hex(`${header} 00000002 2f61 ffffffff 00000000 01`)));
  assert.deepEqual(record.txn, { type: 1, path: '/a', data: null, acl: [], ephemeral: true, parentCVersion: -1 });
});

test('an unknown transaction type is refused', () => {
  const header = '0000000000000005 00000001 0000000000000009 0000018bcfe56800 00000063';
  assert.throws(() => readTxnRecord(new Reader(hex(header))), /Unsupported Txn with type=99/);
});
