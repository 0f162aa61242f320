import { constants, createGunzip, createZstdDecompress, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { CompressionError, OversizeError } from '../../base/compression-error.ts';

/*
 * gzip and zstd as a synchronous stream. `node:zlib` has none in its public interface: its streams are asynchronous, and its
 * synchronous functions hold everything that comes out. Below both lies a handle that fills a buffer of ours, which npm's
 * own tar depends on; where a runtime lacks it, one call decompresses all at once, within the same bound.
 */
interface ZlibHandle {
  onerror: (message: string) => void;
  /** Afterwards `_writeState` holds how many bytes of `out` and of `input` are left. */
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputSize: number,
    out: Uint8Array,
    outAt: number,
    outSize: number,
  ): void;
  close(): void;
}
interface ZlibStream {
  readonly _handle?: Partial<ZlibHandle>;
  readonly _writeState?: Uint32Array;
}

interface Format {
  /** Says that no more input follows: a stream that is cut is an error. */
  readonly lastFlush: number;
  open(): object;
  all(bytes: Uint8Array, sizeMax: number): Uint8Array;
}
export type ZlibFormat = 'gzip' | 'zstd';

/** The stream's own buffer is never used. */
const UNUSED = { chunkSize: 64 };
const formats: Readonly<Record<ZlibFormat, Format>> = {
  gzip: {
    lastFlush: constants.Z_FINISH,
    open: () => createGunzip(UNUSED),
    all: (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength }),
  },
  zstd: {
    lastFlush: constants.ZSTD_e_end,
    open: () => createZstdDecompress(UNUSED),
    all: (bytes, maxOutputLength) => zstdDecompressSync(bytes, { maxOutputLength }),
  },
};

/** What comes out at once; one for all, since a piece is used before the next one comes. */
const piece = Buffer.allocUnsafeSlow(65_536);

/**
 * Decompresses piece by piece, frames that follow each other included. A piece is valid until `take` returns.
 * @throws CompressionError, OversizeError
 */
export function zlibPieces(
  format: ZlibFormat,
  bytes: Uint8Array,
  sizeMax: number,
  take: (piece: Uint8Array) => void,
  open = formats[format].open,
): void {
  const { lastFlush, all } = formats[format];
  const { _handle: handle, _writeState: state } = open() as ZlibStream;
  if (!isHandle(handle) || state === undefined) return takeAll(all, bytes, sizeMax, take);
  let failure: string | undefined;
  handle.onerror = (message) => {
    failure = message;
  };
  try {
    let size = 0;
    for (let at = 0; ; ) {
      handle.writeSync(lastFlush, bytes, at, bytes.length - at, piece, 0, piece.length);
      if (failure !== undefined) throw new CompressionError(failure);
      const [roomLeft = 0, inputLeft = 0] = state;
      const count = piece.length - roomLeft;
      const hasAdvanced = count > 0 || inputLeft < bytes.length - at;
      at = bytes.length - inputLeft;
      size += count;
      if (size > sizeMax) throw new OversizeError(sizeMax);
      if (count > 0) take(piece.subarray(0, count));
      // Room that is left means that the frame has ended.
      if (roomLeft > 0 && inputLeft === 0) return;
      if (!hasAdvanced) throw new CompressionError(`a ${format} stream that does not advance`);
    }
  } finally {
    handle.close();
  }
}

function isHandle(handle: Partial<ZlibHandle> | undefined): handle is ZlibHandle {
  return typeof handle?.writeSync === 'function' && typeof handle.close === 'function';
}

function takeAll(all: Format['all'], bytes: Uint8Array, sizeMax: number, take: (piece: Uint8Array) => void): void {
  let plain: Uint8Array;
  try {
    plain = all(bytes, Math.max(sizeMax, 1));
  } catch (cause) {
    if (cause instanceof RangeError) throw new OversizeError(sizeMax);
    throw new CompressionError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
  if (plain.length > sizeMax) throw new OversizeError(sizeMax);
  if (plain.length > 0) take(plain);
}
