import { until } from '../peers/process.ts';
import { type Answer, ask } from './raw-client.ts';

/** Until a broker that has just started coordinates groups: their topic is there, and loaded. */
export async function groupsReady(port: number): Promise<void> {
  await until('the coordinator of groups', async () => {
    const { errorCode } = (await ask(port, 10, 1, { key: 'any', keyType: 0 })) as Answer;
    const listed = (await ask(port, 16, 0, {})) as Answer;
    return errorCode === 0 && listed.errorCode === 0 ? true : undefined;
  });
}

/** Topics of one replica, by their numbers of partitions; then as `groupsReady`. */
export async function topicsAndGroupsReady(port: number, partitions: Readonly<Record<string, number>>): Promise<void> {
  const topics = Object.entries(partitions).map(([name, numPartitions]) => ({
    name,
    numPartitions,
    replicationFactor: 1,
    assignments: [],
    configs: [],
  }));
  await ask(port, 19, 7, { topics, timeoutMs: 60_000 });
  await groupsReady(port);
}
