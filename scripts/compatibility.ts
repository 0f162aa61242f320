/** Writes the generated parts of docs/COMPATIBILITY.md: `node scripts/compatibility.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withTables } from './compatibility/tables.ts';

const path = join(import.meta.dirname, '..', 'docs', 'COMPATIBILITY.md');
writeFileSync(path, withTables(readFileSync(path, 'utf8')));
