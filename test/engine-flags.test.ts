import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { brokerCommand } from '../src/kafka/cli/server-process.ts';
import { ENGINE_FLAGS } from '../src/runtime/node/engine-flags.ts';
import { serverCommand } from '../src/zookeeper/cli/server-process.ts';

test('whoever starts a server gives the engine the same flags', () => {
  const flags = ENGINE_FLAGS.join(' ');
  const text = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
  for (const command of [serverCommand('zoo.cfg'), brokerCommand(['server.properties'])]) {
    assert.equal(command.slice(1, 1 + ENGINE_FLAGS.length).join(' '), flags);
  }
  const { scripts } = JSON.parse(text('package.json')) as { scripts: Record<string, string> };
  // In the shell's place: what stops npm stops the servers.
  assert.equal(scripts.start, `exec node ${flags} src/cli/odradek.js start`);
  for (const launcher of ['zkServer.sh', 'zookeeper-server-start.sh', 'kafka-server-start.sh']) {
    assert.ok(text(`bin/${launcher}`).includes(`\nexec node ${flags} "$tool" `), launcher);
  }
  const growth = ENGINE_FLAGS.find((flag) => flag.includes('growing'));
  assert.ok(text('src/cli/odradek.js').includes(`setFlagsFromString('${growth}')`));
});
