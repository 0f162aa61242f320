import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { slicesOf } from '../../../src/base/slices.ts';
import { decode, encode } from '../../../src/wire/codec.ts';
import { MalformedError } from '../../../src/wire/errors.ts';
import { defaultOf, type Field, type Fields, type Message, type Type } from '../../../src/wire/schema.ts';
import { within } from '../../../src/wire/versions.ts';
import { comparable } from './json-values.ts';
import { schemas, versionsOf } from './our-schemas.ts';

type Struct = Record<string, unknown>;

/** Values that a version can carry: what it lacks holds its default. */
function structs(fields: Fields, version: number): fc.Arbitrary<Struct> {
  const arbitraries: Record<string, fc.Arbitrary<unknown>> = {};
  for (const [name, field] of Object.entries(fields)) {
    arbitraries[name] = within(field.versions, version)
      ? fieldValues(field, version)
      : fc.constant(null).map(() => defaultOf(field));
  }
  return fc.record(arbitraries);
}

function fieldValues(field: Field, version: number): fc.Arbitrary<unknown> {
  const values = typeValues(field.type, version);
  return within(field.nullable, version) ? fc.option(values, { freq: 3 }) : values;
}

function typeValues(type: Type<unknown>, version: number): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case 'struct':
      return structs(type.fields, version);
    case 'array':
      return fc.array(typeValues(type.element, version), { maxLength: 2 });
    default:
      return primitives[type.kind];
  }
}

const signed = (bits: number): fc.Arbitrary<number> =>
  fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
const byteLists = fc.uint8Array({ maxLength: 20 });
const primitives: { readonly [kind: string]: fc.Arbitrary<unknown> } & Record<
  Exclude<Type<unknown>['kind'], 'struct' | 'array'>,
  fc.Arbitrary<unknown>
> = {
  bool: fc.boolean(),
  int8: signed(8),
  int16: signed(16),
  uint16: fc.nat(0xffff),
  int32: signed(32),
  uint32: fc.nat(0xffffffff),
  int64: fc.maxSafeInteger(),
  bigint64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  float64: fc.double(),
  string: fc.string({ unit: 'grapheme', maxLength: 30 }),
  bytes: byteLists,
  records: byteLists.map((bytes) => slicesOf(bytes)),
  uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
};

const RUNS = 5;

function forEachVersion(schema: Message<Fields>, property: (version: number, value: Struct) => void): void {
  for (const version of versionsOf(schema)) {
    fc.assert(
      fc.property(structs(schema.fields, version), (value) => property(version, value)),
      { numRuns: RUNS },
    );
  }
}

for (const schema of schemas) {
  test(`any ${schema.name} comes back as it was`, () => {
    forEachVersion(schema, (version, value) => {
      const bytes = encode(schema, version, value);
      assert.deepEqual(comparable(decode(schema, version, bytes)), comparable(value));
    });
  });

  test(`a ${schema.name} that is cut short is malformed`, () => {
    forEachVersion(schema, (version, value) => {
      const bytes = encode(schema, version, value);
      for (let size = 0; size < bytes.length; size += 1) {
        assert.throws(() => decode(schema, version, bytes.subarray(0, size)), MalformedError);
      }
    });
  });
}

const mutations = fc.array(fc.tuple(fc.nat(10_000), fc.oneof(fc.nat(255), fc.constantFrom(0x7f, 0x80, 0xff))), {
  minLength: 1,
  maxLength: 4,
});

for (const schema of schemas) {
  test(`a ${schema.name} with changed bytes is read or malformed, nothing else`, () => {
    for (const version of versionsOf(schema)) {
      fc.assert(
        fc.property(structs(schema.fields, version), fc.array(mutations, { maxLength: 10 }), (value, attempts) => {
          const bytes = encode(schema, version, value);
          if (bytes.length === 0) return;
          for (const changes of attempts) {
            const changed = Buffer.from(bytes);
            for (const [position, byte] of changes) changed[position % bytes.length] = byte;
            readOrMalformed(() => decode(schema, version, changed));
          }
        }),
        { numRuns: RUNS },
      );
    }
  });
}

function readOrMalformed(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
  }
}
