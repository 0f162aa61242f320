/** kafka-configs.sh: with `--zookeeper` as in 2.1, otherwise as in 3.9. */
import { exceptionOf } from './command-error.ts';
import { ConfigsByAdmin } from './configs-by-admin.ts';
import { configsByZookeeper } from './configs-by-zookeeper.ts';
import { isGiven, TOOLS_VERSION } from './generation.ts';
import { checkConfigOptions, DESCRIPTION, entitiesOf, OLD_DESCRIPTION, specs } from './kafka-configs-options.ts';
import { OptionError, type ParsedOptions, parseOptions } from './option-parser.ts';
import { runTool, type Tool, ToolExit, usageExit } from './tool.ts';
import { withAdmin } from './with-admin.ts';

export const kafkaConfigs: Tool = async (args, io, runtime) => {
  const isOldTool = isGiven('zookeeper', args);
  const options = parsed(args);
  if (args.length === 0 || options.has('help')) throw usageExit(isOldTool ? OLD_DESCRIPTION : DESCRIPTION, specs);
  if (options.has('version')) {
    io.out(`${TOOLS_VERSION}\n`);
    return 0;
  }
  const entities = entitiesOf(options, args);
  checkConfigOptions(options, entities);
  try {
    if (isOldTool) {
      await configsByZookeeper(options, entities, io, runtime);
      return 0;
    }
    await withAdmin(options, runtime, (admin) => new ConfigsByAdmin(admin, options, entities, io).run());
    return 0;
  } catch (error) {
    const exception = exceptionOf(error);
    if (exception === undefined) throw error;
    io.err(`Error while executing config command with args '${args.join(' ')}'\n`);
    io.err(`java.util.concurrent.ExecutionException: ${exception}: ${(error as Error).message}\n`);
    return 1;
  }
};

function parsed(args: readonly string[]): ParsedOptions {
  try {
    return parseOptions(specs, args);
  } catch (error) {
    if (error instanceof OptionError) throw new ToolExit(`${error.message}\n`);
    throw error;
  }
}

if (import.meta.main) await runTool(kafkaConfigs);
