/** Whether every row of every table is run (`npm run test:interop:full`), or those that tell most. */
const isFull = process.env.INTEROP_BREADTH === 'full';

/** All rows, or those that `tells` picks. docs/TESTING.md says what is left to the full run. */
export function chosen<T>(rows: readonly T[], tells: (row: T) => boolean): readonly T[] {
  return isFull ? rows : rows.filter(tells);
}
