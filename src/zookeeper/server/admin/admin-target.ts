import type { Zxid } from '../../jute/ids.ts';
import type { Authentication } from '../auth/authentication.ts';
import type { DirectoryView, ProcessView, ServerView } from '../server-view.ts';

/** A snapshot on the disk. */
export interface SnapshotFacts {
  readonly path: string;
  readonly zxid: Zxid;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modifiedMs: number;
}

export interface SnapshotFiles extends DirectoryView {
  /** The newest one that is complete, undefined before the first. */
  lastSnapshot(): SnapshotFacts | undefined;
  takeSnapshot(): Promise<SnapshotFacts>;
  /** The bytes of a file from a position, at most so many. */
  readSnapshot(path: string, position: number, length: number): Uint8Array;
}

/** What the admin server may do beyond looking. */
export interface AdminTarget extends ServerView {
  readonly authentication: Authentication;
  readonly files: SnapshotFiles;
  /**
   * Puts the tree and the sessions of a snapshot in the place of what there is. Answers the snapshot's zxid.
   * Rejects, and changes nothing, for bytes that are no snapshot with a zxid.
   */
  restore(snapshot: Uint8Array): Promise<Zxid>;
}

/** What the admin server stands before. */
export interface AdminHost extends ProcessView {
  /** Undefined while nobody is served. */
  readonly server: AdminTarget | undefined;
}
