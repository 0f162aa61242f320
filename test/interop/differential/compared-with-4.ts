/** Versions that Apache 3.9.1 does not serve and whose answers are compared with those of Apache 4.4.0; evidence for COMPATIBILITY.md. */
export const comparedWith4: readonly {
  readonly apiKey: number;
  readonly name: string;
  readonly versions: readonly number[];
}[] = [
  { apiKey: 8, name: 'lives of groups, Apache 4.4.0', versions: [10] },
  { apiKey: 9, name: 'lives of groups, Apache 4.4.0', versions: [10] },
  { apiKey: 15, name: 'lives of groups, Apache 4.4.0', versions: [6] },
  { apiKey: 42, name: 'lives of groups, Apache 4.4.0', versions: [3] },
  { apiKey: 68, name: 'lives of groups, Apache 4.4.0', versions: [0, 1] },
  { apiKey: 69, name: 'lives of groups, Apache 4.4.0', versions: [0, 1] },
];
