import type { Log } from '../../runtime/log.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import {
  type AlterConfigPolicy,
  type ConfigChangeFacts,
  type CreateTopicPolicy,
  loadPolicy,
  type NewTopicFacts,
} from './config/policies.ts';

/** What an operator has programmed, for all that clients ask of one broker. */
export interface Policies {
  readonly createTopic: CreateTopicPolicy | undefined;
  readonly alterConfig: AlterConfigPolicy | undefined;
}

export async function loadPolicies(config: KafkaConfig): Promise<Policies> {
  return {
    createTopic: await loadPolicy<NewTopicFacts>(config, 'create.topic.policy.class.name'),
    alterConfig: await loadPolicy<ConfigChangeFacts>(config, 'alter.config.policy.class.name'),
  };
}

/** What a policy throws at its end is nobody's loss. */
export async function closePolicies(policies: Policies | undefined, log: Log): Promise<void> {
  for (const policy of [policies?.createTopic, policies?.alterConfig]) {
    await policy?.close().catch((error: unknown) => log.warn('a policy did not close', { error }));
  }
}
