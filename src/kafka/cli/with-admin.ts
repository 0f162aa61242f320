import type { Runtime } from '../../runtime/runtime.ts';
import { type Admin, createAdmin } from '../client/admin.ts';
import { adminOptions } from './client-config.ts';
import type { ParsedOptions } from './option-parser.ts';
import { propertiesFile } from './tool.ts';

/**
 * Work with an admin client of `--bootstrap-server` and the settings in `--command-config`.
 * @param defaults of settings that the file lacks
 */
export async function withAdmin<T>(
  options: ParsedOptions,
  runtime: Runtime,
  work: (admin: Admin) => Promise<T>,
  defaults: Readonly<Record<string, string>> = {},
): Promise<T> {
  const properties = new Map([...Object.entries(defaults), ...propertiesFile(options.value('command-config'))]);
  properties.set('bootstrap.servers', options.value('bootstrap-server')!);
  const admin = createAdmin(runtime, adminOptions(runtime, properties));
  try {
    return await work(admin);
  } finally {
    admin.close();
  }
}
