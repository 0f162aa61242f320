/*
 * offset 0   int  magic   "ZKLG"          entry +0   long checksum   Adler-32 of the <len> bytes
 *        4   int  version 2                     +8   int  len
 *        8   long dbid    0                     +12  TxnHeader, body, digest
 *        16  entries, then zeros                +12+len  'B'
 */
export const LOG_MAGIC = 0x5a4b4c47;
export const LOG_VERSION = 2;
export const LOG_HEADER_BYTES = 16;
/** Checksum and length. */
export const ENTRY_HEADER_BYTES = 12;
export const END_OF_RECORD = 0x42;

/** What the writer makes durable at once at most, so that recovery knows how far a tear may reach. */
export const BATCH_BYTES_MAX = 4 * 1024 * 1024;
/** jute.maxbuffer twice, as Apache bounds what it reads; a transaction is never longer. */
export const RECORD_BYTES_MAX = 2 * 0xfffff;

export function logHeader(): Uint8Array {
  const header = Buffer.alloc(LOG_HEADER_BYTES);
  header.writeInt32BE(LOG_MAGIC, 0);
  header.writeInt32BE(LOG_VERSION, 4);
  return header;
}
