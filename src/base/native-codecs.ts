import { createRequire } from 'node:module';

/*
 * What prebuilt native packages do faster than our own code, and nothing else; each may be absent (docs/decisions/0003).
 * Measured on 64 KiB of text: uncompressing Snappy 4.9 times, LZ4 5 times as fast, compressing LZ4 1.5 times; compressing
 * Snappy is slower than ours, and so is everything below the sizes given here.
 */
export const NATIVE_UNCOMPRESS_WORTH_BYTES = 2048;
export const NATIVE_COMPRESS_WORTH_BYTES = 16_384;

export interface NativeSnappy {
  uncompressSync(block: Uint8Array, options: { readonly asBuffer: true; readonly copyOutputData: true }): Buffer;
}

/** Blocks carry their uncompressed size before them, as u32 (little-endian). */
export interface NativeLz4 {
  compressSync(bytes: Uint8Array): Buffer;
  uncompressSync(sizeAndBlock: Uint8Array): Buffer;
}

export const nativeSnappy = atFirstUse<NativeSnappy>('snappy');
export const nativeLz4 = atFirstUse<NativeLz4>('lz4-napi');

/** Together they would take 12 ms and 10 MB of every start. */
function atFirstUse<T>(name: string): () => T | null {
  let loaded: T | null | undefined;
  return () => {
    if (loaded === undefined) loaded = load<T>(name);
    return loaded;
  };
}

function load<T>(name: string): T | null {
  try {
    return createRequire(import.meta.url)(name) as T;
  } catch {
    return null;
  }
}
