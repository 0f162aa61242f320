import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../../protocol/errors.ts';
import type { CreateDelegationTokenResponse } from '../../protocol/messages/38-create-delegation-token.ts';
import type { RenewDelegationTokenResponse } from '../../protocol/messages/39-renew-delegation-token.ts';
import type { DescribeDelegationTokenResponse } from '../../protocol/messages/41-describe-delegation-token.ts';
import { type Authorizer, everythingAllowed } from '../../security/authorizer.ts';
import type { ApiHandler, RequestContext } from '../api-handler.ts';
import { TokenWorld } from '../testkit/token-world.ts';
import type { TokenBroker } from '../token-requests.ts';
import { createDelegationTokenHandler } from './38-create-delegation-token.ts';
import { renewDelegationTokenHandler } from './39-renew-delegation-token.ts';
import { expireDelegationTokenHandler } from './40-expire-delegation-token.ts';
import { describeDelegationTokenHandler } from './41-describe-delegation-token.ts';

const endpoint = { host: '', port: 0 } as const;
const listeners = [
  { listenerName: 'OPEN', securityProtocol: 'PLAINTEXT', ...endpoint },
  { listenerName: 'TLS', securityProtocol: 'SSL', ...endpoint },
  { listenerName: 'CLIENTS', securityProtocol: 'SASL_PLAINTEXT', ...endpoint },
  { listenerName: 'OUTSIDE', securityProtocol: 'SASL_SSL', ...endpoint },
] as const;

interface Asker {
  readonly principal?: string;
  readonly listenerName?: string;
  readonly isTokenAuthenticated?: boolean;
  readonly apiVersion?: number;
}

class Broker {
  readonly world: TokenWorld;
  readonly #broker: TokenBroker;
  /** What the authorizer was asked. */
  readonly asked: string[] = [];

  constructor(world: TokenWorld, allowed?: (right: string) => boolean) {
    this.world = world;
    const authorizer: Authorizer = {
      isAllowed: (requester, operation, resourceType, name) => {
        const right = `${requester.principal}: ${operation} ${resourceType} ${name}`;
        this.asked.push(right);
        return allowed === undefined || allowed(right);
      },
      isAllowedSomewhere: everythingAllowed.isAllowedSomewhere,
    };
    this.#broker = { tokens: world.one.tokens, authorizer, config: { listeners: [...listeners] } };
  }

  create(asker: Asker, fields: object = {}): Promise<CreateDelegationTokenResponse> {
    const request = { ownerPrincipalType: null, ownerPrincipalName: null, renewers: [], maxLifetimeMs: -1, ...fields };
    return this.#ask(createDelegationTokenHandler(this.#broker), request, asker);
  }

  renew(asker: Asker, hmac: Uint8Array, renewPeriodMs: number): Promise<RenewDelegationTokenResponse> {
    return this.#ask(renewDelegationTokenHandler(this.#broker), { hmac, renewPeriodMs }, asker);
  }

  expire(asker: Asker, hmac: Uint8Array, expiryTimePeriodMs: number): Promise<RenewDelegationTokenResponse> {
    return this.#ask(expireDelegationTokenHandler(this.#broker), { hmac, expiryTimePeriodMs }, asker);
  }

  async describe(asker: Asker, owners: string[] | null): Promise<DescribeDelegationTokenResponse> {
    const wanted = owners?.map((principalName) => ({ principalType: 'User', principalName })) ?? null;
    return this.#ask(describeDelegationTokenHandler(this.#broker), { owners: wanted }, asker);
  }

  #ask<T>(handler: ApiHandler, request: object, asker: Asker): Promise<T> {
    const context = { principal: 'ann', listenerName: 'CLIENTS', apiVersion: handler.lastVersion, ...asker };
    return this.world.run(
      new Promise<T>((resolve, reject) => {
        handler.handle(request, context as RequestContext, {
          answer: (response) => resolve(response as T),
          none: () => reject(new Error('no answer')),
          close: (reason) => reject(new Error(reason)),
        });
      }),
    );
  }
}

const start = async (allowed?: (right: string) => boolean): Promise<Broker> =>
  new Broker(await new TokenWorld().start(), allowed);
const names = ({ tokens }: DescribeDelegationTokenResponse): string[] =>
  tokens.map(({ principalName }) => principalName);

const NOT_ALLOWED = ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED;
const askers: readonly { name: string; asker: Asker; want: number }[] = [
  { name: 'who authenticated', asker: { listenerName: 'CLIENTS' }, want: ErrorCode.NONE },
  { name: 'who authenticated within TLS', asker: { listenerName: 'OUTSIDE' }, want: ErrorCode.NONE },
  { name: 'who has a certificate', asker: { listenerName: 'TLS', principal: 'CN=ann' }, want: ErrorCode.NONE },
  { name: 'who has no certificate', asker: { listenerName: 'TLS', principal: 'ANONYMOUS' }, want: NOT_ALLOWED },
  { name: 'without any security', asker: { listenerName: 'OPEN' }, want: NOT_ALLOWED },
  { name: 'who has a token already', asker: { isTokenAuthenticated: true }, want: NOT_ALLOWED },
  { name: 'of a listener that is gone', asker: { listenerName: 'GONE' }, want: NOT_ALLOWED },
];
for (const { name, asker, want } of askers) {
  test(`a client ${name} may ${want === ErrorCode.NONE ? '' : 'not '}ask for tokens`, async () => {
    const broker = await start();
    const secret = (await broker.create({ principal: asker.principal ?? 'ann' })).hmac;
    const asks = [
      await broker.create(asker),
      await broker.describe(asker, null),
      await broker.renew(asker, secret, 60_000),
      await broker.expire(asker, secret, 60_000),
    ];
    assert.deepEqual(
      asks.map(({ errorCode }) => errorCode),
      [want, want, want, want],
    );
  });
}

test('a refusal names the owner that was asked for, and the requester from version 3 on', async () => {
  const broker = await start();
  const fields = { ownerPrincipalType: 'User', ownerPrincipalName: 'bob' };
  const told = await broker.create({ listenerName: 'OPEN' }, fields);
  assert.deepEqual(
    [
      told.principalName,
      told.tokenRequesterPrincipalName,
      told.issueTimestampMs,
      told.expiryTimestampMs,
      told.maxTimestampMs,
    ],
    ['bob', 'ann', -1, -1, -1],
  );
  assert.equal((await broker.create({ listenerName: 'OPEN', apiVersion: 2 })).tokenRequesterPrincipalName, '');
});

test('for another only who may have tokens for them, and that is asked before all else', async () => {
  const broker = await start((right) => right === 'ann: 13 7 User:bob');
  const forWhom = (name: string) => ({ ownerPrincipalType: 'User', ownerPrincipalName: name });
  const made = await broker.create({}, forWhom('bob'));
  assert.equal(made.errorCode, ErrorCode.NONE);
  assert.deepEqual([made.principalName, made.tokenRequesterPrincipalName], ['bob', 'ann']);
  const group = { renewers: [{ principalType: 'Group', principalName: 'g' }] };
  const refused = await broker.create({}, { ...forWhom('eve'), ...group });
  assert.equal(refused.errorCode, ErrorCode.DELEGATION_TOKEN_AUTHORIZATION_FAILED);
  broker.asked.length = 0;
  assert.equal((await broker.create({}, forWhom('ann'))).errorCode, ErrorCode.NONE);
  assert.deepEqual(broker.asked, []);
  assert.equal((await broker.create({}, group)).errorCode, ErrorCode.INVALID_PRINCIPAL_TYPE);
});

test('an owner without a type is an error without names', async () => {
  const broker = await start();
  const told = await broker.create({}, { ownerPrincipalType: null, ownerPrincipalName: 'bob' });
  assert.equal(told.errorCode, ErrorCode.UNKNOWN_SERVER_ERROR);
  assert.deepEqual([told.principalName, told.tokenRequesterPrincipalName], ['ANONYMOUS', 'ANONYMOUS']);
});

test('renewing and ending answer when the token ends, or -1', async () => {
  const broker = await start();
  const { hmac, maxTimestampMs } = await broker.create({}, {});
  assert.equal((await broker.renew({}, hmac, Number.MAX_SAFE_INTEGER)).expiryTimestampMs, maxTimestampMs);
  const stranger = await broker.renew({ principal: 'eve' }, hmac, 1);
  assert.deepEqual([stranger.errorCode, stranger.expiryTimestampMs], [ErrorCode.DELEGATION_TOKEN_OWNER_MISMATCH, -1]);
  const none = await broker.expire({}, Buffer.of(1), 1);
  assert.deepEqual([none.errorCode, none.expiryTimestampMs], [ErrorCode.DELEGATION_TOKEN_NOT_FOUND, -1]);
  assert.equal((await broker.expire({}, hmac, -1)).errorCode, ErrorCode.NONE);
  assert.equal((await broker.renew({}, hmac, 1)).errorCode, ErrorCode.DELEGATION_TOKEN_NOT_FOUND);
});

test('a client is told of tokens that concern it, and of those it may see', async () => {
  const broker = await start((right) => right.startsWith('ann: 13 7') || right === 'admin: 14 7 User:bob');
  const renewers = [{ principalType: 'User', principalName: 'eve' }];
  await broker.create({}, {});
  await broker.create({}, { ownerPrincipalType: 'User', ownerPrincipalName: 'bob', renewers });
  assert.deepEqual(names(await broker.describe({}, null)), ['ann', 'bob']);
  assert.deepEqual(names(await broker.describe({ principal: 'bob' }, null)), ['bob']);
  assert.deepEqual(names(await broker.describe({ principal: 'eve' }, null)), ['bob']);
  assert.deepEqual(names(await broker.describe({ principal: 'mallory' }, null)), []);
  assert.deepEqual(names(await broker.describe({ principal: 'admin' }, null)), ['bob']);
  assert.deepEqual(names(await broker.describe({}, [])), []);
  assert.deepEqual(names(await broker.describe({}, ['eve'])), ['bob']);
  const [token] = (await broker.describe({}, ['bob'])).tokens;
  assert.deepEqual([token?.tokenRequesterPrincipalName, token?.renewers], ['ann', renewers]);
  const [old] = (await broker.describe({ apiVersion: 2 }, ['bob'])).tokens;
  assert.equal(old?.tokenRequesterPrincipalName, '');
});

test('without a secret key every request is told so, after whether it may be asked at all', async () => {
  const broker = new Broker(await new TokenWorld({}).start());
  const asks = async (asker: Asker) => [
    await broker.create(asker),
    await broker.describe(asker, []),
    await broker.renew(asker, Buffer.of(1), 1),
    await broker.expire(asker, Buffer.of(1), 1),
  ];
  for (const { errorCode } of await asks({})) assert.equal(errorCode, ErrorCode.DELEGATION_TOKEN_AUTH_DISABLED);
  for (const { errorCode } of await asks({ listenerName: 'OPEN' })) assert.equal(errorCode, NOT_ALLOWED);
  const { principalName, maxTimestampMs } = await broker.create({});
  assert.deepEqual([principalName, maxTimestampMs], ['ann', -1]);
});
