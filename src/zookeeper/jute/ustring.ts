import type { Writer } from '../../wire/writer.ts';

/** From here on the calls into the engine are cheaper. */
const SHORT_CHARS = 96;

/** A string with its length before it. Short ASCII, which nearly all paths and names are, is written without such a call. */
export function writeUstring(to: Writer, text: string): void {
  if (text.length > SHORT_CHARS || !isAscii(text)) {
    to.int32(Buffer.byteLength(text));
    to.utf8(text);
    return;
  }
  to.int32(text.length);
  writeAscii(to, text);
}

/** Bytes that `writeUstring` takes, the length included. */
export function ustringSize(text: string): number {
  return 4 + (text.length <= SHORT_CHARS && isAscii(text) ? text.length : Buffer.byteLength(text));
}

function isAscii(text: string): boolean {
  let units = 0;
  for (let index = 0; index < text.length; index += 1) units |= text.charCodeAt(index);
  return units < 0x80;
}

function writeAscii(to: Writer, text: string): void {
  let at = 0;
  for (const last = text.length - 4; at <= last; at += 4) {
    const upper = (text.charCodeAt(at) << 8) | text.charCodeAt(at + 1);
    to.int32((upper << 16) | (text.charCodeAt(at + 2) << 8) | text.charCodeAt(at + 3));
  }
  for (; at < text.length; at += 1) to.int8(text.charCodeAt(at));
}
