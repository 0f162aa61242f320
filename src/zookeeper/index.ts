/** `odradek/zookeeper`: a ZooKeeper server inside this process. */
import { type ZooCfg, zooCfg } from '../config/zoo-cfg.ts';
import { nodeRuntime } from '../runtime/node/node-runtime.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { startZookeeper as start } from './ensemble/start-zookeeper.ts';
import type { StartOptions, ZookeeperServer } from './server/zookeeper-server.ts';

export { ConfigError } from '../config/config-error.ts';
export { readZooCfg, type ZooCfg, zooCfg } from '../config/zoo-cfg.ts';
export { silent } from '../runtime/log.ts';
export { type NodeRuntimeOptions, nodeRuntime } from '../runtime/node/node-runtime.ts';
export type { Runtime } from '../runtime/runtime.ts';
export type { ZookeeperServer } from './server/zookeeper-server.ts';

export interface ZookeeperOptions extends StartOptions {
  /** Keys as zoo.cfg names them, or what `readZooCfg` made of a file. `clientPort: 0` takes a free port. */
  readonly config: ZooCfg | Readonly<Record<string, string | number | boolean>>;
  /** The world that the server lives in; the real one by default, which logs to standard output. */
  readonly runtime?: Runtime;
}

/** Resolves when the server serves. @throws ConfigError, DiskError, NetworkError, RecoveryError */
export function startZookeeper({
  config,
  runtime = nodeRuntime(),
  ...options
}: ZookeeperOptions): Promise<ZookeeperServer> {
  return start(runtime, isChecked(config) ? config : zooCfg(config), options);
}

function isChecked(config: ZookeeperOptions['config']): config is ZooCfg {
  return Array.isArray(config.warnings);
}
