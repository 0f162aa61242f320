import { type Slices, slicesOf } from '../../../base/slices.ts';
import { convertInto, type DownConvertOptions } from '../convert.ts';
import { OutputBlock } from '../output-block.ts';

/** What comes of records, and how many of them were written anew. */
export function downConvert(
  records: Slices,
  options: DownConvertOptions,
): { readonly slices: Slices; readonly convertedCount: number } {
  const into = new OutputBlock(new Uint8Array(0));
  const convertedCount = convertInto(records, options, into);
  return { slices: into.end === 0 ? slicesOf() : slicesOf(into.written()), convertedCount };
}
