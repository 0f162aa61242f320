#!/usr/bin/env node
/**
 * Sets the engine's flag that can still be set (`runtime/node/engine-flags.ts` says why), for whoever runs the package without
 * `npm start`; enables the compile cache before the first TypeScript file is loaded. Plain JavaScript, because a file that is loaded
 * before the cache must be stripped of its types, and the stripper alone costs 14 MB and 20 ms of every start.
 */
import { enableCompileCache } from 'node:module';
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--heap-growing-percent=300');
enableCompileCache();
await import('./main.ts');
