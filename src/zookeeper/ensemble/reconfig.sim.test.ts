import assert from 'node:assert/strict';
import test from 'node:test';
import type { ZookeeperClient } from '../client/client.ts';
import { DynamicEnsemble } from './testkit/dynamic-ensemble.ts';

const onLog = process.env.SIM_LOG === undefined ? undefined : (line: string) => console.log(line);

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
  const answer = client.reconfigure({ leaving: '3' });
  // all have it in their logs before it is over, and still it is the next leader's to commit
  const behind = client.create('/behind', '').then(
    () => 'agreed',
    (error) => error.name,
  );
  assert.equal(rolesIn(String((await ensemble.complete(answer)).data)), '1 2');
  assert.equal(await ensemble.complete(behind), 'ConnectionLoss');
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
  await ensemble.sim.runFor(100);
  assert.deepEqual([await ensemble.listensAt(2, 3888), await ensemble.listensAt(2, 4888)], [false, true]);
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

interface Stalled {
  readonly ensemble: DynamicEnsemble;
  readonly before: string;
  readonly client: ZookeeperClient;
  /** How the reconfiguration ended; undefined before that. */
  readonly answer: () => string | undefined;
}

/** Two of the new members fall silent at once, and are believed to be there for a while: nothing is agreed on. */
async function stalled(): Promise<Stalled> {
  const ensemble = await DynamicEnsemble.found({ onLog });
  for (const id of [4, 5]) await ensemble.join(id);
  const before = await ensemble.works([1, 2, 3, 4, 5]);
  for (const id of [4, 5]) ensemble.sim.network.isolate(ensemble.member(id).machine);
  const client = ensemble.client([3]);
  await ensemble.complete(client.create('/before', ''));
  let answer: string | undefined;
  const change = { joining: [4, 5].map((id) => ensemble.line(id)).join(), leaving: '1' };
  client.reconfigure(change).then(
    () => {
      answer = 'agreed';
    },
    (error) => {
      answer = error.name;
    },
  );
  await ensemble.sim.runFor(100);
  return { ensemble, before, client, answer: () => answer };
}

test('one reconfiguration at a time, and it needs a quorum of the old servers and of the new ones', async () => {
  const { ensemble, before, client, answer } = await stalled();
  let refused: string | undefined;
  client.reconfigure({ leaving: '1' }).catch((error) => {
    refused = error.name;
  });
  await ensemble.sim.runFor(700);
  // two of the old ones have all of this; of 2 3 4 5 two are not enough
  assert.deepEqual(new Set(ensemble.texts([1, 2, 3])), new Set([before]));
  assert.equal(answer(), undefined);
  ensemble.sim.network.heal();
  await ensemble.sim.runUntil(() => answer() !== undefined && refused !== undefined, 20_000);
  assert.deepEqual([answer(), refused], ['agreed', 'ReconfigInProgress']);
  assert.equal(rolesIn(await ensemble.works([2, 3, 4, 5])), '2 3 4 5');
  assert.deepEqual(ensemble.fatal, []);
});

test('who comes while a membership is not agreed on keeps the old one in force', async () => {
  const { ensemble, before } = await stalled();
  ensemble.member(1).crash('process');
  await ensemble.member(1).start();
  await ensemble.serving([1], 1000);
  assert.deepEqual(ensemble.texts([1]), [before]);
  assert.equal(rolesIn(ensemble.member(1).server?.memberships.lastSeen.text ?? ''), '2 3 4 5');
});

test('a leader without a quorum of the next membership leads no more; the next leader completes it', async () => {
  const { ensemble, answer } = await stalled();
  await ensemble.sim.runUntil(() => ensemble.leader() === undefined, 4000);
  await ensemble.sim.runFor(20_000);
  assert.equal(ensemble.leader(), undefined, 'nobody is elected by the old servers alone');
  assert.equal(answer(), 'ConnectionLoss');
  ensemble.sim.network.heal();
  assert.equal(rolesIn(await ensemble.works([2, 3, 4, 5])), '2 3 4 5');
  assert.deepEqual(ensemble.fatal, []);
});

test('what was answered outlives the power of all, if the leader comes back with a quorum of the new servers', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const ensemble = await DynamicEnsemble.found({ seed, onLog });
    for (const id of [4, 5]) await ensemble.join(id);
    await ensemble.works([1, 2, 3, 4, 5]);
    let text: string | undefined;
    const client = ensemble.client([3]);
    client.reconfigure({ joining: [4, 5].map((id) => ensemble.line(id)).join() }).then(({ data }) => {
      text = String(data);
    });
    await ensemble.sim.runUntil(() => text !== undefined, 5000);
    for (const id of [1, 2, 3, 4, 5]) ensemble.member(id).crash('power');
    for (const id of [3, 4, 5]) await ensemble.comeBack(id, { isJoining: id > 3 });
    assert.equal(await ensemble.works([3, 4, 5]), text, `seed ${seed}`);
  }
});
