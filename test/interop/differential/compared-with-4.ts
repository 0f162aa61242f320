import { newestCases } from './cases-newest.ts';

/** Versions that Apache 3.9.1 does not serve and whose answers are compared with those of Apache 4.4.0; evidence for COMPATIBILITY.md. */
export const comparedWith4: readonly {
  readonly apiKey: number;
  readonly name: string;
  readonly versions: readonly number[];
}[] = [
  ...newestCases.map(({ apiKey, name, versions }) => ({ apiKey, name: `${name}, Apache 4.4.0`, versions })),
  { apiKey: 8, name: 'lives of groups, Apache 4.4.0', versions: [10] },
  { apiKey: 9, name: 'lives of groups, Apache 4.4.0', versions: [10] },
  { apiKey: 15, name: 'lives of groups, Apache 4.4.0', versions: [6] },
  { apiKey: 42, name: 'lives of groups, Apache 4.4.0', versions: [3] },
  { apiKey: 68, name: 'lives of groups, Apache 4.4.0', versions: [0, 1] },
  { apiKey: 69, name: 'lives of groups, Apache 4.4.0', versions: [0, 1] },
  { apiKey: 71, name: 'metrics of clients, Apache 4.4.0', versions: [0] },
  { apiKey: 72, name: 'metrics of clients, Apache 4.4.0', versions: [0] },
  { apiKey: 74, name: 'stories of share groups, Apache 4.4.0', versions: [1] },
  { apiKey: 76, name: 'stories of share groups, Apache 4.4.0', versions: [1] },
  { apiKey: 77, name: 'stories of share groups, Apache 4.4.0', versions: [1] },
  { apiKey: 78, name: 'stories of share groups, Apache 4.4.0', versions: [1, 2] },
  { apiKey: 79, name: 'stories of share groups, Apache 4.4.0', versions: [1, 2] },
  { apiKey: 83, name: 'stories of share groups, Apache 4.4.0', versions: [0] },
  { apiKey: 84, name: 'stories of share groups, Apache 4.4.0', versions: [0] },
  { apiKey: 85, name: 'stories of share groups, Apache 4.4.0', versions: [0, 1] },
  { apiKey: 86, name: 'stories of share groups, Apache 4.4.0', versions: [0] },
  { apiKey: 87, name: 'stories of share groups, Apache 4.4.0', versions: [0, 1] },
  { apiKey: 88, name: 'lives of streams groups, Apache 4.4.0', versions: [0, 1] },
  { apiKey: 89, name: 'lives of streams groups, Apache 4.4.0', versions: [0, 1] },
  { apiKey: 90, name: 'stories of share groups, Apache 4.4.0', versions: [0, 1] },
  { apiKey: 91, name: 'stories of share groups, Apache 4.4.0', versions: [0] },
  { apiKey: 92, name: 'stories of share groups, Apache 4.4.0', versions: [0] },
  { apiKey: 93, name: 'lives of streams groups, Apache 4.4.0', versions: [0] },
];
