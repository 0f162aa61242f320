/** A request that may overlap with others, but waits: what follows on its connection waits with it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { BufferPool } from '../../runtime/buffer-pool.ts';
import type { Clock } from '../../runtime/clock.ts';
import { silent } from '../../runtime/log.ts';
import type { Connection } from '../../runtime/network.ts';
import { TurnEnd } from '../../runtime/turn-end.ts';
import { build } from '../../wire/schema.ts';
import { ProduceRequest, ProduceResponse } from '../protocol/messages/00-produce.ts';
import { apiHandler, type RequestContext } from './api-handler.ts';
import { ByteBudget } from './byte-budget.ts';
import { ClientConnection } from './client-connection.ts';
import type { ClientQuotas } from './quotas/client-quotas.ts';
import { encodeRequest } from './testkit/raw-client.ts';

test('what comes behind a request that holds others is handled when it lets them, in order', () => {
  const handled: { readonly timeoutMs: number; readonly context: RequestContext; answer(): void }[] = [];
  const handler = apiHandler({
    request: ProduceRequest,
    response: ProduceResponse,
    versions: '0-13',
    overlaps: true,
    handle({ timeoutMs }, context, responder) {
      if (timeoutMs === 1) context.holdOthers();
      handled.push({ timeoutMs, context, answer: () => responder.answer(build(ProduceResponse, {})) });
    },
  });
  let written = 0;
  const socket = {
    remote: { host: 'h', port: 1 },
    unsentBytes: 0,
    write: () => {
      written += 1;
      return true;
    },
    pause: () => undefined,
    resume: () => undefined,
    destroy: () => undefined,
  } as unknown as Connection;
  const connection = new ClientConnection(socket, {
    id: 'c',
    listenerName: 'L',
    handlers: new Map([[0, handler]]),
    budget: new ByteBudget(1 << 20),
    responseBudget: new ByteBudget(1 << 20),
    requestMemory: new BufferPool({ bufferBytes: 65_536, lentFromBytes: 1, freeBytesMax: 1 << 20 }),
    turnEnd: new TurnEnd({ soon: (callback) => callback() }, (error) => {
      throw error;
    }),
    requestBytesMax: 1 << 20,
    log: silent,
    clock: { monotonicMs: () => 0 } as unknown as Clock,
    quotas: { isCounting: false } as unknown as ClientQuotas,
    failedAuthenticationDelayMs: 0,
    principal: 'ANONYMOUS',
    onClosed: () => undefined,
    onFatal: (error) => {
      throw error;
    },
  });
  for (const timeoutMs of [0, 1, 2, 3]) connection.data(encodeRequest(ProduceRequest, 9, { acks: 1, timeoutMs }));
  const order = (): number[] => handled.map(({ timeoutMs }) => timeoutMs);
  assert.deepEqual(order(), [0, 1]);
  handled[0]?.answer();
  assert.deepEqual(order(), [0, 1], 'an answer before it lets nobody pass');
  handled[1]?.context.letOthers();
  assert.deepEqual(order(), [0, 1, 2, 3]);
  const before = written;
  handled[3]?.answer();
  assert.equal(written, before, 'answers leave in order');
  handled[2]?.answer();
  handled[1]?.answer();
  assert.equal(written, before + 1);
});
