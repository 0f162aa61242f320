/** zkCli.sh: a command given as arguments, or a shell over standard input. */
import { exitWith, zkCli } from './run-cli.ts';

exitWith(await zkCli(process.argv.slice(2)));
