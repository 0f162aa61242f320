import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError } from '../../../config/config-error.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { KafkaConfig } from './kafka-config.ts';

/** What a policy is asked about a topic that is to be created (`CreateTopicPolicy.RequestMetadata`). */
export interface NewTopicFacts {
  readonly topic: string;
  /** Null where replicas were given by hand. */
  readonly numPartitions: number | null;
  /** Null where replicas were given by hand. */
  readonly replicationFactor: number | null;
  /** Replicas by partition where they were given by hand, else null. */
  readonly replicasAssignments: ReadonlyMap<number, readonly number[]> | null;
  readonly configs: ReadonlyMap<string, string>;
}

/** What a policy is asked about a change of configuration (`AlterConfigPolicy.RequestMetadata`). */
export interface ConfigChangeFacts {
  readonly resource: { readonly type: 'TOPIC' | 'BROKER' | 'GROUP'; readonly name: string };
  /** The values that were named, null for those that go back to their default. */
  readonly configs: ReadonlyMap<string, string | null>;
}

/**
 * What an ES module exports, itself or by a class that is constructed without arguments: whatever `validate` throws refuses the
 * request. An error named `PolicyViolationException` is answered with POLICY_VIOLATION and its message, as Apache answers Java's
 * exception of that name; any other is a fault of the policy, UNKNOWN_SERVER_ERROR.
 */
interface PolicyModule<F> {
  validate(facts: F): unknown;
  /** Called once, with everything that is configured. */
  configure?(configs: ReadonlyMap<string, string>): unknown;
  close?(): unknown;
}

export class Policy<F> {
  readonly #module: PolicyModule<F>;

  constructor(module: PolicyModule<F>) {
    this.#module = module;
  }

  /** @throws KafkaError POLICY_VIOLATION, UNKNOWN_SERVER_ERROR */
  async validate(facts: F): Promise<void> {
    try {
      await this.#module.validate(facts);
    } catch (cause) {
      const isViolation = cause instanceof Error && cause.name === 'PolicyViolationException';
      if (isViolation) throw new KafkaError(ErrorCode.POLICY_VIOLATION, cause.message, { cause });
      throw new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, '', { cause });
    }
  }

  async close(): Promise<void> {
    await this.#module.close?.();
  }
}

export type CreateTopicPolicy = Policy<NewTopicFacts>;
export type AlterConfigPolicy = Policy<ConfigChangeFacts>;

const FIX =
  'Java classes cannot be loaded; give the path of an ES module that begins with / or . and exports (by default, or as #name) a class or an object with validate(metadata), or a function of metadata';

/** The policy that a key names; undefined where it is not set. @throws ConfigError for anything that is no policy */
export async function loadPolicy<F>(
  config: KafkaConfig,
  key: 'create.topic.policy.class.name' | 'alter.config.policy.class.name',
): Promise<Policy<F> | undefined> {
  const value = config.optional(key);
  if (value === null || value === '') return undefined;
  const [path = '', name = 'default'] = value.split('#');
  if (!/^[./]/.test(path)) throw new ConfigError(key, value, FIX);
  let exported: unknown;
  try {
    const module: Readonly<Record<string, unknown>> = await import(pathToFileURL(resolve(path)).href);
    exported = module[name];
  } catch (cause) {
    throw new ConfigError(key, value, `${FIX} (${String(cause)})`);
  }
  const module = asModule<F>(exported);
  if (module === undefined) throw new ConfigError(key, value, FIX);
  await module.configure?.(config.current);
  return new Policy(module);
}

/** An object as it is, a class by its instance, a function as `validate`. */
function asModule<F>(exported: unknown): PolicyModule<F> | undefined {
  if (typeof exported === 'function') {
    const prototype: unknown = exported.prototype;
    if (!hasValidate(prototype)) return { validate: exported as (facts: F) => unknown };
    const construct = exported as unknown as new () => PolicyModule<F>;
    return new construct();
  }
  return hasValidate(exported) ? (exported as PolicyModule<F>) : undefined;
}

function hasValidate(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'validate' in value && typeof value.validate === 'function';
}
