import { CorruptionError, DiskError } from '../../runtime/disk.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { printHex, type Zxid } from '../jute/ids.ts';
import type { DataTreeOptions } from '../tree/data-tree.ts';
import { checkLayout, checkMembership, type DataDirectories, isDirectory, type Membership } from './check-files.ts';
import { listLogs, listSnapshots, type NamedFile, VERSION_DIRECTORY } from './file-names.ts';
import type { Finding, FindingKind, Report, Severity } from './finding.ts';
import { finished, type Recovered, RecoveryError, recover } from './recovery.ts';
import { type Salvaged, salvageLog } from './salvage.ts';
import { SalvageReplay, type Saved } from './salvage-replay.ts';
import type { LoadedSnapshot } from './snapshot-body.ts';
import { loadSnapshotFile, looksValid } from './snapshot-file.ts';

/** What a directory is worth. */
export interface Checked {
  readonly findings: readonly Finding[];
  /** What can be saved; undefined where nothing can. */
  readonly saved: Saved | undefined;
  /** Transactions that are named somewhere and are not in what can be saved. */
  readonly lost: { readonly from: Zxid; readonly to: Zxid } | undefined;
  readonly membership: Membership;
}

/** Looks at a data directory and changes nothing in it. @throws DiskError */
export function checkDirectories(runtime: Runtime, directories: DataDirectories, options: DataTreeOptions): Checked {
  return new Check(runtime, directories, options).run();
}

class Check {
  readonly #runtime: Runtime;
  readonly #directories: DataDirectories;
  readonly #options: DataTreeOptions;
  readonly #findings: Finding[] = [];
  readonly #report: Report = (finding) => void this.#findings.push(finding);
  /** The greatest that any file names or holds. */
  #newestSeen = 0n as Zxid;

  constructor(runtime: Runtime, directories: DataDirectories, options: DataTreeOptions) {
    this.#runtime = runtime;
    this.#directories = directories;
    this.#options = options;
  }

  run(): Checked {
    const { dataDir, dataLogDir } = this.#directories;
    checkLayout(this.#runtime, this.#directories, this.#report);
    // Files that lie in the wrong place are no less worth.
    const places = [dataDir, dataLogDir, `${dataDir}/${VERSION_DIRECTORY}`, `${dataLogDir}/${VERSION_DIRECTORY}`];
    const existing = [...new Set(places)].filter((place) => isDirectory(this.#runtime.disk, place));
    const snapshots = byZxid(existing.flatMap((place) => listSnapshots(this.#runtime.disk, place)));
    const logs = this.#inOrder(byZxid(existing.flatMap((place) => listLogs(this.#runtime.disk, place))));
    const base = this.#newestGood(snapshots);
    const saved = this.#save(base, logs, snapshots);
    if (!this.#findings.some(({ severity }) => severity === 'loss')) this.#tryStart(saved);
    const lastZxid = saved?.lastZxid ?? (0n as Zxid);
    const membership = checkMembership(this.#runtime, this.#directories, lastZxid, this.#report);
    return { findings: this.#findings, saved, lost: this.#lostAfter(saved), membership };
  }

  #add(kind: FindingKind, severity: Severity, path: string, text: string, more: Partial<Finding> = {}): void {
    this.#report({ kind, severity, path, text, ...more });
  }

  #lostAfter(saved: Saved | undefined): Checked['lost'] {
    if (saved !== undefined && this.#newestSeen <= saved.lastZxid) return undefined;
    if (saved === undefined && this.#newestSeen === 0n) return undefined;
    return { from: ((saved?.lastZxid ?? 0n) + 1n) as Zxid, to: this.#newestSeen };
  }

  /** All are looked at, the newest good one is what recovery would take. */
  #newestGood(snapshots: readonly NamedFile[]): LoadedSnapshot | undefined {
    let newest: LoadedSnapshot | undefined;
    for (const file of [...snapshots].reverse()) {
      this.#see(file.zxid);
      const size = this.#runtime.disk.stat(file.path)?.size ?? 0;
      const loaded = this.#load(file, size);
      newest ??= loaded;
    }
    return newest;
  }

  #load(file: NamedFile, size: number): LoadedSnapshot | undefined {
    const bad = (text: string): undefined =>
      this.#add('bad-snapshot', 'damage', file.path, text, { zxid: file.zxid }) as undefined;
    if (size === 0) return bad('it is empty');
    if (!looksValid(this.#runtime, file)) return bad('it is incomplete');
    try {
      const loaded = finished(loadSnapshotFile(this.#runtime, file, this.#options));
      const { lastProcessedZxid = file.zxid } = loaded;
      // Servers believe the name.
      if (lastProcessedZxid < file.zxid) return bad(`it is of ${printHex(lastProcessedZxid)}, and has another name`);
      return loaded;
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      return bad(error.message.replace(`${file.path} `, ''));
    }
  }

  /** By what they hold, whatever their names are. */
  #inOrder(logs: readonly NamedFile[]): NamedFile[] {
    const first = new Map(logs.map((log) => [log, this.#firstZxid(log)]));
    return logs.toSorted((a, b) => Number((first.get(a) ?? a.zxid) - (first.get(b) ?? b.zxid)));
  }

  #firstZxid(log: NamedFile): Zxid | undefined {
    const file = this.#runtime.disk.open(log.path, { readOnly: true });
    try {
      const [first] = salvageLog(file);
      return first?.kind === 'txn' ? first.record.header.zxid : undefined;
    } finally {
      file.close();
    }
  }

  #see(zxid: Zxid): void {
    if (zxid > this.#newestSeen) this.#newestSeen = zxid;
  }

  #save(
    base: LoadedSnapshot | undefined,
    logs: readonly NamedFile[],
    snapshots: readonly NamedFile[],
  ): Saved | undefined {
    const replay = new SalvageReplay(base, this.#options, (...finding) => this.#add(...finding));
    for (const [index, log] of logs.entries()) this.#walk(log, index === logs.length - 1, replay);
    if (base === undefined && snapshots.length === 0 && logs.length > 0) {
      this.#add('no-snapshot', 'damage', this.#directories.dataDir, 'there are logs, but no snapshot');
    }
    if (base === undefined && logs.length === 0 && snapshots.length === 0) {
      const mark = `${this.#directories.dataLogDir}/initialize`;
      const isThere = this.#runtime.disk.stat(mark) !== undefined;
      if (!isThere)
        this.#add(
          'no-initialize',
          'note',
          mark,
          'no database, and no mark that allows a new one where db.autocreate=false',
        );
    }
    const saved = replay.finish(snapshots.length === 0);
    if (saved === undefined) {
      this.#add(
        'no-snapshot',
        'loss',
        this.#directories.dataDir,
        'no snapshot can be read, and the logs do not begin with the first transaction',
      );
    }
    return saved;
  }

  #walk(log: NamedFile, isNewest: boolean, replay: SalvageReplay): void {
    const { disk } = this.#runtime;
    const file = disk.open(log.path, { readOnly: true });
    try {
      if (file.size === 0) {
        this.#add(
          'empty-log',
          isNewest ? 'note' : 'damage',
          log.path,
          isNewest ? 'it is empty: servers remove it' : 'it is empty',
        );
        return;
      }
      this.#see(log.zxid);
      replay.begin(log);
      for (const salvaged of salvageLog(file)) this.#take(salvaged, log, file.size, replay);
    } finally {
      file.close();
    }
  }

  #take(salvaged: Salvaged, log: NamedFile, size: number, replay: SalvageReplay): void {
    const { position } = salvaged;
    switch (salvaged.kind) {
      case 'txn':
        this.#see(salvaged.record.header.zxid);
        replay.take(salvaged.record, position);
        return;
      case 'doubtful':
        replay.takeDoubtful(salvaged.record, position);
        return;
      case 'damage':
        this.#add('damaged-log', 'damage', log.path, salvaged.what, { position });
        replay.interrupt();
        return;
      case 'torn':
        this.#add('torn-log', 'damage', log.path, 'its last write was torn; nothing of that was acknowledged', {
          position,
        });
        return;
      case 'end':
        if (size > position)
          this.#add('padding', 'note', log.path, `${size - position} bytes of zeros at its end`, { position });
        return;
      default:
        salvaged satisfies never;
    }
  }

  /** The last word is recovery's own. */
  #tryStart(saved: Saved | undefined): void {
    const { dataDir, dataLogDir } = this.#directories;
    const [snapshotDirectory, logDirectory] = [`${dataDir}/${VERSION_DIRECTORY}`, `${dataLogDir}/${VERSION_DIRECTORY}`];
    if (![snapshotDirectory, logDirectory].every((path) => isDirectory(this.#runtime.disk, path))) return;
    try {
      const found = recover(this.#runtime, { snapshotDirectory, logDirectory, tree: this.#options, readOnly: true });
      if (saved !== undefined) this.#compare(found, saved);
    } catch (error) {
      if (error instanceof DiskError) throw error;
      if (!(error instanceof RecoveryError || error instanceof CorruptionError)) throw error;
      this.#add('no-start', 'damage', dataDir, `no server starts: ${error.message}`);
    }
  }

  /** Files that are whole may have names by which servers pass them over. */
  #compare(found: Recovered, saved: Saved): void {
    if (this.#findings.some(({ severity }) => severity !== 'note')) return;
    const state = ({ lastZxid, tree, sessions }: Saved): string =>
      `${lastZxid} ${tree.treeDigest} ${[...sessions].map(String).sort().join(' ')}`;
    if (found.isWhole && state(found) === state(saved)) return;
    const text = `servers start with other data, up to ${printHex(found.lastZxid)}: they go by the names of files`;
    this.#add('wrong-start', 'damage', this.#directories.dataDir, text, { zxid: found.lastZxid });
  }
}

function byZxid(files: readonly NamedFile[]): NamedFile[] {
  return [...files].sort((a, b) => (a.zxid < b.zxid ? -1 : a.zxid > b.zxid ? 1 : 0));
}
