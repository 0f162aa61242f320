/** kafka-broker-api-versions.sh: what each broker speaks, and what of it this client does too. */
import { bounds } from '../../wire/versions.ts';
import type { VersionRange } from '../client/api-versions.ts';
import { apis } from '../protocol/apis.ts';
import { KafkaError } from '../protocol/errors.ts';
import { inJavaWords } from './generation.ts';
import { type OptionSpec, parseOptions } from './option-parser.ts';
import { requireOption, runTool, type Tool, ToolExit, usageExit } from './tool.ts';
import { withAdmin } from './with-admin.ts';

const specs: readonly OptionSpec[] = [
  {
    name: 'bootstrap-server',
    argument: 'server(s) to use for bootstrapping',
    description: 'REQUIRED: the brokers to ask first.',
  },
  { name: 'command-config', argument: 'command config property file', description: 'A file of client settings.' },
  { name: 'help', description: 'Prints this table.' },
];

export const kafkaBrokerApiVersions: Tool = async (args, io, runtime) => {
  const options = inJavaWords(() => parseOptions(specs, args));
  if (args.length === 0 || options.has('help')) {
    throw usageExit('This tool helps to retrieve broker version information.', specs);
  }
  requireOption(options, specs, 'bootstrap-server');
  try {
    await withAdmin(options, runtime, async (admin) => {
      for (const { id, host, port, rack } of (await admin.describeCluster()).brokers) {
        const { versions } = await admin.connect(id);
        io.out(`${host}:${port} (id: ${id} rack: ${rack ?? 'null'}) -> (\n${apiLines(versions).join(',\n')}\n)\n`);
      }
    });
    return 0;
  } catch (error) {
    if (error instanceof KafkaError) throw new ToolExit(`${error.message}\n`);
    throw error;
  }
};

/** By key: what the broker speaks, then what it does not. */
function apiLines(versions: ReadonlyMap<number, VersionRange>): string[] {
  const keys = new Set([...apis.keys(), ...versions.keys()]);
  return [...keys].sort((a, b) => a - b).map((key) => `\t${apiText(key, versions.get(key))}`);
}

function apiText(key: number, range: VersionRange | undefined): string {
  const api = apis.get(key);
  if (range === undefined) return `${api!.name}(${key}): UNSUPPORTED`;
  const spoken =
    range.minVersion === range.maxVersion ? `${range.minVersion}` : `${range.minVersion} to ${range.maxVersion}`;
  if (api === undefined) return `UNKNOWN(${key}): ${spoken}`;
  const [first, last] = bounds(api.request.versions);
  const usable = Math.min(last, range.maxVersion);
  return `${api.name}(${key}): ${spoken} [${usable < Math.max(first, range.minVersion) ? 'unusable: node too new' : `usable: ${usable}`}]`;
}

if (import.meta.main) await runTool(kafkaBrokerApiVersions);
