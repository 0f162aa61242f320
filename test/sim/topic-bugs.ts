import type { PlantedBug } from './bugs.ts';

/** What the administrator of the Kafka world must find. */
export const topicBugs: readonly PlantedBug[] = [
  {
    name: 'a topic is forgotten, and its log stays',
    world: 'kafka',
    file: 'src/kafka/replication/replica-manager.ts',
    find: 'if (deletePartition) await this.#options.logs.delete({ topic, partition: index });',
    replace: 'void deletePartition;',
    seed: 220_001,
    symptom: /of another life|not done within|not true within/,
  },
  {
    name: 'a controller that begins does not go on with deletions',
    world: 'kafka',
    file: 'src/kafka/controller/controller.ts',
    find: '    await this.#delete(reign, toDelete);',
    replace: '    void toDelete;',
    seed: 220_024,
    symptom: /not done within|not true within/,
  },
];
