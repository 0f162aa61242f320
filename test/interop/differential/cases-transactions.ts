/** Requests to the coordinator of transactions that need no history: no id here has ever had a producer, but one. */
import type { Case } from './cases.ts';

const NOBODY = { producerId: -1, producerEpoch: -1 };
const STRANGER = { producerId: 123_456, producerEpoch: 0 };

const init = (version: number, transactionalId: string, as = NOBODY): object => ({
  transactionalId,
  transactionTimeoutMs: 60_000,
  ...(version >= 3 ? as : {}),
});

const add = (version: number, transactionalId: string, name: string, verifyOnly = false): object => {
  const topics = [{ name, partitions: [0, 1] }];
  if (version >= 4) return { transactions: [{ transactionalId, ...STRANGER, verifyOnly, topics }] };
  return {
    v3AndBelowTransactionalId: transactionalId,
    v3AndBelowProducerId: STRANGER.producerId,
    v3AndBelowProducerEpoch: STRANGER.producerEpoch,
    v3AndBelowTopics: topics,
  };
};

export const transactionCases: readonly Case[] = [
  {
    apiKey: 10,
    name: 'of a transactional id',
    request: (version) =>
      version >= 4 ? { keyType: 1, coordinatorKeys: ['id', ''] } : { key: 'id', keyType: version === 0 ? 0 : 1 },
  },
  { apiKey: 22, name: 'with a transactional id', request: (version) => init(version, `id-${version}`) },
  { apiKey: 22, name: 'with the empty transactional id', request: (version) => init(version, '') },
  {
    apiKey: 22,
    name: 'with half an identity',
    request: (version) => init(version, 'half', { producerId: 5, producerEpoch: -1 }),
    // Before v3 there is no identity, and the next epoch of the id depends on how often this was asked.
    except: [0, 1, 2],
  },
  {
    apiKey: 22,
    name: 'with an impossible time-out',
    request: (version) => ({ ...init(version, 'id'), transactionTimeoutMs: 900_001 }),
  },
  { apiKey: 24, name: 'of an unknown id', request: (version) => add(version, 'unknown', 'diff') },
  { apiKey: 24, name: 'with a topic that is not there', request: (version) => add(version, 'unknown', 'missing') },
  { apiKey: 24, name: 'with the empty id', request: (version) => add(version, '', 'diff') },
  { apiKey: 24, name: 'only verified', request: (version) => add(version, 'unknown', 'diff', version >= 4) },
  {
    apiKey: 25,
    name: 'of an unknown id',
    request: () => ({ transactionalId: 'unknown', ...STRANGER, groupId: 'group' }),
  },
  { apiKey: 25, name: 'with the empty id', request: () => ({ transactionalId: '', ...STRANGER, groupId: '' }) },
  {
    apiKey: 26,
    name: 'of an unknown id',
    request: () => ({ transactionalId: 'unknown', ...STRANGER, committed: true }),
  },
  { apiKey: 26, name: 'with the empty id', request: () => ({ transactionalId: '', ...STRANGER, committed: false }) },
  { apiKey: 65, name: 'of ids that are not there', request: () => ({ transactionalIds: ['unknown', '', 'other'] }) },
  {
    apiKey: 66,
    name: 'in states that exist and do not',
    request: () => ({ stateFilters: ['Ongoing', 'Nonsense'], producerIdFilters: [] }),
  },
  {
    apiKey: 66,
    name: 'of a producer that is not there',
    request: () => ({ stateFilters: [], producerIdFilters: [STRANGER.producerId] }),
  },
];
