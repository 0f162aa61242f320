import assert from 'node:assert/strict';
import test from 'node:test';
import { exposition } from '../../../observability/exposition.ts';
import { build } from '../../../wire/schema.ts';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts';
import { samplesOf } from '../testkit/scrape.ts';
import { RequestMetrics } from './request-metrics.ts';

/** A small generator with a seed. */
function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

/** Requests that take what the test says, on a clock that counts who looks at it. */
class World {
  nowMs = 1000;
  looks = 0;
  readonly metrics: RequestMetrics;

  constructor() {
    const clock = {
      monotonicMs: () => {
        this.looks += 1;
        return this.nowMs;
      },
    };
    const served = [
      { request: ProduceRequest, response: ProduceResponse },
      { request: FetchRequest, response: FetchResponse },
    ];
    this.metrics = new RequestMetrics(served, { chance: chanceOf(7), clock });
  }

  /** One Produce, start to end; answers whether its times were wanted. */
  produce(bodyBytes: number): boolean {
    const kind = this.metrics.kindOf(0, build(ProduceRequest, {}));
    const timed = kind?.begin(this.nowMs - 1, bodyBytes);
    this.nowMs += 2;
    timed?.handled(this.nowMs);
    this.nowMs += 3;
    kind?.answered(9, build(ProduceResponse, {}));
    timed?.answered(this.nowMs, 4);
    timed?.left(this.nowMs + 5, this.nowMs + 11);
    return timed !== undefined;
  }

  samples(): ReadonlyMap<string, number> {
    return samplesOf([...exposition(this.metrics.families())].join(''));
  }

  quantile(measure: string, place: string, request = 'Produce'): number | undefined {
    return this.samples().get(`kafka_network_requestmetrics_${measure}{request="${request}",quantile="${place}"}`);
  }
}

test('a request has each of its times, and its size', () => {
  const world = new World();
  world.produce(123);
  const measured = ['requestqueue', 'local', 'remote', 'throttle', 'responsequeue', 'responsesend', 'total'];
  const times = measured.map((name) => world.quantile(`${name}timems`, '0.5'));
  assert.deepEqual(times, [1, 2, 3, 4, 5, 6, 17]);
  assert.equal(world.quantile('requestbytes', '0.5'), 123);
});

test('of many requests all are counted, few are timed, and percentiles are those of all', () => {
  const world = new World();
  let timed = 0;
  for (let index = 0; index < 100_000; index += 1) if (world.produce(index)) timed += 1;
  // The first 1028, then with falling odds: 1028 × (1 + ln(100,000 / 1028)) are expected, 5,700.
  assert.ok(timed < 7000, `${timed} were timed`);
  // Nobody looks at the clock for the others.
  assert.equal(world.looks, timed);
  const samples = world.samples();
  assert.equal(samples.get('kafka_network_requestmetrics_totaltimems_count{request="Produce"}'), 100_000);
  assert.equal(samples.get('kafka_network_requestmetrics_requests_total{request="Produce",version="9"}'), 100_000);
  for (const place of ['0.5', '0.75', '0.95', '0.99']) {
    const found = world.quantile('requestbytes', place)! / 100_000;
    // Three standard deviations of a sample of 1028 in the middle are 0.047.
    assert.ok(Math.abs(found - Number(place)) < 0.047, `${found} at ${place}`);
  }
});

test('a request that never ends is in no percentile', () => {
  const world = new World();
  world.metrics.kindOf(0, build(ProduceRequest, {}))?.begin(0, 5_000_000);
  world.produce(10);
  assert.equal(world.quantile('requestbytes', '0.999'), 10);
});

test('a request that is late for its period is told of with it', () => {
  const world = new World();
  const timed = world.metrics.kindOf(0, build(ProduceRequest, {}))?.begin(0, 77);
  world.metrics.beginPeriod();
  timed?.answered(10, 0);
  timed?.left();
  assert.equal(world.quantile('requestbytes', '0.5'), 77);
  world.metrics.beginPeriod();
  assert.equal(world.quantile('requestbytes', '0.5'), 0);
});

test('few fetches of consumers are all timed, however many come from followers', () => {
  const world = new World();
  const fetch = (replicaId: number, bodyBytes: number): void => {
    const timed = world.metrics.kindOf(1, build(FetchRequest, { replicaId }))?.begin(0, bodyBytes);
    timed?.answered(1, 0);
    timed?.left();
  };
  for (let index = 0; index < 50_000; index += 1) fetch(2, 1);
  for (let index = 0; index < 10; index += 1) fetch(-1, 1000 + index);
  assert.equal(world.quantile('requestbytes', '0.5', 'FetchFollower'), 1);
  assert.equal(world.quantile('requestbytes', '0.5', 'FetchConsumer'), 1004.5);
});
