import { canonicalText } from '../../../config/canonical-text.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { ConfigStore } from './config-store.ts';
import {
  brokerChain,
  ConfigSource,
  type Described,
  type DescribeOptions,
  describe,
  wanted,
} from './describe-config.ts';
import { textWithout } from './group-configs.ts';
import { type GroupKey, groupKeys } from './group-keys.ts';

/** Whether there is such a group, or ever was, is not asked. @throws KafkaError INVALID_REQUEST */
export function requireGroupName(group: string): void {
  if (group === '') throw new KafkaError(ErrorCode.INVALID_REQUEST, 'Group name must not be empty');
}

/** Every key of a group with its value, and what stands behind it (`ConfigHelper.createGroupConfigEntry`). */
export function describeGroupValues(
  store: ConfigStore,
  own: ReadonlyMap<string, string>,
  options: DescribeOptions,
): Described[] {
  return [...groupKeys.values()].flatMap((key) => {
    if (!wanted(options, key.name) || isHidden(store, own, key)) return [];
    const { name, type, description: documentation } = key;
    const text = own.get(name);
    const value = canonicalText(type, text ?? textWithout(store.staticConfig, key));
    const inherited = inheritedBy(store, key);
    const chain = text === undefined ? inherited : [{ name, value, source: ConfigSource.group }, ...inherited];
    return [describe({ name, value, chain, facts: { type, documentation, readOnly: false }, options })];
  });
}

function isHidden(
  store: ConfigStore,
  own: ReadonlyMap<string, string>,
  { name, otherwise, isInternal }: GroupKey,
): boolean {
  if (isInternal !== true || own.has(name)) return false;
  return 'text' in otherwise || !store.staticConfig.given.has(otherwise.brokerKey);
}

function inheritedBy(store: ConfigStore, { name, otherwise }: GroupKey): Described['synonyms'] {
  if ('text' in otherwise) return [{ name, value: otherwise.text, source: ConfigSource.default }];
  return brokerChain(store, otherwise.brokerKey);
}
