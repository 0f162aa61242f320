/** `zookeeper.preAllocSize` where nobody says otherwise. */
export const PRE_ALLOC_BYTES = 64 * 1024 * 1024;
/** A file grows before less than this is left in it. */
const PADDING_MARGIN_BYTES = 4096;

/** How long the file should be before so many bytes are written at a position (FilePadding.calculateFileSizeWithPadding). */
export function paddedSize(position: number, fileSize: number, size: number, preAllocBytes: number): number {
  let padded = fileSize;
  if (position + PADDING_MARGIN_BYTES >= fileSize) {
    padded =
      position > fileSize
        ? position + preAllocBytes - ((position + preAllocBytes) % preAllocBytes)
        : fileSize + preAllocBytes;
  }
  while (padded < position + size) padded += preAllocBytes;
  return padded;
}
