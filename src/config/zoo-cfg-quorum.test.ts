import assert from 'node:assert/strict';
import test from 'node:test';
import { type ZooCfg, zooCfg } from './zoo-cfg.ts';

test('keys of an ensemble have the defaults of Apache', () => {
  const config = zooCfg({ dataDir: '/d', tickTime: 100, initLimit: 10, syncLimit: 5 });
  const wanted: Partial<ZooCfg> = {
    connectToLeaderLimitTicks: 10,
    observersSync: true,
    multiAddressEnabled: false,
    reachabilityCheckEnabled: true,
    reachabilityCheckTimeoutMs: 1000,
    oraclePath: undefined,
    electionPortBindRetries: 3,
    electionConnectTimeoutMs: 5000,
    electionHelloTimeoutMs: 500,
    minNotificationIntervalMs: 200,
    maxNotificationIntervalMs: 60_000,
    tcpKeepAlive: false,
    maxConcurrentSnapSyncs: 10,
    maxConcurrentDiffSyncs: 100,
    forceSnapshotSync: false,
    maxTimeToWaitForEpochMs: undefined,
    leaderConnectRetryDelayMs: 100,
    observerMasterPort: undefined,
    initialCounter: 0,
    observerReconnectDelayMs: 0,
    observerElectionDelayMs: 200,
  };
  for (const [name, value] of Object.entries(wanted)) assert.equal(config[name as keyof ZooCfg], value, name);
});

test('the same keys, set', () => {
  const config = zooCfg(
    {
      dataDir: '/d',
      syncLimit: 5,
      quorumCnxnTimeoutMs: 7,
      'leader.maxTimeToWaitForEpoch': 0,
      observerMasterPort: 2191,
    },
    { 'zookeeper.observer.syncEnabled': 'false', 'zookeeper.cnxTimeout': '9', 'readonlymode.enabled': 'true' },
  );
  assert.equal(config.electionHelloTimeoutMs, 7);
  assert.equal(config.maxTimeToWaitForEpochMs, 0);
  assert.equal(config.observerMasterPort, 2191);
  assert.equal(config.observersSync, false, 'the system property overrides syncEnabled');
  assert.equal(config.electionConnectTimeoutMs, 9);
  assert.equal(config.readOnlyModeEnabled, true);
  assert.deepEqual(config.warnings, []);
});
