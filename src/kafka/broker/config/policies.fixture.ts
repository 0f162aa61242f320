import type { ConfigChangeFacts, NewTopicFacts } from './policies.ts';

class PolicyViolationException extends Error {
  override readonly name = 'PolicyViolationException';
}

/** A class: constructed once, configured, asked, closed. */
// biome-ignore lint/style/noDefaultExport: what a policy's path alone means is the default export
export default class Topics {
  #partitionsMax = 0;

  configure(configs: ReadonlyMap<string, string>): void {
    this.#partitionsMax = configs.has('zookeeper.connect') ? 3 : 0;
  }

  validate({ topic, numPartitions, replicasAssignments, configs }: NewTopicFacts): void {
    if (topic === 'mistake') throw new TypeError('a mistake of the policy');
    if (replicasAssignments !== null) {
      const text = JSON.stringify(Object.fromEntries(replicasAssignments));
      throw new PolicyViolationException(`no replicas by hand: ${text}`);
    }
    if (configs.get('retention.ms') === '-1') throw new PolicyViolationException('nothing is kept for ever');
    if ((numPartitions ?? 0) > this.#partitionsMax) {
      throw new PolicyViolationException(`${numPartitions} partitions of ${topic} are too many`);
    }
  }
}

/** A function. */
export function frozen({ resource, configs }: ConfigChangeFacts): void {
  for (const [name, value] of configs) {
    if (name.endsWith('retention.ms')) {
      throw new PolicyViolationException(`${name}=${value} of ${resource.type} ${resource.name}`);
    }
  }
}

export const notAPolicy = { judge: () => undefined };
