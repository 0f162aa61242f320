import { accepted, type Option, option } from './options.ts';

/** Keys of parts of Apache's server that have no counterpart here. */
export const keysWithoutCounterpart: readonly Option[] = [
  accepted('clientTcpKeepAlive', 'boolean', false, 'keep-alive on connections of clients, which is on'),
  accepted('enableEagerACLCheck', 'boolean', false, 'a learner judges access before the leader does'),
  accepted('forward_learner_requests_to_commit_processor_disabled', 'boolean', false, 'requests of observers'),
  accepted('intBufferStartingSizeBytes', 'int', 1024, 'native buffers'),
  accepted('kerberos.minReLoginTimeMs', 'long', 60_000, 'Kerberos'),
  accepted('kinit', 'string', null, 'Kerberos'),
  accepted('requireKerberosConfig', 'boolean', false, 'Kerberos'),
  accepted('netty.advancedFlowControl.enabled', 'boolean', false, 'class of the network layer'),
  accepted('nio.shutdownTimeout', 'long', 5000, 'threads'),
  accepted('bitHashCacheSize', 'int', 10, 'class of the watch manager'),
  accepted('maxInProcessingDeadWatchers', 'int', -1, 'class of the watch manager'),
  accepted('watcherCleanIntervalInSeconds', 'int', 600, 'class of the watch manager'),
  accepted('watcherCleanThreadsNum', 'int', 2, 'class of the watch manager'),
  accepted('watcherCleanThreshold', 'int', 1000, 'class of the watch manager'),
  accepted('pathStats.enabled', 'boolean', false, 'the most used paths in the log'),
  accepted('pathStats.delay', 'long', 5, 'the most used paths in the log'),
  accepted('pathStats.initialDelay', 'long', 5, 'the most used paths in the log'),
  accepted('pathStats.maxDepth', 'int', 6, 'the most used paths in the log'),
  accepted('pathStats.sampleRate', 'double', 0.1, 'the most used paths in the log'),
  accepted('pathStats.slotCapacity', 'int', 60, 'the most used paths in the log'),
  accepted('pathStats.slotDuration', 'int', 15, 'the most used paths in the log'),
  accepted('pathStats.topPathMax', 'int', 20, 'the most used paths in the log'),
  option('emulate353TTLNodes', 'boolean', false, 'TTL nodes of 3.5.3; refused when true'),
];
