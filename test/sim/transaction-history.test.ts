import assert from 'node:assert/strict';
import test from 'node:test';
import { type Isolation, type SeenRecord, type Transaction, TransactionHistory } from './transaction-history.ts';

const IN = 'spool-0';
const OUT = 'thread-0';

/** A transaction of the owner with records, each value by its partition. */
function transact(
  history: TransactionHistory,
  [owner, life, serial]: readonly [string, number, number],
  records: readonly (readonly [value: string, partition: string])[],
): Transaction {
  history.lifeBegan(owner, life);
  const transaction = history.began(owner, life, serial);
  for (const [value, partition] of records) transaction.records.set(value, partition);
  return transaction;
}

const pair = (history: TransactionHistory): Transaction =>
  transact(
    history,
    ['w0', 1, 1],
    [
      ['w0.1/1/0', IN],
      ['w0.1/1/1', OUT],
    ],
  );
const found = (...values: readonly string[]): SeenRecord[] => values.map((value, offset) => ({ offset, value }));
const see = (history: TransactionHistory, isolation: Isolation, ...values: readonly string[]): void => {
  for (const record of found(...values)) history.saw(isolation, IN, record);
};

function committed(history: TransactionHistory, transaction: Transaction): void {
  history.asked(transaction, 'commit');
  history.told(transaction, 'committed');
}

test('what is open or aborted may be read by those alone who do not ask for what is committed', () => {
  const history = new TransactionHistory();
  const transaction = pair(history);
  see(history, 'read_uncommitted', 'w0.1/1/0');
  assert.throws(() => see(history, 'read_committed', 'w0.1/1/0'), /w0.1\/1 is open/);
  history.asked(transaction, 'abort');
  assert.throws(() => see(history, 'read_committed', 'w0.1/1/0'), /is aborted/);
  history.asked(transaction, 'commit');
  see(history, 'read_committed', 'w0.1/1/0');
  history.told(transaction, 'aborted');
  assert.throws(() => see(history, 'read_committed', 'w0.1/1/0'), /was aborted/);
});

test('a record has one place, and was sent there', () => {
  const history = new TransactionHistory();
  committed(history, pair(history));
  see(history, 'read_committed', 'w0.1/1/0');
  assert.throws(() => see(history, 'read_uncommitted', 'w0.1/9/0'), /offset 0 was/);
  assert.throws(() => history.saw('read_committed', IN, { offset: 1, value: 'w0.1/1/0' }), /is there twice/);
  assert.throws(() => history.saw('read_committed', IN, { offset: 2, value: 'w0.1/1/1' }), /nobody sent/);
  assert.throws(() => history.saw('read_committed', IN, { offset: 3, value: 'w0.1/9/0' }), /nobody sent/);
});

test('a fenced producer commits nothing, save what holds nothing', () => {
  const history = new TransactionHistory();
  const zombie = pair(history);
  const empty = transact(history, ['w0', 1, 2], []);
  history.lifeBegan('w0', 2);
  committed(history, empty);
  history.asked(zombie, 'commit');
  assert.throws(() => history.told(zombie, 'committed'), /is fenced/);
  assert.throws(() => see(history, 'read_committed', 'w0.1/1/0'), /was fenced before/);
});

test('a commit that was asked for before the next life began may count', () => {
  const history = new TransactionHistory();
  const transaction = pair(history);
  history.asked(transaction, 'commit');
  history.lifeBegan('w0', 2);
  history.told(transaction, 'committed');
  see(history, 'read_committed', 'w0.1/1/0');
});

test('the last stable offset goes forward, and not beyond the high watermark', () => {
  const history = new TransactionHistory();
  history.sawStableOffset(IN, 3, 5);
  assert.throws(() => history.sawStableOffset(IN, 2, 5), /went back/);
  assert.throws(() => history.sawStableOffset(IN, 6, 5), /beyond/);
});

test('a transaction is visible as a whole, and once it was acknowledged it is', () => {
  const history = new TransactionHistory();
  const transaction = pair(history);
  history.asked(transaction, 'commit');
  history.auditTransactions();
  see(history, 'read_committed', 'w0.1/1/0');
  assert.throws(() => history.auditTransactions(), /visible in part/);
  history.told(transaction, 'committed');
  assert.throws(() => history.auditTransactions(), /is lost/);
  history.saw('read_committed', OUT, { offset: 0, value: 'w0.1/1/1' });
  history.auditTransactions();
});

test('what was read stays, and lives do not mix', () => {
  const history = new TransactionHistory();
  committed(history, pair(history));
  see(history, 'read_committed', 'w0.1/1/0');
  assert.throws(() => history.auditPartition(IN, 'read_committed', []), /is gone/);
  const other = new TransactionHistory();
  transact(
    other,
    ['w0', 1, 1],
    [
      ['w0.1/1/0', IN],
      ['w0.1/1/1', IN],
    ],
  );
  transact(other, ['w0', 2, 1], [['w0.2/1/0', IN]]);
  const audit = (...values: readonly string[]): void => other.auditPartition(IN, 'read_uncommitted', found(...values));
  audit('w0.1/1/0', 'w0.2/1/0');
  assert.throws(() => audit('w0.1/1/0', 'w0.2/1/0', 'w0.1/1/1'), /comes after/);
  const third = new TransactionHistory();
  transact(
    third,
    ['w0', 1, 1],
    [
      ['w0.1/1/0', IN],
      ['w0.1/1/1', IN],
    ],
  );
  assert.throws(() => third.auditPartition(IN, 'read_uncommitted', found('w0.1/1/1', 'w0.1/1/0')), /comes after/);
});

/** Two records of which the first is transformed, with its offset in the same transaction. */
function transformed(offset = 1): TransactionHistory {
  const history = new TransactionHistory();
  const source = transact(
    history,
    ['w0', 1, 1],
    [
      ['w0.1/1/0', IN],
      ['w0.1/1/1', IN],
    ],
  );
  committed(history, source);
  see(history, 'read_committed', 'w0.1/1/0', 'w0.1/1/1');
  const transaction = transact(history, ['t0', 1, 1], [[`t0.1/1/0=${IN}@0`, OUT]]);
  transaction.offsets.set(IN, offset);
  committed(history, transaction);
  history.saw('read_committed', OUT, { offset: 0, value: `t0.1/1/0=${IN}@0` });
  return history;
}

test('offsets are committed with the records that they stand for', () => {
  transformed().auditTransformed(IN, 1);
  assert.throws(() => transformed().auditTransformed(IN, 0), /is transformed, and the group stands at 0/);
  assert.throws(() => transformed(2).auditTransformed(IN, 2), /offset 1 is not transformed/);
  assert.throws(() => transformed().auditTransformed(IN, 2), /which no transaction committed/);
  const again = transformed();
  const repeated = transact(again, ['t0', 1, 2], [[`t0.1/2/0=${IN}@0`, OUT]]);
  committed(again, repeated);
  again.saw('read_committed', OUT, { offset: 2, value: `t0.1/2/0=${IN}@0` });
  assert.throws(() => again.auditTransformed(IN, 1), /transformed twice/);
});

test('the offset of a group is one that a transaction committed, and never goes back', () => {
  const history = new TransactionHistory();
  const [first, second, third] = [1, 2, 3].map((serial) => {
    const transaction = transact(history, ['t0', 1, serial], []);
    transaction.offsets.set(IN, serial);
    return transaction;
  }) as [Transaction, Transaction, Transaction];
  assert.throws(() => history.sawGroupOffset(IN, 1), /which no transaction committed/);
  committed(history, first);
  committed(history, second);
  history.asked(third, 'abort');
  history.sawGroupOffset(IN, 2);
  assert.throws(() => history.sawGroupOffset(IN, 1), /went back/);
  assert.throws(() => history.sawGroupOffset(IN, 3), /which no transaction committed/);
});
