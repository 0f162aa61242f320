import assert from 'node:assert/strict';
import { askHttp } from '../../../zookeeper/server/testkit/http-client.ts';
import type { ClusterWorld } from './cluster-world.ts';

export const METRICS_PORT = 7071;

/** `/metrics` of a broker as lines: samples by their names with labels. */
export async function scrape(world: ClusterWorld, broker = 0): Promise<ReadonlyMap<string, number>> {
  const { host } = world.broker(broker).machine;
  const scraper = world.sim.machine(`scraper-${scrapes}`);
  scrapes += 1;
  const answer = await askHttp(world.sim, scraper.runtime, { host, port: METRICS_PORT }, '/metrics');
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  return samplesOf(answer.body.toString());
}

let scrapes = 0;

/** Without the comma behind the last label. */
export function samplesOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(' ');
      return [line.slice(0, end).replace(',}', '}'), Number(line.slice(end + 1))];
    }),
  );
}
