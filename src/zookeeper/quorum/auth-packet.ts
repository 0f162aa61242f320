import { MalformedError } from '../../wire/errors.ts';
import { Reader } from '../../wire/reader.ts';
import { Writer } from '../../wire/writer.ts';
import { QuorumAuthPacket } from '../jute/quorum.ts';

/** Of QuorumAuth.Status. */
export const AuthStatus = { IN_PROGRESS: 0, SUCCESS: 1, ERROR: -1 } as const;

/** QUORUM_AUTH_MAGIC_NUMBER; written there as what Java negates into this. No message and no packet begins so. */
const MAGIC = 0x5f24_3501_3501_edccn;
const HEAD_BYTES = 16;
/** DIGEST-MD5 allows 4096 bytes at most. */
const TOKEN_BYTES_MAX = 4096;

/** Whether these bytes begin an exchange; undefined while too few of them are there. */
export function beginsAuth(bytes: Uint8Array): boolean | undefined {
  return bytes.length < 8 ? undefined : new Reader(bytes).bigint64() === MAGIC;
}

/**
 * ```
 * 0  long magic    8  int status    12  int n    16  n bytes token
 * ```
 */
export function encodeAuthPacket(status: number, token: Uint8Array): Uint8Array {
  const to = new Writer(HEAD_BYTES + token.length);
  QuorumAuthPacket.write(to, { magic: MAGIC, status, token });
  return to.finishFlat();
}

/** Cuts the packets of one exchange out of a stream. They are few and small: what has come is kept as one array. */
export class AuthPackets {
  #bytes: Uint8Array = new Uint8Array(0);

  add(chunk: Uint8Array): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
  }

  /** What has come behind the last packet. */
  get rest(): Uint8Array {
    return this.#bytes;
  }

  /** @throws MalformedError */
  next(): { readonly status: number; readonly token: Uint8Array } | undefined {
    if (beginsAuth(this.#bytes) === false) throw new MalformedError('a packet of authentication without its magic');
    if (this.#bytes.length < HEAD_BYTES) return undefined;
    const length = new Reader(this.#bytes.subarray(12)).int32();
    if (length < 0 || length > TOKEN_BYTES_MAX) throw new MalformedError(`a token of ${length} bytes`);
    const size = HEAD_BYTES + length;
    if (this.#bytes.length < size) return undefined;
    const { status, token } = QuorumAuthPacket.read(new Reader(this.#bytes.subarray(0, size)));
    this.#bytes = this.#bytes.subarray(size);
    return { status, token: token as Uint8Array };
  }
}
