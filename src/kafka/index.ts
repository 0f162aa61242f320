/** `odradek/kafka`: a Kafka broker inside this process. */
import { nodeRuntime } from '../runtime/node/node-runtime.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { KafkaConfig } from './broker/config/kafka-config.ts';
import { type KafkaBroker, startKafka as start } from './broker/kafka-broker.ts';

export { ConfigError } from '../config/config-error.ts';
export { silent } from '../runtime/log.ts';
export { type NodeRuntimeOptions, nodeRuntime } from '../runtime/node/node-runtime.ts';
export type { Runtime } from '../runtime/runtime.ts';
export { KafkaConfig } from './broker/config/kafka-config.ts';
export type { KafkaBroker } from './broker/kafka-broker.ts';

export interface KafkaOptions {
  /** Keys as server.properties names them, or a checked configuration. A port of 0 in `listeners` takes a free one. */
  readonly config: KafkaConfig | Readonly<Record<string, string | number | boolean>>;
  /** The world that the broker lives in; the real one by default, which logs to standard output. */
  readonly runtime?: Runtime;
}

/** Resolves when the broker serves. @throws ConfigError, ZookeeperUnavailableError, DiskError, NetworkError */
export function startKafka({ config, runtime = nodeRuntime() }: KafkaOptions): Promise<KafkaBroker> {
  return start(runtime, config instanceof KafkaConfig ? config : configOf(config));
}

function configOf(keys: Readonly<Record<string, string | number | boolean>>): KafkaConfig {
  return new KafkaConfig(new Map(Object.entries(keys).map(([key, value]) => [key, String(value)])));
}
