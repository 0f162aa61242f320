/** kafka-delegation-tokens.sh of 3.9. */
import { createAdmin } from '../client/admin.ts';
import { KafkaError } from '../protocol/errors.ts';
import { adminOptions } from './client-config.ts';
import { exceptionOf } from './command-error.ts';
import { TOOLS_VERSION } from './generation.ts';
import { checkTokenOptions, DESCRIPTION, specs } from './kafka-delegation-tokens-options.ts';
import { parseOptions } from './option-parser.ts';
import { TokenCommands } from './token-commands.ts';
import { propertiesFile, runTool, type Tool, usageExit } from './tool.ts';

export const kafkaDelegationTokens: Tool = async (args, io, runtime) => {
  try {
    const options = parseOptions(specs, args);
    if (args.length === 0 || options.has('help')) throw usageExit(DESCRIPTION, specs);
    if (options.has('version')) {
      io.out(`${TOOLS_VERSION}\n`);
      return 0;
    }
    checkTokenOptions(options);
    const properties = propertiesFile(options.value('command-config'));
    properties.set('bootstrap.servers', options.value('bootstrap-server')!);
    const admin = createAdmin(runtime, adminOptions(runtime, properties));
    try {
      await new TokenCommands({ tokens: admin.tokens, options, io, clock: runtime.clock }).run();
    } finally {
      admin.close();
    }
    return 0;
  } catch (error) {
    const exception = exceptionOf(error);
    if (exception === undefined) throw error;
    const { message } = error as Error;
    io.err(
      error instanceof KafkaError
        ? `${exception}: ${message}\njava.util.concurrent.ExecutionException: ${exception}: ${message}\n\n`
        : `${message}\n${exception}: ${message}\n\n`,
    );
    return 1;
  }
};

if (import.meta.main) await runTool(kafkaDelegationTokens);
