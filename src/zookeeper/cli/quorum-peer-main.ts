/** The server's process: `quorum-peer-main [-Dname=value]* <marks…> <zoo.cfg>`. The scripts start it, in the foreground or as a daemon. */
import { runServer } from './run-server.ts';

const configFile = process.argv.at(-1) ?? '';
process.exitCode = await runServer(configFile, process.argv.slice(2, -1));
