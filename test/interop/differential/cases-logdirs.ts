/** Log dirs: what can be asked without knowing where they are. The rest is compared in log-dirs.test.ts. */
import type { Case } from './cases.ts';

export const logDirCases: readonly Case[] = [
  {
    apiKey: 34,
    name: 'a log dir that is none',
    request: () => ({ dirs: [{ path: '/no/such/dir', topics: [{ name: 'diff', partitions: [0, 9] }] }] }),
  },
  {
    apiKey: 35,
    name: 'of a topic',
    request: () => ({ topics: [{ topic: 'diff2', partitions: [0, 9] }] }),
  },
  { apiKey: 35, name: 'of no topic', request: () => ({ topics: [] }) },
];
