import assert from 'node:assert/strict';
import test from 'node:test';
import { Simulation } from '../../runtime/sim/simulation.ts';
import { testZooCfg } from '../../testing/test-keys.ts';
import { Writer } from '../../wire/writer.ts';
import type { Zxid } from '../jute/ids.ts';
import { writeTxnRecord } from '../jute/txn.ts';
import type { CommittedProposal } from '../persistence/recovery.ts';
import { DataTree } from '../tree/data-tree.ts';
import { drawFrom, RandomTxns } from '../tree/random-txns.fixture.ts';
import { openDataDirectories } from './data-directories.ts';
import { Database } from './database.ts';

/** Transactions of some leader, one after the other. */
class History {
  readonly #tree = DataTree.create();
  readonly #txns = new RandomTxns(this.#tree, drawFrom(11));

  next(count: number): CommittedProposal[] {
    return Array.from({ length: count }, () => {
      const { header, txn, digest } = this.#txns.next();
      this.#tree.apply(header, txn);
      const to = new Writer(256);
      writeTxnRecord(to, header, txn, digest);
      return { zxid: header.zxid, bytes: to.finishFlat() };
    });
  }

  get nodeCount(): number {
    return this.#tree.nodeCount;
  }
}

test('a log that was left behind begins again where the tree is, and is never cut', async () => {
  const sim = new Simulation({ seed: 4 });
  const machine = sim.machine('observer');
  const config = testZooCfg('/data');
  const open = async (): Promise<Database> => {
    const { files } = await sim.complete(openDataDirectories(machine.runtime, config));
    return sim.complete(Database.open(machine.runtime, files, config));
  };
  const history = new History();
  const database = await open();
  await sim.complete(database.adopt(history.next(20)));
  await sim.complete(database.adopt(history.next(20), false));
  assert.equal(database.lastZxid, 40n);
  assert.equal(await sim.complete(database.truncate(30n as Zxid)), undefined, 'the log has not what is before');
  assert.equal(database.needsAll, true);

  await sim.complete(database.adopt(history.next(20), true));
  machine.crash('power');
  machine.restart();
  const again = await open();
  assert.equal(again.lastZxid, 60n);
  assert.equal(again.recovered.isWhole, true, 'no transaction is missing');
  assert.equal(again.tree.nodeCount, history.nodeCount);
});
