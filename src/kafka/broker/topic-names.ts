import { ErrorCode, KafkaError } from '../protocol/errors.ts';

export const OFFSETS_TOPIC = '__consumer_offsets';
export const TRANSACTIONS_TOPIC = '__transaction_state';
export const SHARE_STATE_TOPIC = '__share_group_state';
/** KRaft's log of the cluster: a topic that nobody may create. */
export const CLUSTER_METADATA_TOPIC = '__cluster_metadata';

/** Topics that brokers write for themselves (`org.apache.kafka.common.internals.Topic`). */
export function isInternal(topic: string): boolean {
  return topic === OFFSETS_TOPIC || topic === TRANSACTIONS_TOPIC || topic === SHARE_STATE_TOPIC;
}

const LENGTH_MAX = 249;

/**
 * What makes a name illegal, in Apache's words; undefined for a legal one.
 * (The text after `Topic name is invalid: `.)
 */
export function illegalTopicName(name: string): string | undefined {
  if (name === '') return 'the empty string is not allowed';
  if (name === '.' || name === '..') return `'${name}' is not allowed`;
  if (name.length > LENGTH_MAX) {
    return `the length of '${name}' is longer than the max allowed length ${LENGTH_MAX}`;
  }
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
    return `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`;
  }
  return undefined;
}

/** @throws KafkaError INVALID_TOPIC_EXCEPTION */
export function requireLegalTopicName(name: string): void {
  const reason = illegalTopicName(name);
  if (reason !== undefined) throw new KafkaError(ErrorCode.INVALID_TOPIC_EXCEPTION, `Topic name is invalid: ${reason}`);
}

/** Metric names turn periods into underscores: two topics that differ only there collide. */
export function collides(name: string, other: string): boolean {
  return name !== other && name.replaceAll('.', '_') === other.replaceAll('.', '_');
}
