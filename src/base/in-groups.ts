/**
 * What `act` answers for each item, in their order, with one group under way at a time: of thousands at once every promise and
 * request would live until the last is answered.
 */
export async function inGroups<T, R>(
  items: readonly T[],
  groupSize: number,
  act: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += groupSize) {
    results.push(...(await Promise.all(items.slice(start, start + groupSize).map(act))));
  }
  return results;
}
