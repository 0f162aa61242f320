/** Preload of nodeScript: packages that the script's own folder lacks are looked up in the folder PEER_NODE_MODULES. */
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const cache = pathToFileURL(join(process.env.PEER_NODE_MODULES ?? '.', 'script.mjs')).href;

registerHooks({
  resolve(specifier, context, nextResolve) {
    try {
      return nextResolve(specifier, context);
    } catch (error) {
      if (specifier.startsWith('.')) throw error;
      return nextResolve(specifier, { ...context, parentURL: cache });
    }
  },
});
