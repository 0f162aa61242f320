import { DECOMPRESSED_SIZE_MAX } from '../../records/iterate.ts';

/** The `log.cleaner.*` keys of a broker, with Apache's defaults (CleanerConfig). */
export interface CleanerConfig {
  /** `log.cleaner.enable` */
  readonly enabled: boolean;
  /** `log.cleaner.threads`: logs that are compacted at the same time. They share the buffers. */
  readonly threads: number;
  /** `log.cleaner.dedupe.buffer.size`: bytes of all offset maps. */
  readonly dedupeBufferBytes: number;
  /** `log.cleaner.io.buffer.load.factor`: the share of an offset map that is used. */
  readonly loadFactor: number;
  /** `log.cleaner.io.buffer.size`: what all threads read at once; as much is on its way meanwhile. */
  readonly ioBufferBytes: number;
  /** `log.cleaner.io.max.bytes.per.second`: read and written, of all threads. */
  readonly ioBytesPerSecondMax: number;
  /** `log.cleaner.backoff.ms`: how long a thread waits when there was nothing to compact. */
  readonly backoffMs: number;
  /**
   * What one compressed batch may become in memory: what producers may send (`odradek.message.max.decompressed.bytes`), and
   * never less than that key's default, since logs hold what was allowed before.
   */
  readonly decompressedBytesMax: number;
}

export const defaultCleanerConfig: CleanerConfig = {
  enabled: true,
  threads: 1,
  dedupeBufferBytes: 134_217_728,
  loadFactor: 0.9,
  ioBufferBytes: 524_288,
  ioBytesPerSecondMax: Infinity,
  backoffMs: 15_000,
  decompressedBytesMax: DECOMPRESSED_SIZE_MAX,
};
