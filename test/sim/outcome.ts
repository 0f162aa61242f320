/** How one run of a world went. */
export interface Outcome {
  readonly world: string;
  readonly seed: number;
  /** Undefined: everything held. */
  readonly failure: string | undefined;
  /** Equal for equal histories. */
  readonly hash: string;
  readonly simulatedMs: number;
  readonly events: number;
  /** What the seed drew, and what was done. */
  readonly drawn: string;
}

export interface RunOptions {
  readonly onLog?: (line: string) => void;
  /** Virtual milliseconds under faults; drawn from the seed by default. */
  readonly durationMs?: number;
  /** Of the world of crash points: each operation of the disk, and not a few that the seed draws. */
  readonly everyPoint?: boolean;
}
