import { MalformedError } from '../../wire/errors.ts';
import { Reader } from '../../wire/reader.ts';
import { Writer } from '../../wire/writer.ts';
import type { ServerId } from './quorum-verifier.ts';

/** Who connects to an election port, and where it can be called back. */
export interface Hello {
  /** The greatest 64-bit number: an observer without an id. */
  readonly server: ServerId;
  /** `host:port` of election ports, an IPv6 host in brackets; none from servers before 3.5. */
  readonly addresses: readonly string[];
}

/** Of `Hello.server`, as QuorumPeer.OBSERVER_ID. */
const OBSERVER_ID = 2n ** 63n - 1n;
export const OBSERVER_WITHOUT_ID: ServerId = Number(OBSERVER_ID);

const ONE_ADDRESS = -65_536n;
const MANY_ADDRESSES = -65_535n;
const ADDRESS_BYTES_MAX = 2048;
const HEAD_BYTES = 20;

/**
 * ```
 * 3.4           long sid
 * since 3.5     long -65536 | long sid | int n | n bytes "host:port"
 * multiAddress  long -65535 | long sid | int n | n bytes "host:port|host:port"
 * ```
 */
export function encodeHello({ server, addresses }: Hello, multiAddress: boolean): Uint8Array {
  const to = new Writer(64);
  to.bigint64(multiAddress ? MANY_ADDRESSES : ONE_ADDRESS);
  to.bigint64(server === OBSERVER_WITHOUT_ID ? OBSERVER_ID : BigInt(server));
  const text = Buffer.from((multiAddress ? addresses : addresses.slice(0, 1)).join('|'));
  to.int32(text.length);
  to.bytes(text);
  return to.finishFlat();
}

/**
 * Undefined until all of it is there; else the hello and how many bytes it took.
 * @throws MalformedError
 */
export function decodeHello(bytes: Uint8Array): { readonly hello: Hello; readonly size: number } | undefined {
  if (bytes.length < 8) return undefined;
  const from = new Reader(bytes);
  const version = from.bigint64();
  if (version >= 0n) return { hello: { server: Number(version), addresses: [] }, size: 8 };
  if (version !== ONE_ADDRESS && version !== MANY_ADDRESSES) throw new MalformedError(`a hello of version ${version}`);
  if (bytes.length < HEAD_BYTES) return undefined;
  const server = Number(from.bigint64());
  const length = from.int32();
  if (length <= 0 || length > ADDRESS_BYTES_MAX) throw new MalformedError(`a hello with an address of ${length} bytes`);
  if (from.remaining < length) return undefined;
  const addresses = from.utf8(length).split('|');
  return {
    hello: { server, addresses: addresses.filter((address) => !isWildcard(address)) },
    size: HEAD_BYTES + length,
  };
}

/** Nobody can be called back there. */
function isWildcard(address: string): boolean {
  return /^(0\.0\.0\.0|\[?(::|0:0:0:0:0:0:0:0)\]?):\d+$/.test(address);
}
