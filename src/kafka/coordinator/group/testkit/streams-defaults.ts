import type { StreamsConfig, StreamsSettings } from '../streams/streams-config.ts';

export const streamsSettings: StreamsSettings = {
  sessionTimeoutMs: 45_000,
  heartbeatIntervalMs: 5000,
  assignmentIntervalMs: 0,
  initialRebalanceDelayMs: 0,
  standbyReplicas: 0,
  rackAwareTags: [],
  taskOffsetIntervalMs: 60_000,
  acceptableRecoveryLag: 10_000,
};

export const streamsDefaults: StreamsConfig = {
  isEnabled: true,
  groupSizeMax: 2_147_483_647,
  settings: () => streamsSettings,
};
