import { Writer } from '../../wire/writer.ts';
import { RequestHeader } from '../jute/proto.ts';

interface Writes<T> {
  write(to: Writer, value: T): void;
}

/** `size:int32 | record`: the handshake, which has no header. */
export function encodeRecord<T>(record: Writes<T>, value: T): Uint8Array {
  const writer = new Writer();
  const size = writer.placeInt32();
  record.write(writer, value);
  writer.patchInt32(size, writer.size - 4);
  return writer.finishFlat();
}

/** `size:int32 | xid:int32 | type:int32 | body`. */
export function encodeRequest(xid: number, type: number, writeBody?: (to: Writer) => void): Uint8Array {
  const writer = new Writer();
  const size = writer.placeInt32();
  RequestHeader.write(writer, { xid, type });
  writeBody?.(writer);
  writer.patchInt32(size, writer.size - 4);
  return writer.finishFlat();
}

/** The same, of a request that writes its own body. */
export function encodeCall(xid: number, call: { readonly type: number; writeBody?(to: Writer): void }): Uint8Array {
  const writer = new Writer();
  const size = writer.placeInt32();
  RequestHeader.write(writer, { xid, type: call.type });
  call.writeBody?.(writer);
  writer.patchInt32(size, writer.size - 4);
  return writer.finishFlat();
}
