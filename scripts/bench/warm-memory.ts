/**
 * Touches a good part of the free memory in a process that ends at once. A virtual machine gets memory from its host page by
 * page, at five times the price of a page that it had before, and gives free memory back within seconds. A log that grows by
 * gigabytes would measure the host.
 */
import { spawnSync } from 'node:child_process';
import { freemem } from 'node:os';

/** What one measured run writes at most. */
const WARM_BYTES_MAX = 3 * 1_073_741_824;
const BLOCK_BYTES = 67_108_864;
const PAGE_BYTES = 4096;

export function warmMemory(): void {
  const bytes = Math.min(WARM_BYTES_MAX, freemem() / 4);
  spawnSync(process.execPath, [import.meta.filename, String(bytes)], { stdio: 'inherit' });
}

function touch(bytes: number): void {
  const blocks: Buffer[] = [];
  for (let left = bytes; left > 0; left -= BLOCK_BYTES) {
    const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    for (let at = 0; at < BLOCK_BYTES; at += PAGE_BYTES) block[at] = 1;
    blocks.push(block);
  }
}

if (import.meta.main) touch(Number(process.argv[2]));
