import type { Random } from '../../../../runtime/random.ts';

/** A version 4 UUID as Kafka prints it: 22 characters. None begins with a dash, as command lines would take it for an option. */
export function newUuid(random: Random): string {
  for (;;) {
    const bytes = Buffer.from(random.bytes(16));
    bytes[6] = (bytes[6]! & 0x0f) | 0x40;
    bytes[8] = (bytes[8]! & 0x3f) | 0x80;
    const text = bytes.toString('base64url');
    if (!text.startsWith('-')) return text;
  }
}
