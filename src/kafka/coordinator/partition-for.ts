/** Which partition of an internal topic keeps a group or a transactional id: Java's hash of the text, without its sign. */
export function partitionFor(key: string, partitionCount: number): number {
  let hash = 0;
  for (let index = 0; index < key.length; index += 1) hash = (Math.imul(hash, 31) + key.charCodeAt(index)) | 0;
  // `Utils.abs`: the smallest int has no positive counterpart.
  return hash === -2_147_483_648 ? 0 : Math.abs(hash) % partitionCount;
}
