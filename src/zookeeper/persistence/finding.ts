import type { Zxid } from '../jute/ids.ts';

/** What can be said of a data directory. */
export type FindingKind =
  | 'layout'
  | 'foreign-file'
  | 'leftover'
  | 'myid'
  | 'epoch'
  | 'no-initialize'
  | 'no-snapshot'
  | 'bad-snapshot'
  | 'empty-log'
  | 'torn-log'
  | 'damaged-log'
  | 'padding'
  | 'log-name'
  | 'zxid-back'
  | 'overlap'
  | 'gap'
  | 'digest'
  | 'no-start'
  | 'wrong-start';

/** `note`: fine as it is. `damage`: a copy can be mended. `loss`: what only this held is gone. */
export type Severity = 'note' | 'damage' | 'loss';

export interface Finding {
  readonly kind: FindingKind;
  readonly severity: Severity;
  readonly path: string;
  /** In the file. */
  readonly position?: number;
  readonly zxid?: Zxid;
  readonly text: string;
}

export type Report = (finding: Finding) => void;
