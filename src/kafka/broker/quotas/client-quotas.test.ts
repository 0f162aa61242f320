import assert from 'node:assert/strict';
import test from 'node:test';
import { silent } from '../../../runtime/log.ts';
import { ApiKey } from '../../protocol/api-keys.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { KafkaConfig } from '../config/kafka-config.ts';
import { refused } from '../testkit/cluster-world.ts';
import { ClientQuotas, type QuotaRequest } from './client-quotas.ts';

function world(keys: Readonly<Record<string, string>> = {}) {
  const config = new KafkaConfig(new Map([['zookeeper.connect', 'z:1'], ...Object.entries(keys)]));
  const time = { nowMs: 1000 };
  const clock = { monotonicMs: () => time.nowMs } as never;
  return { time, quotas: new ClientQuotas({ config, clock, log: silent }) };
}

const request = (given: Partial<QuotaRequest> = {}): QuotaRequest => ({
  apiKey: ApiKey.Metadata,
  apiVersion: 9,
  clientId: 'c',
  principal: 'u',
  handledMs: () => 0,
  ...given,
});
const answered = { frameBytes: 100_000, foundMs: 0, isAnswered: true };
const set = (quotas: ClientQuotas, key: string, value: string): void =>
  quotas.set({ clientId: null }, new Map([[key, value]]));

test('bytes count for Produce alone, answered or not', () => {
  const { quotas } = world();
  set(quotas, 'producer_byte_rate', '1000');
  assert.equal(quotas.throttleMs(request(), answered), 0);
  assert.equal(quotas.throttleMs(request({ apiKey: ApiKey.Produce }), answered), 90_000);
  const silent = { frameBytes: 100_000, foundMs: 0 };
  assert.equal(quotas.throttleMs(request({ apiKey: ApiKey.Produce, clientId: 'd' }), silent), 90_000);
});

test('the longest throttle time is told', () => {
  const { quotas } = world();
  set(quotas, 'request_percentage', '1');
  const slow = request({ handledMs: () => 105 });
  // 10.5 % of a second over 10 s are 1.05 %.
  assert.equal(quotas.throttleMs(slow, { ...answered, foundMs: 300 }), 500);
  assert.equal(quotas.throttleMs(request({ clientId: 'd' }), { ...answered, foundMs: 300 }), 300);
});

test('nobody waits longer than a window for the time he took, and answers that do not come cost no time', () => {
  const { quotas } = world({ 'quota.window.size.seconds': '2' });
  set(quotas, 'request_percentage', '0.01');
  const slow = request({ handledMs: () => 900 });
  assert.equal(quotas.throttleMs(slow, { frameBytes: 1, foundMs: 0 }), 0);
  assert.equal(quotas.throttleMs(slow, answered), 2000);
});

test('time that the answer took counts for the next request', () => {
  const { quotas } = world();
  set(quotas, 'request_percentage', '1');
  quotas.recordTime(request(), 105);
  assert.equal(quotas.throttleMs(request(), answered), 500);
});

test('requests between brokers, and of the broker to itself, are never throttled for their time', () => {
  const { quotas } = world();
  set(quotas, 'request_percentage', '0.0001');
  const handledMs = (): number => 1000;
  for (const apiKey of [ApiKey.LeaderAndIsr, ApiKey.StopReplica, ApiKey.UpdateMetadata, ApiKey.ControlledShutdown])
    assert.equal(quotas.throttleMs(request({ apiKey, handledMs }), answered), 0);
  assert.equal(quotas.throttleMs(request({ principal: undefined, handledMs }), answered), 0);
  assert.equal(quotas.throttleMs(request({ handledMs }), answered), 1000);
});

test('a fetch that is throttled counts for nothing, whatever it is throttled for', () => {
  const { quotas, time } = world();
  quotas.set(
    { clientId: null },
    new Map([
      ['consumer_byte_rate', '1000'],
      ['request_percentage', '1'],
    ]),
  );
  const fetch = request({ apiKey: ApiKey.Fetch });
  assert.equal(quotas.fetchBytesMax(fetch), 10_000);
  assert.equal(quotas.fetched(fetch, 50_000), 40_000);
  assert.equal(quotas.fetched(fetch, 9000), 0);
  assert.equal(quotas.fetched(request({ apiKey: ApiKey.Fetch, handledMs: () => 105 }), 900), 500);
  time.nowMs += 600;
  assert.equal(quotas.fetched(fetch, 900), 0, 'the 900 before were taken back');
});

test('a strict quota of mutations refuses when it is overdrawn, an older client is told afterwards', () => {
  const { quotas, time } = world({ 'controller.quota.window.num': '5' });
  assert.equal(quotas.mutations(request(), 6).throttleMs(), 0, 'nothing is set');
  set(quotas, 'controller_mutation_rate', '2');
  const strict = quotas.mutations(request(), 6);
  strict.record(25); // the bucket holds 10
  assert.equal(strict.throttleMs(), 0);
  assert.throws(() => strict.record(1), refused(ErrorCode.THROTTLING_QUOTA_EXCEEDED));
  assert.equal(strict.throttleMs(), 7500);
  time.nowMs += 500;
  assert.equal(strict.throttleMs(), 7000, 'counted from now');
  const permissive = quotas.mutations(request({ apiVersion: 5 }), 6);
  permissive.record(2);
  assert.equal(permissive.throttleMs(), 8000);
});

test('a value that is no number is no quota', () => {
  const { quotas } = world();
  quotas.set(
    { clientId: null },
    new Map([
      ['producer_byte_rate', 'much'],
      ['consumer_byte_rate', '1000'],
    ]),
  );
  assert.equal(quotas.throttleMs(request({ apiKey: ApiKey.Produce }), answered), 0);
  assert.equal(quotas.fetchBytesMax(request()), 10_000);
});

test('while no quota was ever set nothing is counted; afterwards everything is, whatever is set', () => {
  const { quotas } = world();
  const produce = request({ apiKey: ApiKey.Produce });
  assert.equal(quotas.isCounting, false);
  assert.equal(quotas.throttleMs(produce, answered), 0);
  set(quotas, 'request_percentage', '1000');
  assert.equal(quotas.isCounting, true);
  assert.equal(quotas.throttleMs(produce, answered), 0, 'bytes have no limit');
  set(quotas, 'producer_byte_rate', '1000');
  assert.equal(quotas.throttleMs(produce, answered), 190_000, 'but the ones before were counted');
});
