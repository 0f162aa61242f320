/** DescribeClientQuotas and AlterClientQuotas. Cases run in this order: some describe what others before them set. */
import type { Case } from './cases.ts';

type Entity = readonly (readonly [type: string, name: string | null])[];
type Op = readonly [key: string, value: number | null];

const entry = (entity: Entity, ...ops: readonly Op[]): object => ({
  entity: entity.map(([entityType, entityName]) => ({ entityType, entityName })),
  ops: ops.map(([key, value]) => ({ key, value: value ?? 0, remove: value === null })),
});

const alter = (name: string, entries: readonly object[], validateOnly = false): Case => ({
  apiKey: 49,
  name,
  request: () => ({ entries, validateOnly }),
});

const EXACT = 0;
const DEFAULT = 1;
const ANY = 2;

type Component = readonly [type: string, match: number, name?: string];

const describe = (name: string, components: readonly Component[], strict = false): Case => ({
  apiKey: 48,
  name,
  request: () => ({
    components: components.map(([entityType, matchType, match]) => ({ entityType, matchType, match: match ?? null })),
    strict,
  }),
});

const bytes: Op = ['producer_byte_rate', 1_000_000];

export const quotaCases: readonly Case[] = [
  alter('of every kind of entity', [
    entry([['user', 'quota-user']], bytes, ['request_percentage', 50.5]),
    entry([['user', null]], ['consumer_byte_rate', 2_000_000]),
    entry([['client-id', 'quota client*1+~é']], ['controller_mutation_rate', 1e7]),
    entry([['client-id', null]], ['request_percentage', 12_345_678.25]),
    entry(
      [
        ['user', 'quota-user'],
        ['client-id', 'c'],
      ],
      bytes,
    ),
    entry(
      [
        ['client-id', null],
        ['user', 'quota-user'],
      ],
      bytes,
    ),
    entry(
      [
        ['user', null],
        ['client-id', null],
      ],
      bytes,
    ),
    entry([['ip', '127.0.0.7']], ['connection_creation_rate', 77]),
    entry([['ip', null]], ['connection_creation_rate', 1_000_000]),
  ]),
  alter('that cannot be', [
    entry([], bytes),
    entry([['user', '']], bytes),
    entry([['topic', 'diff']], bytes),
    entry(
      [
        ['user', 'a'],
        ['ip', '127.0.0.1'],
      ],
      bytes,
    ),
    entry([['ip', '::1']], ['connection_creation_rate', 1]),
    entry([['ip', 'no host']], ['connection_creation_rate', 1]),
    entry([['user', 'b']], ['no_such_key', 1]),
    entry([['user', 'c']], ['connection_creation_rate', 1]),
    entry([['ip', '127.0.0.8']], bytes),
    entry([['ip', '127.0.0.8']], ['connection_creation_rate', 1.5]),
    entry([['user', 'd']], ['producer_byte_rate', 1.5]),
    entry([['user', 'e']], ['producer_byte_rate', 1e30]),
    entry([['user', 'f']], ['SCRAM-SHA-256', 1]),
    entry([['ip', '127.0.0.10']], ['connection_creation_rate', -3]),
    entry([['client-id', 'g']], ['SCRAM-SHA-256', 1]),
  ]),
  alter(
    'only validated',
    [
      entry([['user', 'never']], bytes),
      entry([['user', 'never2']], ['producer_byte_rate', 0.5]),
      entry([['ip', '127.0.0.11']], ['connection_creation_rate', -3]),
    ],
    true,
  ),
  alter('odd numbers', [
    entry([['client-id', 'odd1']], ['producer_byte_rate', 2 ** 62], ['request_percentage', 0.0005]),
    entry([['client-id', 'odd2']], ['producer_byte_rate', 9.000_000_1], ['consumer_byte_rate', -5]),
    entry([['client-id', 'odd3']], ['producer_byte_rate', Number.NaN], ['request_percentage', Infinity]),
    entry([['client-id', 'odd4']], ['producer_byte_rate', Infinity]),
  ]),
  alter('twice in one request, and removed', [
    entry([['user', 'twice']], bytes),
    entry([['user', 'twice']], ['producer_byte_rate', null], ['no_such_key', null]),
    entry([['user', 'quota-user']], ['request_percentage', null]),
  ]),
  describe('all', []),
  describe('strictly nothing', [], true),
  describe('of a user', [['user', EXACT, 'quota-user']]),
  describe('of a user alone', [['user', EXACT, 'quota-user']], true),
  describe('of the default user', [['user', DEFAULT]]),
  describe('of all users alone', [['user', ANY]], true),
  describe('of a client', [['client-id', EXACT, 'quota client*1+~é']]),
  describe('of a client alone', [['client-id', EXACT, 'c']], true),
  describe('of all clients', [['client-id', ANY]]),
  describe('of both', [
    ['user', EXACT, 'quota-user'],
    ['client-id', EXACT, 'c'],
  ]),
  describe(
    'of a user and any client',
    [
      ['user', EXACT, 'quota-user'],
      ['client-id', ANY],
    ],
    true,
  ),
  describe('of any user and a default client', [
    ['user', ANY],
    ['client-id', DEFAULT],
  ]),
  describe('of an address', [['ip', EXACT, '127.0.0.7']]),
  describe('of the default address', [['ip', DEFAULT]], true),
  describe('of all addresses', [['ip', ANY]]),
  describe('of nobody', [['user', EXACT, 'nobody']]),
  describe('of a topic', [['topic', EXACT, 'diff']]),
  describe('of no type', [['', ANY]]),
  describe('of users twice', [
    ['user', ANY],
    ['user', DEFAULT],
  ]),
  describe('of users and addresses', [
    ['user', ANY],
    ['ip', ANY],
  ]),
  describe('exactly null', [['user', EXACT]]),
  describe('by an unknown match', [['user', 9]]),
  alter('all removed again', [
    entry([['user', null]], ['consumer_byte_rate', null]),
    entry([['client-id', null]], ['request_percentage', null]),
    entry(
      [
        ['user', null],
        ['client-id', null],
      ],
      ['producer_byte_rate', null],
    ),
    entry(
      [
        ['user', 'quota-user'],
        ['client-id', 'c'],
      ],
      ['producer_byte_rate', null],
    ),
    entry(
      [
        ['user', 'quota-user'],
        ['client-id', null],
      ],
      ['producer_byte_rate', null],
    ),
    entry([['user', 'quota-user']], ['producer_byte_rate', null]),
    entry([['ip', '127.0.0.7']], ['connection_creation_rate', null]),
    entry([['ip', null]], ['connection_creation_rate', null]),
  ]),
  describe('what is left', []),
];
