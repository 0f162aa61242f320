import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { codecFor, encode } from '../../../src/wire/codec.ts';
import { Reader } from '../../../src/wire/reader.ts';
import { comparable, type Json, type Sample, valueFromJson } from './json-values.ts';
import { schemas, versionsOf } from './our-schemas.ts';

/** As scripts/golden/kafka-messages.ts recorded it. */
interface Frame {
  readonly message: string;
  readonly version: number;
  readonly sample: Sample;
  readonly release: string;
  /** What Apache reads in the bytes. */
  readonly value: Json;
  /** What Apache wrote. */
  readonly hex: string;
}
const frames = JSON.parse(readFileSync(join(import.meta.dirname, 'frames.json'), 'utf8')) as readonly Frame[];

for (const schema of schemas) {
  const recorded = frames.filter(({ message }) => message === schema.name);

  test(`${schema.name}: Apache’s bytes are read as Apache reads them`, () => {
    for (const { version, sample, value, hex } of recorded) {
      const reader = new Reader(Buffer.from(hex, 'hex'));
      const read = codecFor(schema, version).read(reader);
      assert.equal(reader.remaining, 0, `v${version} ${sample} leaves bytes`);
      assert.deepEqual(comparable(read), comparable(valueFromJson(schema.fields, value)), `v${version} ${sample}`);
    }
  });

  test(`${schema.name}: Apache’s values are written as Apache writes them`, () => {
    for (const { version, sample, value, hex } of recorded) {
      const written = encode(schema, version, valueFromJson(schema.fields, value));
      assert.equal(Buffer.from(written).toString('hex'), hex, `v${version} ${sample}`);
    }
  });

  test(`${schema.name}: every version is recorded`, () => {
    assert.deepEqual([...new Set(recorded.map(({ version }) => version))], versionsOf(schema));
  });
}
