import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import test from 'node:test';
import { exposition, type Family, type Sample } from './exposition.ts';
import { tellMetrics } from './metrics-request.ts';

const PARTITIONS = 10_000;
/** Of each of ten gauges a line a partition, as a broker with that many tells. */
const LINES = 10 * PARTITIONS;

class Scrape {
  /** Samples read, and bytes written, since the last step ended. */
  read = 0;
  written = 0;
  head: unknown;
  readonly chunks: Buffer[] = [];
  isEnded = false;
  destroyed = false;

  readonly #response = {
    writeHead: (_status: number, headers: unknown) => {
      this.head = headers;
    },
    write: (chunk: Buffer) => {
      this.written += chunk.length;
      this.chunks.push(chunk);
    },
    end: () => {
      this.isEnded = true;
    },
  };

  steps(): Generator<void, undefined> {
    const response = Object.defineProperty(this.#response, 'destroyed', { get: () => this.destroyed });
    return tellMetrics(response as unknown as ServerResponse, exposition(this.#families()));
  }

  *#families(): Generator<Family> {
    for (let index = 0; index < LINES / PARTITIONS; index += 1) {
      yield { name: `gauge_${index}`, help: 'of a partition', type: 'gauge', samples: this.#samples(`gauge_${index}`) };
    }
  }

  *#samples(name: string): Generator<Sample> {
    for (let index = 0; index < PARTITIONS; index += 1) {
      this.read += 1;
      const labels = [['topic', `topic-${index % 1000}`] as const, ['partition', String(index)] as const];
      yield { name, labels, value: index };
    }
  }
}

test('ten thousand partitions are told of in small steps, and whole', () => {
  const scrape = new Scrape();
  for (const _ of scrape.steps()) {
    assert.ok(scrape.read <= 33, `${scrape.read} samples in one step`);
    assert.ok(scrape.written <= 40_000, `${scrape.written} bytes in one step`);
    scrape.read = 0;
    scrape.written = 0;
  }
  const body = Buffer.concat(scrape.chunks);
  assert.ok(scrape.isEnded);
  assert.deepEqual(scrape.head, {
    'Content-Type': 'text/plain; version=0.0.4; charset=utf-8',
    'Content-Length': body.length,
  });
  const lines = body.toString().split('\n');
  assert.equal(lines.filter((line) => line.startsWith('gauge_')).length, LINES);
  assert.equal(lines.at(-2), 'gauge_9{topic="topic-999",partition="9999",} 9999.0');
});

test('nobody reads on for a client that has gone', () => {
  const scrape = new Scrape();
  let steps = 0;
  for (const _ of scrape.steps()) {
    steps += 1;
    if (steps === 10) scrape.destroyed = true;
  }
  assert.equal(steps, 10);
  assert.deepEqual([scrape.chunks, scrape.isEnded], [[], false]);
});

test('what would end a label is escaped', () => {
  const family = (labels: Sample['labels']): Family => ({
    ...{ name: 'a', help: 'b', type: 'gauge' },
    samples: [{ name: 'a', labels, value: 0.5 }],
  });
  const lineOf = (labels: Sample['labels']): string | undefined =>
    [...exposition([family(labels)])].join('').split('\n')[2];
  assert.equal(lineOf([]), 'a 0.5');
  assert.equal(lineOf([['x', 'plain']]), 'a{x="plain",} 0.5');
  assert.equal(
    lineOf([
      ['x', 'a"b'],
      ['y', 'c\\d\ne'],
    ]),
    'a{x="a\\"b",y="c\\\\d\\ne",} 0.5',
  );
});
