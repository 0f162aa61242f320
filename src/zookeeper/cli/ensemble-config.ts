import { readFileSync } from 'node:fs';
import { parseProperties } from '../../config/properties.ts';
import { parseServer } from '../../config/server-spec.ts';
import { CliError } from './command-line.ts';

/** `<version> host:port,…`: what clients need of a configuration (ConfigUtils.getClientConfigStr). */
export function clientConfigLine(text: string): string {
  const properties = parseProperties(text);
  const clients: string[] = [];
  for (const [key, value] of properties) {
    if (!key.startsWith('server.')) continue;
    const { clientHost, clientPort, addresses } = parseServer(key, value);
    if (clientPort !== undefined) clients.push(`${clientHost ?? addresses[0]?.host ?? ''}:${clientPort}`);
  }
  return `${properties.get('version') ?? ''} ${clients.join(',')}`;
}

/** The members that a dynamic configuration file lists, as `reconfig -members` takes them. */
export function readDynamicConfig(path: string): string {
  const members = [...parseProperties(readText(path))].filter(([key]) => key.startsWith('server.'));
  if (members.length === 0) throw new CliError(`Error processing ${path}`);
  return members.map(([key, value]) => `${key}=${value}`).join(',');
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (cause) {
    // Apache's message ends in its cause's, without anything between.
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = isMissing ? `${path} (No such file or directory)` : '';
    throw Object.assign(new CliError(`Error processing ${path}${reason}`), { cause });
  }
}
