/** The broker's process: `kafka-server [-Dkafka.logs.dir=DIR] kafka.Kafka odradek <server.properties> [--override key=value]*`. */
import { runBroker, withoutMarks } from './run-broker.ts';
import { LOG_DIR_FLAG } from './server-process.ts';

const [first = '', ...rest] = process.argv.slice(2);
const logDir = first.startsWith(LOG_DIR_FLAG) ? first.slice(LOG_DIR_FLAG.length) : undefined;
process.exit(await runBroker(withoutMarks(logDir === undefined ? [first, ...rest] : rest), logDir));
