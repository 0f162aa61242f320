import type { PlantedBug } from './bugs.ts';

/** What the world of transactions must find. */
export const transactionBugs: readonly PlantedBug[] = [
  {
    name: 'markers are written before the decision is durable',
    world: 'transactions',
    file: 'src/kafka/coordinator/transaction/transaction-partition.ts',
    find: '    transaction.begin(next.state);\n    this.appendAgain(',
    replace:
      "    if (next.state === 'PrepareCommit') { this.#become({ id: transaction.id, metadata: next }); return done(ErrorCode.NONE); }\n    transaction.begin(next.state);\n    this.appendAgain(",
    seed: 47,
    symptom: /visible in part|is lost|is not transformed|transformed twice|went back|gets no producer id/,
  },
  {
    name: 'readers of what is committed see beyond the last stable offset',
    world: 'transactions',
    file: 'src/kafka/log/log.ts',
    find: 'const unstable = this.producers.firstUnstableOffset;',
    replace: 'const unstable = undefined as number | undefined;',
    seed: 1,
    symptom: /is read, and .* is open/,
  },
  {
    name: 'recovery does not find aborted transactions again',
    world: 'transactions',
    file: 'src/kafka/log/recovery.ts',
    find: 'if (completed?.aborted === true) segment.transactionIndex.append(completed);',
    replace: 'void completed;',
    seed: 1,
    symptom: /is read, and .* (open|aborted)/,
  },
  {
    name: 'a fenced producer may end the transaction of its successor',
    world: 'transactions',
    file: 'src/kafka/coordinator/transaction/end-transaction.ts',
    find: 'if (metadata.producerEpoch !== request.producerEpoch) return refuse(ErrorCode.PRODUCER_FENCED);\n  if (transaction.pending',
    replace: 'if (transaction.pending',
    seed: 1,
    symptom: /is fenced|is open|is aborted|was aborted/,
  },
  {
    name: 'a new life of a transactional id keeps the epoch of the old one',
    world: 'transactions',
    file: 'src/kafka/coordinator/transaction/init-producer-id.ts',
    find: 'const bumped = producerEpoch + 1;',
    replace: 'const bumped = Math.max(0, producerEpoch);',
    seed: 1,
    symptom: /is fenced|is open|is aborted|was aborted|comes after|is lost|twice/,
  },
  {
    name: 'offsets of open transactions count at once',
    world: 'transactions',
    file: 'src/kafka/coordinator/group/durable-state.ts',
    find: 'producerId === NO_PRODUCER_ID ? this.#offsets : this.#pendingOf(producerId)',
    replace: 'producerId < 0 ? this.#pendingOf(producerId) : this.#offsets',
    seed: 1,
    symptom: /which no transaction committed|is not transformed/,
  },
  {
    name: 'a coordinator that takes over does not go on with what was decided',
    world: 'transactions',
    file: 'src/kafka/coordinator/transaction/transaction-coordinator.ts',
    find: 'complete: (of, transaction) => completeTransaction(this.#completion, of, transaction),',
    replace: 'complete: () => undefined,',
    seed: 2,
    symptom: /gets no producer id|a transaction is open/,
  },
];
