import type { ConsumerRecord } from '../client/fetched-records.ts';

/** Bytes that are not what the deserializer reads. */
export class SerializationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SerializationError';
  }
}

/** How a record is written to standard output. */
export interface MessageFormatter {
  /** Appends the record's bytes. */
  write(record: ConsumerRecord, out: Uint8Array[]): void;
}

export const noOpFormatter: MessageFormatter = { write: () => undefined };

/** Text for bytes, in a class's way. */
type Deserializer = (bytes: Uint8Array) => Uint8Array | string;

function sized(name: string, size: number, read: (view: DataView) => string): Deserializer {
  return (bytes) => {
    if (bytes.length !== size) throw new SerializationError(`Size of data received by ${name} is not ${size}`);
    return read(new DataView(bytes.buffer, bytes.byteOffset, size));
  };
}

const deserializers: ReadonlyMap<string, Deserializer> = new Map<string, Deserializer>([
  ['StringDeserializer', (bytes) => bytes],
  ['ByteArrayDeserializer', (bytes) => bytes],
  ['BytesDeserializer', (bytes) => bytes],
  ['ShortDeserializer', sized('ShortDeserializer', 2, (view) => String(view.getInt16(0)))],
  ['IntegerDeserializer', sized('IntegerDeserializer', 4, (view) => String(view.getInt32(0)))],
  ['LongDeserializer', sized('LongDeserializer', 8, (view) => String(view.getBigInt64(0)))],
  ['FloatDeserializer', sized('FloatDeserializer', 4, (view) => javaNumber(view.getFloat32(0)))],
  ['DoubleDeserializer', sized('DoubleDeserializer', 8, (view) => javaNumber(view.getFloat64(0)))],
]);

/** `1.0`, not `1`. */
function javaNumber(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e7 ? `${value}.0` : String(value);
}

/** Undefined for a class that is not there. */
export function deserializerOf(className: string | undefined): Deserializer | undefined {
  if (className === undefined) return deserializers.get('StringDeserializer');
  return deserializers.get(className.split('.').at(-1)!);
}

export interface FormatterOptions {
  readonly properties: ReadonlyMap<string, string>;
  readonly keyDeserializer: Deserializer;
  readonly valueDeserializer: Deserializer;
}

/** Time, partition, offset, headers, key and value, as far as they are wanted, in that order (DefaultMessageFormatter). */
export function defaultFormatter({
  properties,
  keyDeserializer,
  valueDeserializer,
}: FormatterOptions): MessageFormatter {
  const shows = (name: string, preset = false): boolean =>
    (properties.get(name)?.trim().toLowerCase() ?? String(preset)) === 'true';
  const text = (name: string, preset: string): Uint8Array => Buffer.from(properties.get(name) ?? preset);
  const separator = text('key.separator', '\t');
  const lineEnd = text('line.separator', '\n');
  const nullLiteral = text('null.literal', 'null');
  const headersSeparator = text('headers.separator', ',');
  const bytesOf = (bytes: Uint8Array | null, deserialize: Deserializer): Uint8Array => {
    if (bytes === null) return nullLiteral;
    const shown = deserialize(bytes);
    return typeof shown === 'string' ? Buffer.from(shown) : shown;
  };
  const columns: ((record: ConsumerRecord, out: Uint8Array[]) => void)[] = [];
  if (shows('print.timestamp')) columns.push((record, out) => out.push(Buffer.from(timeText(record))));
  if (shows('print.partition')) columns.push(({ partition }, out) => out.push(Buffer.from(`Partition:${partition}`)));
  if (shows('print.offset')) columns.push(({ offset }, out) => out.push(Buffer.from(`Offset:${offset}`)));
  if (shows('print.headers')) {
    columns.push(({ headers }, out) => {
      if (headers.length === 0) out.push(Buffer.from('NO_HEADERS'));
      headers.forEach(({ key, value }, index) => {
        if (index > 0) out.push(headersSeparator);
        out.push(Buffer.from(`${key}:`), value ?? nullLiteral);
      });
    });
  }
  if (shows('print.key')) columns.push(({ key }, out) => out.push(bytesOf(key, keyDeserializer)));
  if (shows('print.value', true)) columns.push(({ value }, out) => out.push(bytesOf(value, valueDeserializer)));
  return {
    write(record, out) {
      columns.forEach((column, index) => {
        column(record, out);
        if (index + 1 < columns.length) out.push(separator);
      });
      if (columns.length > 0) out.push(lineEnd);
    },
  };
}

function timeText({ timestampType, timestamp }: ConsumerRecord): string {
  return timestampType === undefined ? 'NO_TIMESTAMP' : `${timestampType}:${timestamp}`;
}
