import { DiskError } from '../../runtime/disk.ts';
import { randomUuid } from '../../runtime/random.ts';
import { KafkaError } from '../protocol/errors.ts';
import type { PartitionLog } from './log.ts';
import type { LogDirectory } from './log-directory.ts';
import type { LogRuntime } from './log-state.ts';

interface Candidate {
  readonly directory: LogDirectory;
  readonly log: PartitionLog;
}

/**
 * What a crash in the middle of a move between log dirs left: a partition under its plain name in two of them. Both held the same
 * when the second got its name, and only one was appended to since, so the one that reaches further is the partition; the other
 * goes. (Apache's LogManager.loadLog refuses to start and asks for one of the two to be deleted by hand.)
 */
export class DuplicateLogs {
  readonly #directories: readonly LogDirectory[];
  readonly #runtime: LogRuntime;

  constructor(directories: readonly LogDirectory[], runtime: LogRuntime) {
    this.#directories = directories;
    this.#runtime = runtime;
  }

  /** A directory that fails on the way is offline. */
  async resolve(): Promise<void> {
    await this.#keepOne('logs');
    await this.#keepOne('futures');
  }

  async #keepOne(which: 'logs' | 'futures'): Promise<void> {
    const kept = new Map<string, Candidate>();
    for (const directory of this.#directories) {
      for (const [name, log] of [...directory[which]]) {
        const candidate = { directory, log };
        const other = kept.get(name);
        if (other === undefined) {
          kept.set(name, candidate);
          continue;
        }
        const [better, worse] = reachesFurther(log, other.log) ? [candidate, other] : [other, candidate];
        kept.set(name, better);
        await this.#drop(worse, better, which);
      }
    }
  }

  async #drop(worse: Candidate, better: Candidate, which: 'logs' | 'futures'): Promise<void> {
    const { topicPartition } = worse.log;
    this.#runtime.log.warn('A partition was found in two log dirs; the one that reaches further stays', {
      ...topicPartition,
      stays: better.log.directory,
      endOffset: better.log.logEndOffset,
      goes: worse.log.directory,
      itsEndOffset: worse.log.logEndOffset,
    });
    const uuidHex = randomUuid(this.#runtime.random).replaceAll('-', '');
    try {
      await worse.directory.delete(topicPartition, uuidHex, which);
      // What they say of it must not be taken for what comes under its name.
      await worse.directory.checkpointAll();
    } catch (error) {
      if (!(error instanceof DiskError || error instanceof KafkaError)) throw error;
    }
  }
}

/** By the epoch of the last leader that wrote, then by the end. */
function reachesFurther(one: PartitionLog, than: PartitionLog): boolean {
  if (one.latestEpoch !== than.latestEpoch) return one.latestEpoch > than.latestEpoch;
  return one.logEndOffset > than.logEndOffset;
}
