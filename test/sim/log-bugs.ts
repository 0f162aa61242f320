import type { PlantedBug } from './bugs.ts';

const world = 'log-crash-points';

/** What the world of logs must find. */
export const logBugs: readonly PlantedBug[] = [
  {
    name: 'a closed segment is not flushed where the recovery point is beyond it',
    world,
    file: 'src/kafka/log/roll.ts',
    find: '    log.closedUnflushed.add(old);\n',
    replace: '',
    seed: 1,
    symptom: /timeindex ends at|no multiple of/,
  },
  {
    name: 'the leader epochs of a recovered log begin before it does',
    world,
    file: 'src/kafka/log/recovery.ts',
    find: '    if (log.touched) log.epochs.truncateFromStart(log.logStartOffset);\n',
    replace: '',
    seed: 17,
    symptom: /leader epochs are|a second recovery changes/,
  },
  {
    name: 'a flush does not wait for the leader epochs',
    world,
    file: 'src/kafka/log/flush.ts',
    find: '  steps.push((next) => log.epochWriter.whenIdle(next));\n',
    replace: '',
    seed: 7,
    symptom: /leader epochs are/,
  },
  {
    name: 'a flush does not sync the names of new files',
    world,
    file: 'src/kafka/log/flush.ts',
    find: 'if (nameChanges > log.durableNameChanges) steps',
    replace: 'if (nameChanges < 0) steps',
    seed: 4,
    symptom: /are lost|leader epochs are|has a gap|belongs to/,
  },
  {
    name: 'recovery learns no leader epochs',
    world,
    file: 'src/kafka/log/recovery.ts',
    find: '      log.learnEpoch(header);\n',
    replace: '',
    seed: 3,
    symptom: /leader epochs are/,
  },
  {
    name: 'a deleted log keeps its place in the checkpoints',
    world,
    file: 'src/kafka/log/log-manager.ts',
    find: '    await directory.delete(topicPartition, this.#uuidHex());\n    await directory.checkpointAll();\n',
    replace: '    await directory.delete(topicPartition, this.#uuidHex());\n',
    seed: 18,
    symptom: /is made anew|high watermark|begins at|belongs to|something else|a second recovery changes/,
  },
];
