import * as steps from './codec-steps.ts';
import { type Context, type Layout, layoutOf, type PlacedField, type Struct, whereOf } from './codec-steps.ts';
import type { Reader } from './reader.ts';
import { defaultOf, type Field, type Fields, type Type } from './schema.ts';
import { type Constants, defaultText, evaluate, literal, objectText, property } from './source.ts';
import { Writer } from './writer.ts';

/*
 * Codecs as generated functions, one per struct and array: every property access and call in them sees one shape, and an object
 * is made by one literal. `closure-codec.ts` says the same in closures, and is what the tests compare with.
 *
 *   function read1(from) {
 *     const value = { "name": from.utf8(present(from.uvarint() - 1, where, "string")), "id": from.int32() };
 *     skipTags(from);
 *     return value;
 *   }
 */

export function generateRead(fields: Fields, at: Context): ((from: Reader) => Struct) | undefined {
  const program = new Program();
  return program.evaluate(readStruct(program, fields, at), at);
}

export function generateWrite(fields: Fields, at: Context): ((to: Writer, value: Struct) => void) | undefined {
  const program = new Program();
  return program.evaluate(writeStruct(program, fields, at), at);
}

/** The functions of one codec, as text, and the constants that they refer to. */
class Program {
  readonly constants: Constants = [];
  readonly #functions: string[] = [];
  #names = 0;

  name(prefix: string): string {
    this.#names += 1;
    return `${prefix}${this.#names}`;
  }

  define(prefix: string, parameters: string, body: readonly string[]): string {
    const name = this.name(prefix);
    this.#functions.push(`function ${name}(${parameters}) {\n${body.join('\n')}\n}`);
    return name;
  }

  evaluate<F>(entry: string, at: Context): F | undefined {
    const text = `const { ${Object.keys(steps).join(', ')} } = steps;\n${this.#functions.join('\n')}\nreturn ${entry};`;
    const { name, version } = at;
    return evaluate(text, { steps, Writer, constants: this.constants, where: whereOf(at), name, version });
  }
}

/** Reads: expressions, evaluated in the order of the bytes because an object literal evaluates in its own order. */

function readStruct(program: Program, fields: Fields, at: Context): string {
  const layout = layoutOf(fields, at);
  const plain = new Map(layout.plain.map((placed) => [placed.name, placed]));
  const value = objectText(fields, (name, field) => {
    const placed = plain.get(name);
    // What this version lacks, and a tag until it is met, holds its default.
    return placed === undefined ? defaultText(field, program.constants) : readField(program, placed);
  });
  const tags = at.encoding === 'flexible' ? readTags(program, layout) : '';
  return program.define('read', 'from', [`const value = ${value};`, tags, 'return value;']);
}

function readTags(program: Program, { tagged }: Layout): string {
  if (tagged.length === 0) return 'skipTags(from);';
  const cases = tagged.map(
    (placed) => `case ${placed.tag}: ${property('value', placed.name)} = ${readField(program, placed)}; break;`,
  );
  return `for (let left = tagCount(from), tag = -1; left > 0; left -= 1) {
    tag = nextTag(from, tag);
    const size = from.uvarint();
    const start = from.position;
    switch (tag) {
      ${cases.join('\n')}
      default: from.skip(size);
    }
    endTag(from, tag, start, size);
  }`;
}

function readField(program: Program, { field, at, nullable, tag }: PlacedField): string {
  const value = readType(program, field.type, at, nullable);
  if (field.type.kind !== 'struct' || !nullable) return value;
  return tag < 0 ? `(from.int8() < 0 ? null : ${value})` : `(from.uvarint() === 0 ? null : ${value})`;
}

function readType(program: Program, type: Type<unknown>, at: Context, nullable: boolean): string {
  switch (type.kind) {
    case 'struct':
      return `${readStruct(program, type.fields, at)}(from)`;
    case 'array':
      return `${readArray(program, type.element, at, nullable)}(from)`;
    case 'string': {
      const size = at.encoding === 'classic' ? 'from.int16()' : readLength(at);
      return nullable ? `nullableText(from, ${size})` : `from.utf8(present(${size}, where, 'string'))`;
    }
    case 'bytes':
      return nullable
        ? `nullableBytes(from, ${readLength(at)})`
        : `from.bytes(present(${readLength(at)}, where, 'bytes'))`;
    case 'records':
      return nullable
        ? `nullableRecords(from, ${readLength(at)})`
        : `readRecords(from, present(${readLength(at)}, where, 'records'))`;
    case 'uuid':
      return 'readUuid(from)';
    default:
      return `from.${type.kind}()`;
  }
}

function readLength(at: Context, ofJute: 'juteSize' | 'juteCount' = 'juteSize'): string {
  if (at.encoding === 'jute') return `${ofJute}(from.int32())`;
  return at.encoding === 'flexible' ? '(from.uvarint() - 1)' : 'from.int32()';
}

/** An empty array would grow to 17 elements with its first; but a count alone must not make us take much memory. */
const RESERVED_ELEMENTS = 64;

function readArray(program: Program, element: Type<unknown>, at: Context, nullable: boolean): string {
  return program.define('readArray', 'from', [
    `const count = ${readLength(at, 'juteCount')};`,
    nullable ? 'if (count < 0) return null;' : `present(count, where, 'array');`,
    'refuseAbsurdCount(from, count);',
    `const values = new Array(Math.min(count, ${RESERVED_ELEMENTS}));`,
    `for (let index = 0; index < count; index += 1) values[index] = ${readType(program, element, at, false)};`,
    'return values;',
  ]);
}

/** Writes: statements. `to` and `value` are the names of the writer and of what is written. */

function writeStruct(program: Program, fields: Fields, at: Context): string {
  const layout = layoutOf(fields, at);
  const refusals = layout.absent.map((placed) => refuseLoss(program, placed));
  const writes = layout.plain.map((placed) => writeField(program, placed, 'to', property('value', placed.name)));
  const tags = at.encoding === 'flexible' ? writeTags(program, layout) : '';
  return program.define('write', 'to, value', [...refusals, ...writes, tags]);
}

function refuseLoss(program: Program, { name, field }: PlacedField): string {
  if (field.ignorable === true) return '';
  const value = property('value', name);
  return `if (${isSet(program, field, value)}) refuseField(name, version, ${JSON.stringify(name)});`;
}

/** The test that a field is neither missing nor at its default. */
function isSet(program: Program, field: Field, value: string): string {
  return `${value} !== undefined && !(${isDefault(program, field, value)})`;
}

function isDefault(program: Program, field: Field, value: string): string {
  if (field.default === undefined && field.type.kind === 'struct') return isBlank(program, field.type.fields, value);
  const ours = defaultOf(field);
  const text = literal(ours, program.constants);
  return typeof ours === 'object' && ours !== null ? `sameValue(${value}, ${text})` : `${value} === ${text}`;
}

function isBlank(program: Program, fields: Fields, value: string): string {
  const tests = Object.entries(fields).map(([name, field]) => isDefault(program, field, property('value', name)));
  const name = program.define('isBlank', 'value', [
    `return ${[`typeof value === 'object'`, 'value !== null', ...tests].join(' && ')};`,
  ]);
  return `${name}(${value})`;
}

function writeTags(program: Program, { tagged }: Layout): string {
  if (tagged.length === 0) return 'to.uvarint(0);';
  const fields = tagged.map((placed) => ({ placed, isSet: program.name('isSet') }));
  const tests = fields.map(
    ({ placed, isSet: name }) => `const ${name} = ${isSet(program, placed.field, property('value', placed.name))};`,
  );
  const writes = fields.map(
    ({ placed, isSet: name }) => `if (${name}) {
      const part = new Writer(64);
      ${writeField(program, placed, 'part', property('value', placed.name))}
      writeTag(to, ${placed.tag}, part);
    }`,
  );
  const count = fields.map(({ isSet: name }) => `(${name} ? 1 : 0)`).join(' + ');
  return [...tests, `to.uvarint(${count});`, ...writes].join('\n');
}

function writeField(program: Program, { field, at, nullable, tag }: PlacedField, to: string, value: string): string {
  const write = writeType(program, field.type, at, nullable, to, value);
  if (field.type.kind !== 'struct' || !nullable) return write;
  const [absent, present] =
    tag < 0 ? [`${to}.int8(-1);`, `${to}.int8(1);`] : [`${to}.uvarint(0);`, `${to}.uvarint(1);`];
  return `if (${value} === null) { ${absent} } else { ${present} ${write} }`;
}

function writeType(
  program: Program,
  type: Type<unknown>,
  at: Context,
  nullable: boolean,
  to: string,
  value: string,
): string {
  switch (type.kind) {
    case 'struct':
      return `${writeStruct(program, type.fields, at)}(${to}, ${value});`;
    case 'array': {
      const write = `${writeArray(program, type.element, at)}(${to}, ${value});`;
      return unlessNull(value, writeLength(at, to, '-1'), nullable, write);
    }
    case 'string': {
      const none = at.encoding === 'classic' ? `${to}.int16(-1);` : writeLength(at, to, '-1');
      return unlessNull(value, none, nullable, writeText(at, to, value));
    }
    case 'bytes': {
      const write = `${writeLength(at, to, `${value}.length`)} ${to}.bytes(${value});`;
      return unlessNull(value, writeLength(at, to, '-1'), nullable, write);
    }
    case 'records': {
      const write = `${writeLength(at, to, `${value}.size`)} ${to}.slices(${value});`;
      return unlessNull(value, writeLength(at, to, '-1'), nullable, write);
    }
    case 'uuid':
      return `writeUuid(${to}, ${value});`;
    case 'uint16':
      return `${to}.int16(${value});`;
    case 'uint32':
      return `${to}.int32(${value});`;
    default:
      return `${to}.${type.kind}(${value});`;
  }
}

function unlessNull(value: string, writeNull: string, nullable: boolean, write: string): string {
  return `if (${value} === null) { ${nullable ? writeNull : 'refuseNull(name, version);'} } else { ${write} }`;
}

const writeLength = (at: Context, to: string, length: string): string =>
  at.encoding === 'flexible' ? `${to}.uvarint(${length} + 1);` : `${to}.int32(${length});`;

function writeText(at: Context, to: string, value: string): string {
  if (at.encoding === 'flexible') return `writeCompactText(${to}, ${value});`;
  return at.encoding === 'jute' ? `writeLongText(${to}, ${value});` : `writeShortText(${to}, ${value}, name, version);`;
}

function writeArray(program: Program, element: Type<unknown>, at: Context): string {
  return program.define('writeArray', 'to, values', [
    writeLength(at, 'to', 'values.length'),
    'for (let index = 0; index < values.length; index += 1) {',
    'const item = values[index];',
    writeType(program, element, at, false, 'to', 'item'),
    '}',
  ]);
}
