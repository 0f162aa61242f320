import {
  constants,
  createGunzip,
  createGzip,
  createZstdCompress,
  createZstdDecompress,
  gunzipSync,
  gzipSync,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib';
import { CompressionError, OversizeError } from '../../base/compression-error.ts';
import { flatten, type Slices } from '../../base/slices.ts';
import type { Steps } from '../../base/steps.ts';
import { blocksOf } from './bytes.ts';

/*
 * gzip and zstd as a synchronous stream. `node:zlib` has none in its public interface: its streams are asynchronous, and its
 * synchronous functions hold everything that comes out. Below both lies a handle that fills a buffer of ours, which npm's
 * own tar depends on; where a runtime lacks it, one call takes all at once, within the same bound.
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
  openUnpacker(): object;
  unpack(bytes: Uint8Array, sizeMax: number): Uint8Array;
  openPacker(level: number, size: number): object;
  pack(bytes: Uint8Array, level: number): Uint8Array;
}
export type ZlibFormat = 'gzip' | 'zstd';

/** The stream's own buffer is never used. */
const UNUSED = { chunkSize: 64 };
/** More input follows; both formats have the same number for it. */
const GO_ON = constants.Z_NO_FLUSH;
const formats: Readonly<Record<ZlibFormat, Format>> = {
  gzip: {
    lastFlush: constants.Z_FINISH,
    openUnpacker: () => createGunzip(UNUSED),
    unpack: (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength }),
    openPacker: (level) => createGzip({ ...UNUSED, level }),
    pack: (bytes, level) => gzipSync(bytes, { level }),
  },
  zstd: {
    lastFlush: constants.ZSTD_e_end,
    openUnpacker: () => createZstdDecompress(UNUSED),
    unpack: (bytes, maxOutputLength) => zstdDecompressSync(bytes, { maxOutputLength }),
    openPacker: (level, pledgedSrcSize) => createZstdCompress({ ...UNUSED, ...zstdLevel(level), pledgedSrcSize }),
    pack: (bytes, level) => zstdCompressSync(bytes, zstdLevel(level)),
  },
};

function zstdLevel(level: number): { params: Record<number, number> } {
  return { params: { [constants.ZSTD_c_compressionLevel]: level } };
}

const PIECE_BYTES = 65_536;
/** What comes out at once; one for all, since a piece is used before the next one comes. */
const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);

/**
 * Decompresses piece by piece, frames that follow each other included. A piece is valid until the next is asked for, and until
 * anybody else asks for one.
 * @throws CompressionError, OversizeError
 */
export function* zlibPieces(
  format: ZlibFormat,
  bytes: Uint8Array,
  sizeMax: number,
  open = formats[format].openUnpacker,
): Generator<Uint8Array, void, void> {
  const { lastFlush, unpack } = formats[format];
  const stream = handleOf(open());
  if (stream === undefined) return yield* unpackAtOnce(unpack, bytes, sizeMax);
  try {
    let size = 0;
    for (let at = 0; ; ) {
      const { count, inputLeft } = stream.write(lastFlush, bytes, at);
      const hasAdvanced = count > 0 || inputLeft < bytes.length - at;
      at = bytes.length - inputLeft;
      size += count;
      if (size > sizeMax) throw new OversizeError(sizeMax);
      if (count > 0) yield piece.subarray(0, count);
      // Room that is left means that the frame has ended.
      if (count < PIECE_BYTES && inputLeft === 0) return;
      if (!hasAdvanced) throw new CompressionError(`a ${format} stream that does not advance`);
    }
  } finally {
    stream.close();
  }
}

/** Compresses in steps; the same bytes as all at once. */
export function* zlibPack(
  format: ZlibFormat,
  plain: Slices,
  level: number,
  open = formats[format].openPacker,
): Steps<Uint8Array[]> {
  const { lastFlush, pack } = formats[format];
  const stream = plain.size === 0 ? undefined : handleOf(open(level, plain.size));
  if (stream === undefined) return [pack(flatten(plain), level)];
  const packed: Uint8Array[] = [];
  try {
    let left = plain.size;
    for (const block of blocksOf(plain, PIECE_BYTES)) {
      left -= block.length;
      for (let at = 0; ; ) {
        const { count, inputLeft } = stream.write(left === 0 ? lastFlush : GO_ON, block, at);
        at = block.length - inputLeft;
        if (count > 0) packed.push(Buffer.from(piece.subarray(0, count)));
        if (count < PIECE_BYTES && inputLeft === 0) break;
      }
      yield block.length;
    }
    return packed;
  } finally {
    stream.close();
  }
}

interface OpenStream {
  /** Fills `piece` from the input that begins there. @throws CompressionError */
  write(flush: number, input: Uint8Array, at: number): { readonly count: number; readonly inputLeft: number };
  close(): void;
}

/** Undefined where the runtime has no such handle. */
function handleOf(stream: ZlibStream): OpenStream | undefined {
  const { _handle: handle, _writeState: state } = stream;
  if (!isHandle(handle) || state === undefined) return undefined;
  let failure: string | undefined;
  handle.onerror = (message) => {
    failure = message;
  };
  return {
    write(flush, input, at) {
      handle.writeSync(flush, input, at, input.length - at, piece, 0, PIECE_BYTES);
      if (failure !== undefined) throw new CompressionError(failure);
      const [roomLeft = 0, inputLeft = 0] = state;
      return { count: PIECE_BYTES - roomLeft, inputLeft };
    },
    close: () => handle.close(),
  };
}

function isHandle(handle: Partial<ZlibHandle> | undefined): handle is ZlibHandle {
  return typeof handle?.writeSync === 'function' && typeof handle.close === 'function';
}

function* unpackAtOnce(
  unpack: Format['unpack'],
  bytes: Uint8Array,
  sizeMax: number,
): Generator<Uint8Array, void, void> {
  let plain: Uint8Array;
  try {
    plain = unpack(bytes, Math.max(sizeMax, 1));
  } catch (cause) {
    if (cause instanceof RangeError) throw new OversizeError(sizeMax);
    throw new CompressionError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
  if (plain.length > sizeMax) throw new OversizeError(sizeMax);
  if (plain.length > 0) yield plain;
}
