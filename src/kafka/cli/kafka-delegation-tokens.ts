/** kafka-delegation-tokens.sh of 3.9. */
import { KafkaError } from '../protocol/errors.ts';
import { exceptionOf } from './command-error.ts';
import { TOOLS_VERSION } from './generation.ts';
import { checkTokenOptions, DESCRIPTION, specs } from './kafka-delegation-tokens-options.ts';
import { parseOptions } from './option-parser.ts';
import { TokenCommands } from './token-commands.ts';
import { runTool, type Tool, usageExit } from './tool.ts';
import { withAdmin } from './with-admin.ts';

export const kafkaDelegationTokens: Tool = async (args, io, runtime) => {
  try {
    const options = parseOptions(specs, args);
    if (args.length === 0 || options.has('help')) throw usageExit(DESCRIPTION, specs);
    if (options.has('version')) {
      io.out(`${TOOLS_VERSION}\n`);
      return 0;
    }
    checkTokenOptions(options);
    const { clock } = runtime;
    await withAdmin(options, runtime, ({ tokens }) => new TokenCommands({ tokens, options, io, clock }).run());
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
