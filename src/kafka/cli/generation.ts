import { OptionError } from './option-parser.ts';
import { ToolExit } from './tool.ts';

/** The version whose words tools speak where no old flag is given. */
export const TOOLS_VERSION = '3.9.1';

/** Whether an option stands on the command line: an old one asks for the old words. */
export function isGiven(name: string, args: readonly string[]): boolean {
  return args.some((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
}

/** Tools written in Java name the exception after its message; those in Scala let it end the thread. */
export function inJavaWords<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw new ToolExit(`${error.message}\njoptsimple.${error.exception}: ${error.message}\n`);
  }
}
