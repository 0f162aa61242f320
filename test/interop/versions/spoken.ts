/**
 * Who spoke which version of which request to our broker and got an answer without error. `kafka-versions.test.ts` holds every
 * walk to its list; the table in docs/COMPATIBILITY.md is made from them. What depends on the moment (heartbeats) is left out.
 */
export interface Spoken {
  readonly by: string;
  /** By API key. */
  readonly versions: Readonly<Record<number, number>>;
}

export const apacheDay: Spoken = {
  by: 'Apache 4.4.0',
  versions: {
    0: 13,
    1: 18,
    2: 11,
    3: 13,
    8: 9,
    9: 9,
    10: 6,
    11: 9,
    13: 5,
    14: 5,
    15: 6,
    16: 5,
    18: 4,
    19: 7,
    20: 6,
    22: 5,
    32: 4,
    37: 3,
    42: 3,
    44: 1,
    47: 0,
    60: 2,
    71: 0,
    74: 1,
    75: 0,
  },
};

export const apacheByTopicId: Spoken = {
  by: 'Apache 4.4.0, consumer of KIP-848',
  versions: { 1: 18, 2: 11, 3: 13, 8: 10, 9: 10, 10: 6 },
};

/** What a broker seems to speak at most in the walk below. */
export const olderBroker: ReadonlyMap<number, number> = new Map([
  [0, 12],
  [2, 10],
  [18, 1],
]);

export const apacheWithOlderBroker: Spoken = {
  by: 'Apache 4.4.0, told of an older broker',
  versions: Object.fromEntries(olderBroker),
};

export const otherMakers: readonly Spoken[] = [
  {
    by: 'kafka-python',
    versions: { 0: 9, 1: 12, 2: 11, 3: 13, 8: 8, 9: 8, 10: 6, 11: 7, 13: 5, 14: 5, 18: 4, 22: 4 },
  },
  {
    by: 'confluent-kafka',
    versions: { 0: 10, 1: 16, 2: 7, 3: 13, 8: 9, 9: 9, 10: 2, 11: 5, 13: 1, 14: 3, 18: 3, 22: 4 },
  },
  {
    by: 'aiokafka',
    versions: { 0: 7, 1: 11, 2: 3, 3: 5, 8: 3, 9: 3, 10: 1, 11: 5, 13: 1, 14: 3, 18: 0 },
  },
  {
    by: 'kafkajs',
    versions: { 0: 7, 1: 11, 2: 3, 3: 6, 8: 5, 9: 4, 10: 2, 11: 5, 13: 3, 14: 3, 18: 2, 19: 3, 22: 1 },
  },
  {
    by: '@platformatic/kafka',
    versions: { 0: 11, 1: 17, 2: 9, 3: 12, 8: 9, 10: 6, 11: 9, 13: 5, 14: 5, 18: 3 },
  },
];

export const spoken: readonly Spoken[] = [apacheDay, apacheByTopicId, apacheWithOlderBroker, ...otherMakers];
