import { ensembleBugs } from './ensemble-bugs.ts';
import { logBugs } from './log-bugs.ts';
import { topicBugs } from './topic-bugs.ts';
import { transactionBugs } from './transaction-bugs.ts';
import type { WorldName } from './worlds.ts';

/** A bug that the simulated worlds must find: one piece of one file's text is another. */
export interface PlantedBug {
  readonly name: string;
  readonly world: WorldName;
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** It finds the bug, and passes without it. */
  readonly seed: number;
  /** What the failure says. */
  readonly symptom: RegExp;
}

export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'a write is acknowledged before it is synced',
    world: 'zookeeper',
    file: 'src/zookeeper/server/standalone-agreement.ts',
    find: 'flush: (done) => log.flush(done),',
    replace: 'flush: (done) => { log.flush(() => undefined); done(); },',
    seed: 1,
    symptom: /was at version|is lost|is both|was acknowledged before|went back/,
  },
  {
    name: 'a torn entry at the end of the log is believed',
    world: 'zookeeper',
    file: 'src/zookeeper/persistence/txn-log-reader.ts',
    find: "if (sum !== checksumAt(this.#words, from)) return this.#endAt(position, size, 'CRC check failed');",
    replace: 'void sum;',
    seed: 12,
    symptom: /a recovered tree is not its log|which nobody wrote|CorruptionError|MalformedError/,
  },
  {
    name: 'a second sync is believed where the first one failed',
    world: 'zookeeper',
    file: 'src/zookeeper/persistence/database-directories.ts',
    find: '    rewriteLastBatch(file);\n',
    replace: '    void rewriteLastBatch;\n',
    seed: 1013,
    symptom: /CorruptionError|is lost|was at version|is both/,
  },
  {
    name: 'the last zxid is given again after a restart',
    world: 'zookeeper',
    file: 'src/zookeeper/ensemble/start-zookeeper.ts',
    find: 'new StandaloneRole(parts, recovered.lastZxid)',
    replace: 'new StandaloneRole(parts, (recovered.lastZxid - 1n) as typeof recovered.lastZxid)',
    seed: 2,
    symptom: /is both|was acknowledged before/,
  },
  {
    name: 'a watch event comes after the reply',
    world: 'zookeeper',
    file: 'src/zookeeper/server/client-connection.ts',
    find: '    writeEvent(this.out, event);\n',
    replace:
      "    this.#host.clock.soon(() => { if (this.#phase === 'session') { writeEvent(this.out, event); this.flush(); } });\n",
    seed: 1,
    symptom: /was answered before its watch event/,
  },
  {
    name: 'a stall of the server expires sessions whose pings wait in the kernel',
    world: 'zookeeper',
    file: 'src/zookeeper/server/sessions.ts',
    find: 'clock.afterPoll(() => this.#expire(judgedMs));',
    replace: 'this.#expire(judgedMs);',
    seed: 2,
    symptom: /is expired, and it spoke/,
  },
  {
    name: 'directories of a start that died are not made durable by the next one',
    world: 'crash-points',
    file: 'src/zookeeper/server/durable-directories.ts',
    find: "} while (name !== '/' && name !== '.');",
    replace: "} while (disk.stat(name) === undefined && name !== '.');",
    seed: 23,
    symptom: /is gone, and its time is not over|was acknowledged/,
  },
  {
    name: 'the name of a new log is not made durable',
    world: 'crash-points',
    file: 'src/zookeeper/persistence/txn-log.ts',
    find: 'else if (!log.isNew) this.#finish(batch);',
    replace: 'else if (!log.isNew || log.name) this.#finish(batch);',
    seed: 1,
    symptom: /CorruptionError|is gone, and its time is not over|was acknowledged/,
  },
  {
    name: 'a snapshot is named before it is synced, and old logs go',
    world: 'crash-points',
    file: 'src/zookeeper/persistence/snapshot-file.ts',
    find: '    const { disk } = this.#runtime;\n    file.sync((error) => {\n',
    replace:
      '    const { disk } = this.#runtime;\n    const unsynced = (done: (error?: DiskError) => void) => done();\n    unsynced((error) => {\n',
    seed: 1,
    symptom: /does not start|was acknowledged|is gone, and its time is not over/,
  },
  {
    name: 'an index entry is written before its batch',
    world: 'kafka',
    file: 'src/kafka/log/segment.ts',
    find: '      time.maybeAppend(this.maxTimestamp.timestamp, this.maxTimestamp.offset);\n      this.#bytesSinceIndexEntry = 0;\n',
    replace:
      '      time.maybeAppend(this.maxTimestamp.timestamp, this.maxTimestamp.offset);\n      this.#bytesSinceIndexEntry = 0; this.#writeIndexes(Infinity);\n',
    seed: 3192,
    symptom: /leads beyond the log/,
  },
  {
    name: 'records are acknowledged before they are written',
    world: 'kafka',
    file: 'src/kafka/log/append-queue.ts',
    find: 'first.segment.write(views.finish(), done);',
    replace: 'done(undefined); first.segment.write(views.finish(), () => undefined);',
    seed: 1,
    symptom:
      /is lost|stands where|damaged|without any power failure|Record size 0|Invalid magic|corrupt|leads beyond|ends before|is the next/,
  },
  {
    name: 'a recovered log is believed synced where a sync failed before',
    world: 'kafka',
    file: 'src/kafka/log/recovery.ts',
    find: '    await sliced(log.runtime.clock, segment.rewriteFrom(this.#from.recoveryPoint));\n',
    replace: '',
    seed: 19,
    symptom: /corrupt|CRC checksum|Record size 0|Invalid magic|damaged|is lost/,
  },
  {
    name: 'recovery keeps a batch with a wrong checksum',
    world: 'kafka',
    file: 'src/kafka/log/segment.ts',
    find: 'const isValid = inRange && hasValidCrc(',
    replace: 'const isValid = inRange || hasValidCrc(',
    seed: 1001,
    symptom: /damaged/,
  },
  {
    name: 'memory of an answer is given back before the answer is sent',
    world: 'kafka',
    file: 'src/kafka/broker/fetch-operation.ts',
    find: 'this.#answer(found, () => {\n          release();\n          loan.giveBack();\n        });',
    replace: '{ this.#answer(found, release); loan.giveBack(); }',
    seed: 1,
    symptom: /Record size -606348325|corrupt|CRC|magic/i,
  },
  ...ensembleBugs,
  ...transactionBugs,
  ...logBugs,
  ...topicBugs,
];
