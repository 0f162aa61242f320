import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { KafkaZk } from '../../zk/kafka-zk.ts';
import { AlterOperation, type ConfigChange, type Wish } from './config-change.ts';
import type { GroupConfigs } from './group-configs.ts';
import type { AlterConfigPolicy } from './policies.ts';

export interface GroupConfigAdminOptions {
  readonly zk: KafkaZk;
  readonly groups: GroupConfigs;
  /** `alter.config.policy.class.name`; undefined where none is configured. */
  readonly policy: AlterConfigPolicy | undefined;
}

/**
 * Changes what is configured for groups: checks it as a controller of 4.4 does (`ControllerConfigurationValidator`), keeps it under
 * /config/groups as other entities are kept, and tells every broker. Apache's brokers have it in KRaft alone.
 */
export class GroupConfigAdmin {
  readonly #options: GroupConfigAdminOptions;

  constructor(options: GroupConfigAdminOptions) {
    this.#options = options;
  }

  /** What a group has once the named keys are changed. @throws KafkaError */
  async changed(group: string, changes: readonly ConfigChange[]): Promise<Map<string, string>> {
    const next = group === '' ? new Map<string, string>() : await this.#options.zk.groupConfig(group);
    for (const change of changes) apply(change, next);
    return next;
  }

  /** @throws KafkaError where this may not be */
  async write(group: string, { next, named, validateOnly }: Wish): Promise<void> {
    const { zk, groups, policy } = this.#options;
    if (group === '') throw new KafkaError(ErrorCode.INVALID_REQUEST, 'Default group resources are not allowed.');
    groups.validate(next);
    await policy?.validate({ resource: { type: 'GROUP', name: group }, configs: named });
    if (!validateOnly) await zk.setGroupConfig(group, next);
  }
}

/** To a controller of 4.4 no key of groups is a list, whatever its type. */
function apply({ name, operation, value }: ConfigChange, values: Map<string, string>): void {
  switch (operation) {
    case AlterOperation.set:
      values.set(name, value ?? '');
      return;
    case AlterOperation.delete:
      values.delete(name);
      return;
    case AlterOperation.append:
    case AlterOperation.subtract: {
      const verb = operation === AlterOperation.append ? 'APPEND' : 'SUBTRACT';
      const text = `Can't ${verb} to key ${name} because its type is not LIST.`;
      throw new KafkaError(ErrorCode.INVALID_CONFIG, text);
    }
    default:
      // Apache does not foresee it.
      throw new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, '');
  }
}
