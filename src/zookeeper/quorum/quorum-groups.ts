import { longMapOrder } from '../../base/java-order.ts';
import { ConfigError, IllegalValueError } from '../../config/config-error.ts';
import type { ServerSpec } from '../../config/server-spec.ts';
import type { Groups, ServerId } from './quorum-verifier.ts';

/**
 * `group.G=1:2:3` and `weight.N=W`: every participant stands in exactly one group (QuorumHierarchical). Everything comes in the
 * order in which Apache prints it.
 *
 * @param order of the keys as Java's table has them
 * @throws ConfigError
 */
export function parseGroups(
  servers: ReadonlyMap<ServerId, ServerSpec>,
  lines: ReadonlyMap<string, string>,
  order: readonly string[],
): Groups {
  const inOrder = order.flatMap((key) => {
    const value = lines.get(key);
    return value === undefined ? [] : [{ key, value, id: Number(key.slice(key.indexOf('.') + 1)) }];
  });
  const groupOf = new Map<ServerId, number>();
  const weights = new Map<ServerId, number>();
  for (const { key, value, id } of inOrder) {
    if (key.startsWith('weight')) weights.set(id, numberOf(key, value, value));
    else for (const member of value.split(':')) joinGroup(groupOf, numberOf(key, value, member), { key, value, id });
  }
  for (const [id, { role }] of servers) {
    if (role !== 'participant') continue;
    if (!groupOf.has(id))
      throw new ConfigError(`server.${id}`, 'participant', 'it is not in a group: name it in group.N');
    if (!weights.has(id)) weights.set(id, 1);
  }
  refuseWeightless(groupOf, weights);
  return { members: membersByGroup(groupOf), weights: sortedBy(weights) };
}

function joinGroup(
  groupOf: Map<ServerId, number>,
  server: ServerId,
  { key, value, id }: { readonly key: string; readonly value: string; readonly id: number },
): void {
  if (groupOf.has(server)) throw new ConfigError(key, value, `server ${server} is in several groups`);
  groupOf.set(server, id);
}

/** Apache dies of it: an observer has no weight of its own, a stranger none at all. */
function refuseWeightless(groupOf: ReadonlyMap<ServerId, number>, weights: ReadonlyMap<ServerId, number>): void {
  for (const [server, group] of groupOf) {
    if (weights.has(server)) continue;
    throw new IllegalValueError(
      `group.${group}`,
      String(server),
      'only participants, or servers with a weight, stand in a group',
    );
  }
}

function membersByGroup(groupOf: ReadonlyMap<ServerId, number>): Map<number, ServerId[]> {
  const members = new Map<number, ServerId[]>();
  for (const server of longMapOrder(groupOf.keys())) {
    const group = groupOf.get(server) ?? 0;
    members.set(group, [...(members.get(group) ?? []), server]);
  }
  return sortedBy(members);
}

function sortedBy<T>(map: ReadonlyMap<number, T>): Map<number, T> {
  return new Map(longMapOrder(map.keys()).map((key) => [key, map.get(key) as T]));
}

function numberOf(key: string, value: string, digits: string): number {
  if (/^\d{1,15}$/.test(digits)) return Number(digits);
  throw new IllegalValueError(key, value, `${digits} is no number`);
}
