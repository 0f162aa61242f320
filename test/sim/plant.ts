/**
 * Loaded by `node --import`: the bug that `PLANTED_BUG` names is in the program while this process lives. Production code has no
 * switches for it. It fails loudly where the text to replace is not found exactly once, or where its file is never loaded.
 */
import { registerHooks } from 'node:module';
import { plantedBugs } from './bugs.ts';

const name = process.env.PLANTED_BUG;
const bug = plantedBugs.find((each) => each.name === name);
if (bug === undefined) throw new Error(`no such bug: ${name}`);
const { file, find, replace } = bug;
const target = new URL(`../../${file}`, import.meta.url).href;
let isPlanted = false;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (url !== target) return loaded;
    const text = Buffer.from(loaded.source as Uint8Array | string).toString();
    const count = text.split(find).length - 1;
    if (count !== 1) throw new Error(`planted bug "${name}": its text stands ${count} times in ${file}, not once`);
    isPlanted = true;
    return { ...loaded, source: text.replace(find, () => replace) };
  },
});

process.on('exit', (code) => {
  if (code === 0 && !isPlanted) {
    process.exitCode = 1;
    process.stderr.write(`planted bug "${name}": ${file} was never loaded\n`);
  }
});
