import {
  constants,
  createGzip,
  createZstdCompress,
  createZstdDecompress,
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
  onerror: (message: string, errno: number, code: string) => void;
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
  reset(): void;
  close(): void;
}
interface ZlibStream {
  readonly _handle?: Partial<ZlibHandle>;
  readonly _writeState?: Uint32Array;
}

interface Format {
  readonly lastFlush: number;
  openPacker(level: number, size: number): object;
  pack(bytes: Uint8Array, level: number): Uint8Array;
}
export type ZlibFormat = 'gzip' | 'zstd';

/** The stream's own buffer is never used. */
export const UNUSED = { chunkSize: 64 };
/** More input follows; both formats have the same number for it. */
export const GO_ON = constants.Z_NO_FLUSH;
const formats: Readonly<Record<ZlibFormat, Format>> = {
  gzip: {
    lastFlush: constants.Z_FINISH,
    openPacker: (level) => createGzip({ ...UNUSED, level }),
    pack: (bytes, level) => gzipSync(bytes, { level }),
  },
  zstd: {
    lastFlush: constants.ZSTD_e_end,
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
 * Decompresses zstd piece by piece, frames that follow each other included. A piece is valid until the next is asked for, and until
 * anybody else asks for one. Of a frame that is cut before anything comes out of it Kafka's reader takes no notice.
 * @throws CompressionError, OversizeError
 */
export function* zstdPieces(
  bytes: Uint8Array,
  sizeMax: number,
  open: () => object = () => createZstdDecompress(UNUSED),
): Generator<Uint8Array, void, void> {
  if (bytes.length === 0) return;
  const stream = handleOf(open());
  if (stream === undefined) {
    return yield* unpackAtOnce((all, maxOutputLength) => zstdDecompressSync(all, { maxOutputLength }), bytes, sizeMax);
  }
  try {
    let size = 0;
    let isBetweenFrames = false;
    for (let at = 0; ; ) {
      const { piece, inputLeft, isCut } = stream.write(constants.ZSTD_e_end, bytes, at);
      if (isCut && isBetweenFrames) return;
      if (isCut) throw new CompressionError('a truncated zstd stream');
      const hasAdvanced = piece.length > 0 || inputLeft < bytes.length - at;
      at = bytes.length - inputLeft;
      size += piece.length;
      if (size > sizeMax) throw new OversizeError(sizeMax);
      if (piece.length > 0) yield piece;
      // Room that is left means that the frame has ended.
      isBetweenFrames = piece.length < PIECE_BYTES;
      if (isBetweenFrames && inputLeft === 0) return;
      if (!hasAdvanced) throw new CompressionError('a zstd stream that does not advance');
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
        const { piece, inputLeft } = stream.write(left === 0 ? lastFlush : GO_ON, block, at);
        at = block.length - inputLeft;
        if (piece.length > 0) packed.push(Buffer.from(piece));
        if (piece.length < PIECE_BYTES && inputLeft === 0) break;
      }
      yield block.length;
    }
    return packed;
  } finally {
    stream.close();
  }
}

interface Written {
  readonly piece: Uint8Array;
  readonly inputLeft: number;
  /** No more input was to follow, and it ends too early. */
  readonly isCut: boolean;
}

export interface OpenStream {
  /** What comes out of the input that begins there, at most so much. @throws CompressionError */
  write(flush: number, input: Uint8Array, at: number, sizeMax?: number): Written;
  /** Begins anew. */
  reset(): void;
  close(): void;
}

/** Undefined where the runtime has no such handle. */
export function handleOf(stream: ZlibStream): OpenStream | undefined {
  const { _handle: handle, _writeState: state } = stream;
  if (!isHandle(handle) || state === undefined) return undefined;
  let failure: { readonly message: string; readonly code: string } | undefined;
  handle.onerror = (message, _errno, code) => {
    failure = { message, code };
  };
  return {
    write(flush, input, at, sizeMax = PIECE_BYTES) {
      handle.writeSync(flush, input, at, input.length - at, piece, 0, sizeMax);
      if (failure?.code === 'Z_BUF_ERROR') return cutStream;
      if (failure !== undefined) throw new CompressionError(failure.message);
      const [roomLeft = 0, inputLeft = 0] = state;
      return { piece: piece.subarray(0, sizeMax - roomLeft), inputLeft, isCut: false };
    },
    reset: () => handle.reset(),
    close: () => handle.close(),
  };
}

const cutStream: Written = { piece: new Uint8Array(), inputLeft: 0, isCut: true };

function isHandle(handle: Partial<ZlibHandle> | undefined): handle is ZlibHandle {
  return [handle?.writeSync, handle?.reset, handle?.close].every((method) => typeof method === 'function');
}

export function* unpackAtOnce(
  unpack: (bytes: Uint8Array, sizeMax: number) => Uint8Array,
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
