import type { Slices } from '../../base/slices.ts';
import { codecFor } from '../../wire/codec.ts';
import type { Fields, Message } from '../../wire/schema.ts';
import { Writer } from '../../wire/writer.ts';
import { responseHeaderVersion } from './headers.ts';

export interface ResponseFrame {
  readonly message: Message<Fields>;
  readonly apiKey: number;
  readonly version: number;
  readonly correlationId: number;
}

/** `size | correlation id [| tags] | body`, ready to be sent. */
export function encodeResponse({ message, apiKey, version, correlationId }: ResponseFrame, response: object): Slices {
  const writer = new Writer(128);
  const place = writer.placeInt32();
  writer.int32(correlationId);
  if (responseHeaderVersion(apiKey, version) >= 1) writer.uvarint(0);
  codecFor(message, version).write(writer, response as never);
  writer.patchInt32(place, writer.size - 4);
  return writer.finish();
}
