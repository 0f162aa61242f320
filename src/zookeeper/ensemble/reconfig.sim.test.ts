import assert from 'node:assert/strict';
import test from 'node:test';
import { DynamicEnsemble } from './testkit/dynamic-ensemble.ts';

const onLog = process.env['SIM_LOG'] === undefined ? undefined : (line: string) => console.log(line);

/** `1 2 3!` for two participants and an observer. */
function rolesIn(text: string): string {
  return [...text.matchAll(/^server\.(\d+)=.*:(participant|observer)/gm)]
    .map(([, id, role]) => `${id}${role === 'observer' ? '!' : ''}`)
    .join(' ');
}

function versionIn(text: string): string {
  return /version=(.*)$/.exec(text)?.[1] ?? '';
}

test('the first leader gives the membership a version, and files of their own', async () => {
  const ensemble = await DynamicEnsemble.found({ onLog });
  const text = await ensemble.works([1, 2, 3]);
  assert.equal(versionIn(text), '100000000');
  for (const id of [1, 2, 3]) {
    const { names, config, dynamic } = ensemble.filesOf(id);
    assert.deepEqual(names, ['zoo.cfg', 'zoo.cfg.bak', 'zoo.cfg.dynamic.100000000']);
    assert.doesNotMatch(config, /server\.|peerType|clientPort/);
    assert.match(config, /^dynamicConfigFile=\/conf\/zoo.cfg.dynamic.100000000$/m);
    assert.equal(`${dynamic}\nversion=100000000`, text);
  }
  assert.deepEqual(ensemble.fatal, []);
});

test('without reconfigEnabled nothing is written, nothing is changed, and who asks is told so', async () => {
  const ensemble = await DynamicEnsemble.found({ onLog, config: { reconfigEnabled: false } });
  assert.equal(versionIn(await ensemble.works([1, 2, 3])), '0');
  assert.deepEqual(ensemble.filesOf(1).names, ['zoo.cfg']);
  for (const id of [1, 3]) {
    await assert.rejects(ensemble.reconfigure({ leaving: '1' }, [id]), { name: 'ReconfigDisabled' });
  }
});

test('an ensemble of three grows to five and shrinks again', async () => {
  const ensemble = await DynamicEnsemble.found({ onLog });
  for (const id of [4, 5]) {
    await ensemble.join(id);
    assert.equal(ensemble.modeOf(id), 'follower');
    assert.equal(rolesIn(await ensemble.works([1, 2, 3])).includes(String(id)), false);
  }
  const grown = await ensemble.reconfigure({ joining: [4, 5].map((id) => ensemble.line(id)).join() }, [1]);
  assert.equal(rolesIn(grown), '1 2 3 4 5');
  assert.equal(await ensemble.works([1, 2, 3, 4, 5]), grown);
  assert.equal(ensemble.leader(), 3);

  // three of five are a quorum now, two are not
  ensemble.member(1).crash('power');
  ensemble.member(2).crash('power');
  await ensemble.works([3, 4, 5]);
  for (const id of [1, 2]) await ensemble.member(id).start();
  await ensemble.works([1, 2, 3, 4, 5]);

  const shrunk = await ensemble.reconfigure({ leaving: '4,5' }, [5]);
  assert.equal(rolesIn(shrunk), '1 2 3');
  assert.equal(await ensemble.works([1, 2, 3, 4, 5]), shrunk);
  for (const id of [4, 5]) await ensemble.member(id).stop();
  ensemble.member(1).crash('power');
  await ensemble.works([2, 3]);
  assert.deepEqual(ensemble.fatal, []);
});

test('a leader that is removed hands over without an election, and follows', async () => {
  const ensemble = await DynamicEnsemble.found({ onLog });
  assert.equal(ensemble.leader(), 3);
  const client = ensemble.client([3]);
  await ensemble.complete(client.create('/a', 'x'));
  const { data } = await ensemble.complete(client.reconfigure({ leaving: '3' }));
  assert.equal(rolesIn(String(data)), '1 2');
  await ensemble.works([1, 2, 3]);
  assert.equal(ensemble.modeOf(3), 'follower');
  const epochOfLeader = ensemble.member(3).server?.database.currentEpoch;
  assert.equal(epochOfLeader, 2);
  await ensemble.complete(client.close());
  await ensemble.member(3).stop();
  await ensemble.works([1, 2]);
  assert.deepEqual(ensemble.fatal, []);
});

test('an observer becomes a participant and an observer again, a participant an observer', async () => {
  const ensemble = await DynamicEnsemble.found({ onLog, observers: 1 });
  assert.equal(ensemble.modeOf(4), 'observer');
  await ensemble.reconfigure({ joining: ensemble.line(4) }, [4]);
  await ensemble.works([1, 2, 3, 4]);
  assert.equal(ensemble.modeOf(4), 'follower');
  await ensemble.reconfigure({ joining: `${ensemble.line(4, 'observer')},${ensemble.line(2, 'observer')}` });
  const text = await ensemble.works([1, 2, 3, 4]);
  assert.equal(rolesIn(text), '1 2! 3 4!');
  assert.deepEqual(
    [1, 2, 3, 4].map((id) => ensemble.modeOf(id)),
    ['follower', 'observer', 'leader', 'observer'],
  );
  // the leader itself; an observer is none of those who could take its place at once
  const exchange = { joining: `${ensemble.line(3, 'observer')},${ensemble.line(2)}` };
  await assert.rejects(ensemble.reconfigure(exchange), { name: 'NewConfigNoQuorum' });
  await ensemble.reconfigure({ joining: ensemble.line(2) });
  await ensemble.works([1, 2, 3, 4]);
  await ensemble.reconfigure({ joining: ensemble.line(3, 'observer') });
  assert.equal(rolesIn(await ensemble.works([1, 2, 3, 4])), '1 2 3! 4!');
  assert.deepEqual(
    [3, 4].map((id) => ensemble.modeOf(id)),
    ['observer', 'observer'],
  );
  assert.deepEqual(ensemble.fatal, []);
});

test('members change their ports: of clients, of elections, of the leader', async () => {
  const ensemble = await DynamicEnsemble.found({ onLog });
  const client = ensemble.client([1]);
  await ensemble.complete(client.create('/a', 'x'));
  await ensemble.reconfigure({ joining: ensemble.line(1, 'participant', { client: 2281 }) });
  await ensemble.sim.runFor(100);
  // who was there stays
  assert.equal(String((await ensemble.complete(client.getData('/a'))).data), 'x');
  const other = ensemble.client([1], 2281);
  assert.equal(String((await ensemble.complete(other.getData('/a'))).data), 'x');
  assert.match(ensemble.filesOf(1).dynamic, /server\.1=zk1:2888:3888:participant;0\.0\.0\.0:2281/);

  await ensemble.reconfigure({ joining: ensemble.line(2, 'participant', { election: 4888 }) }, [2, 3]);
  await ensemble.reconfigure({ joining: ensemble.line(3, 'participant', { peer: 4777 }) }, [2, 3]);
  await ensemble.works([2, 3]);
  assert.notEqual(ensemble.leader(), 3, 'who moved cannot go on leading');
  for (const id of [1, 2, 3]) await ensemble.member(id).stop();
  await ensemble.complete(Promise.all([1, 2, 3].map((id) => ensemble.member(id).launch())));
  await ensemble.works([2, 3]);
  await ensemble.serving([1]);
  assert.deepEqual(ensemble.fatal, []);
});

test('a membership whose servers are not there is refused, and everything goes on', async () => {
  const ensemble = await DynamicEnsemble.found({ onLog });
  const before = await ensemble.works([1, 2, 3]);
  const joining = [4, 5, 6].map((id) => ensemble.line(id)).join();
  await assert.rejects(ensemble.reconfigure({ joining, leaving: '1' }), { name: 'NewConfigNoQuorum' });
  await assert.rejects(ensemble.reconfigure({ leaving: '1', fromConfig: 7n }), { name: 'BadVersion' });
  await assert.rejects(ensemble.reconfigure({ leaving: '1,2' }), { name: 'BadArguments' });
  await assert.rejects(ensemble.reconfigure({ joining: 'server.9=zk9:1:2' }), { name: 'BadArguments' });
  await assert.rejects(ensemble.reconfigure({ leaving: 'all' }), { name: 'MarshallingError' });
  assert.equal(await ensemble.works([1, 2, 3]), before);
  // the full form
  const members = [3, 1].map((id) => ensemble.line(id)).join();
  assert.equal(rolesIn(await ensemble.reconfigure({ members })), '1 3');
  await ensemble.works([1, 3]);
});

test('who may not write the configuration may not reconfigure; watches on it fire', async () => {
  const ensemble = await DynamicEnsemble.found({ onLog, config: { skipACL: 'no' } });
  const client = ensemble.client([2]);
  await assert.rejects(ensemble.complete(client.reconfigure({ leaving: '1' })), { name: 'NoAuth' });
  assert.equal(ensemble.member(3).server?.memberships.lastSeen.version, 0x100000000n);

  const open = await DynamicEnsemble.found({ onLog });
  const watcher = open.client([1]);
  const events: string[] = [];
  const { stat } = await open.complete(
    watcher.getConfig({ watch: ({ type, path }) => events.push(`${type} ${path}`) }),
  );
  await open.reconfigure({ leaving: '1' }, [2]);
  await open.sim.runUntil(() => events.length > 0, 5000);
  assert.deepEqual(events, ['NodeDataChanged /zookeeper/config']);
  const after = await open.complete(watcher.getConfig());
  assert.ok(after.stat.mzxid > stat.mzxid);
  assert.equal(after.stat.version, -1);
  assert.equal(versionIn(String(after.data)), after.stat.mzxid.toString(16));
});

test('one reconfiguration at a time, and it needs a quorum of the old servers and of the new ones', async () => {
  const ensemble = await DynamicEnsemble.found({ onLog });
  for (const id of [4, 5]) await ensemble.join(id);
  const { network } = ensemble.sim;
  const machineOf = (id: number) => ensemble.member(id).machine;
  const before = await ensemble.works([1, 2, 3, 4, 5]);
  // the new ones fall silent at once, and are believed to be there for a while
  network.isolate(machineOf(4));
  network.isolate(machineOf(5));
  const client = ensemble.client([3]);
  await ensemble.complete(client.create('/before', ''));
  const change = { joining: [4, 5].map((id) => ensemble.line(id)).join(), leaving: '1' };
  const answer = client.reconfigure(change).then(
    () => 'agreed',
    (error) => error.name,
  );
  const write = client.create('/behind', '').then(
    () => 'agreed',
    (error) => error.name,
  );
  let refused = '';
  client.reconfigure({ leaving: '1' }).catch((error) => {
    refused = error.name;
  });
  await ensemble.sim.runFor(900);
  // two of the old ones have all of this; of 2 3 4 5 two are not enough
  assert.deepEqual(new Set(ensemble.texts([1, 2, 3])), new Set([before]));
  network.heal();
  await ensemble.sim.runUntil(() => refused !== '', 20_000);
  assert.equal(await ensemble.complete(answer), 'agreed');
  assert.equal(await ensemble.complete(write), 'agreed');
  assert.equal(refused, 'ReconfigInProgress');
  assert.equal(rolesIn(await ensemble.works([2, 3, 4, 5])), '2 3 4 5');
  assert.deepEqual(ensemble.fatal, []);
});
