import assert from 'node:assert/strict';
import test from 'node:test';
import { OpCode } from '../../jute/op-codes.ts';
import { create, multi, remove, setData } from '../testkit/requests.ts';
import { ServerWorld } from '../testkit/server-world.ts';
import { auditLine } from './audit-event.ts';

/** The lines of the audit log, with their levels. */
function auditOf(world: ServerWorld): string[] {
  return world.logged
    .filter((line) => line.includes('Slf4jAuditLogger'))
    .map((line) => /(?:session|user)=.*result=\w+/.exec(line)?.[0] ?? line);
}

test('a line holds the fields that are there, by tabs, and no value can look like another field', () => {
  assert.equal(
    auditLine({ operation: 'create', session: '0x1', user: 'a\tresult=success\n', result: 'failure' }),
    'session=0x1\tuser=a\\u0009result=success\\u000a\toperation=create\tresult=failure',
  );
});

test('nothing is audited by default', async () => {
  const world = await ServerWorld.start();
  await world.complete(world.client().create('/a', null));
  assert.deepEqual(auditOf(world), []);
});

test('start, every kind of change, what a session leaves, and stop are audited in their order', async () => {
  const world = await ServerWorld.start({ config: { 'audit.enable': true } });
  const client = await world.open();
  client.sendTogether([
    create('/e', 'x', 1),
    create('/s-', 'x', 2),
    setData('/e', 'y'),
    remove('/nope'),
    { type: OpCode.multi, body: multi(create('/m', 'x'), setData('/e', 'z')).body },
    { type: OpCode.multi, body: multi(create('/n', 'x'), remove('/nope')).body },
    create('bad path\twith a tab', ''),
  ]);
  await world.until(() => client.heard.length === 7);
  client.send(OpCode.closeSession);
  await world.until(() => client.isClosed);
  await world.complete(world.server.close());
  const session = `session=0x${(client.session?.sessionId ?? 0n).toString(16)}`;
  const who = `${session}\tuser=${world.clients.host}\tip=${world.clients.host}`;
  assert.deepEqual(auditOf(world), [
    'user=user\toperation=serverStart\tresult=success',
    `${who}\toperation=create\tznode=/e\tznode_type=ephemeral\tresult=success`,
    `${who}\toperation=create\tznode=/s-0000000001\tznode_type=persistent_sequential\tresult=success`,
    `${who}\toperation=setData\tznode=/e\tresult=success`,
    `${who}\toperation=delete\tznode=/nope\tresult=failure`,
    `${who}\toperation=create\tznode=/m\tznode_type=persistent\tresult=success`,
    `${who}\toperation=setData\tznode=/e\tresult=success`,
    `${who}\toperation=multiOperation\tresult=failure`,
    `${who}\toperation=create\tznode=bad path\\u0009with a tab\tznode_type=persistent\tresult=failure`,
    `${session}\tuser=user\toperation=ephemeralZNodeDeletionOnSessionCloseOrExpire\tznode=/e\tresult=success`,
    'user=user\toperation=serverStop\tresult=invoked',
  ]);
});

test('a start that fails is audited, without a stop', async () => {
  const world = await ServerWorld.start();
  const lines = world.logged.length;
  await assert.rejects(
    ServerWorld.start({
      config: { 'audit.enable': true, 'db.autocreate': false },
      onLog: (line) => world.logged.push(line),
    }),
    /No database/,
  );
  assert.deepEqual(auditOf({ logged: world.logged.slice(lines) } as ServerWorld), [
    'user=user\toperation=serverStart\tresult=failure',
  ]);
});

test('another audit class is refused', async () => {
  await assert.rejects(
    ServerWorld.start({ config: { 'audit.impl.class': 'com.example.Mine' } }),
    /audit\.impl\.class=com\.example\.Mine is refused/,
  );
});
