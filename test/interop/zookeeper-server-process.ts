/** Our server as a process of its own, to be killed: `node zookeeper-server-process.ts zoo.cfg`. Prints the port it serves on. */
import { readFileSync } from 'node:fs';
import { readZooCfg } from '../../src/config/zoo-cfg.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { startZookeeper } from '../../src/zookeeper/ensemble/start-zookeeper.ts';

const config = readZooCfg(readFileSync(process.argv[2] ?? '', 'latin1'));
const server = await startZookeeper(nodeRuntime({ logStream: process.stderr, logLevel: 'warn' }), config, {
  onFatal: () => process.exit(1),
});
process.stdout.write(`serving on ${server.clientAddress.port}\n`);
process.on('SIGTERM', () => {
  server.close().then(() => process.exit(0));
});
