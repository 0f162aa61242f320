import type { Writer } from '../../wire/writer.ts';

/** A string with its length before it. Short ASCII, which nearly all paths and names are, needs no measuring call. */
export function writeUstring(to: Writer, text: string): void {
  to.int32(text.length <= 48 && isAscii(text) ? text.length : Buffer.byteLength(text));
  to.utf8(text);
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) >= 0x80) return false;
  return true;
}
