export interface ShareCoordinatorConfig {
  readonly updatesPerSnapshot: number;
  readonly pruneIntervalMs: number;
  readonly coldSnapshotIntervalMs: number;
}

/** From a broker's configuration, by its keys. */
export function shareCoordinatorConfig(number: (key: string) => number): ShareCoordinatorConfig {
  return {
    updatesPerSnapshot: number('share.coordinator.snapshot.update.records.per.snapshot'),
    pruneIntervalMs: number('share.coordinator.state.topic.prune.interval.ms'),
    coldSnapshotIntervalMs: number('share.coordinator.cold.partition.snapshot.interval.ms'),
  };
}
