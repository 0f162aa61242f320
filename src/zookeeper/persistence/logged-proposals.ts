import { CorruptionError, DiskError } from '../../runtime/disk.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { isGap, printHex, type Zxid } from '../jute/ids.ts';
import type { DatabaseDirectories } from './database-directories.ts';
import { listLogs, type NamedFile } from './file-names.ts';
import { readHistoryStart } from './history-start.ts';
import type { CommittedProposal } from './recovery.ts';
import { TxnLogReader } from './txn-log-reader.ts';

/**
 * The transactions of the log from the last one at or before a zxid on, for a learner that lacks what is after it
 * (ZKDatabase.getProposalsFromTxnLog). Read as they are asked for: memory is one window of a file, which is closed when the iteration
 * ends or is left. Nothing where the log does not reach so far back. Ends early, and so does not reach what is in memory, where
 * transactions are missing or a file cannot be read, and before more bytes than the limit: then a snapshot is the thing to send.
 *
 * Apache takes the length of the files for their size, with the 64 MiB that each is extended by; we count what is sent.
 * @param sizeLimitBytes of all of them; 0 for no limit, negative for nothing at all
 */
export function* loggedFrom(
  runtime: Runtime,
  directories: DatabaseDirectories,
  zxid: Zxid,
  sizeLimitBytes: number,
): Generator<CommittedProposal, void> {
  if (sizeLimitBytes < 0 || zxid < readHistoryStart(runtime.disk, directories)) return;
  let previous: CommittedProposal | undefined;
  let hasBegun = false;
  let size = 0;
  try {
    for (const proposal of proposalsFrom(runtime, directories.logDirectory, zxid)) {
      if (proposal.zxid > zxid) {
        if (previous === undefined) return;
        if (!hasBegun) yield previous;
        hasBegun = true;
        size += proposal.bytes.length;
        if (isGap(previous.zxid, proposal.zxid) || (sizeLimitBytes > 0 && size > sizeLimitBytes)) return;
        yield proposal;
      }
      previous = proposal;
    }
    if (previous !== undefined && !hasBegun) yield previous;
  } catch (error) {
    if (!(error instanceof CorruptionError) && !(error instanceof DiskError)) throw error;
    runtime.log.error('Unable to read txnlog from disk', { zxid: printHex(zxid), error: error.message });
  }
}

/** All that is in the log file in which a zxid would be, and in those after it. */
function* proposalsFrom({ disk }: Runtime, directory: string, zxid: Zxid): Generator<CommittedProposal, void> {
  const logs: readonly NamedFile[] = listLogs(disk, directory);
  const first = logs.findLastIndex((log) => log.zxid <= zxid);
  for (const { path } of first < 0 ? [] : logs.slice(first)) {
    const file = disk.open(path, { readOnly: true });
    try {
      const reader = new TxnLogReader(file);
      for (let record = reader.nextRecord(); record !== undefined; record = reader.nextRecord()) yield record;
    } finally {
      file.close();
    }
  }
}
