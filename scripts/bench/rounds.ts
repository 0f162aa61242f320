/** Both sides in turns. */
import { median } from './table.ts';

/** Who goes first alternates too. `then` comes after both, in each round. */
export async function alternate<T>(
  rounds: number,
  ours: (round: number) => Promise<T>,
  apache: (round: number) => Promise<T>,
  then?: () => Promise<void>,
): Promise<{ ours: T[]; apache: T[] }> {
  const results: { ours: T[]; apache: T[] } = { ours: [], apache: [] };
  for (let round = 0; round < rounds; round += 1) {
    if (round % 2 === 0) results.ours.push(await ours(round));
    results.apache.push(await apache(round));
    if (round % 2 === 1) results.ours.push(await ours(round));
    await then?.();
  }
  return results;
}

export const medianOf = <T>(results: readonly T[], figure: (result: T) => number): number =>
  median(results.map(figure));
