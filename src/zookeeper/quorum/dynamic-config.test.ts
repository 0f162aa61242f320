import assert from 'node:assert/strict';
import test from 'node:test';
import { readZooCfg, type ZooCfg } from '../../config/zoo-cfg.ts';
import type { Completion, Disk, DiskError } from '../../runtime/disk.ts';
import type { SimMachine } from '../../runtime/sim/sim-machine.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import { DynamicConfigFiles, readMembership } from './dynamic-config.ts';
import { isEnsemble, parseMembership } from './membership.ts';

const PATH = '/conf/zoo.cfg';
const STATIC =
  '# by hand\nclientPort=2181\ntickTime=100\ndataDir=/data\npeerType=participant\nserver.1=a:1:2\nserver.2=b:1:2;2182\n';
const OLD = 'server.1=a:1:2:participant\nserver.2=b:1:2:participant;0.0.0.0:2182\nversion=100000000';
const NEW = 'server.1=a:1:2:participant\nserver.3=c:1:2:participant;0.0.0.0:2181\nversion=10000000a';

async function machineWith(text: string): Promise<{ sim: Simulation; machine: SimMachine; files: DynamicConfigFiles }> {
  const sim = new Simulation({ seed: 3 });
  const machine = sim.machine('zk');
  const { disk } = machine.runtime;
  disk.makeDirectory('/conf');
  await completed(sim, (done) => disk.replaceFile(PATH, Buffer.from(text), done));
  await completed(sim, (done) => disk.syncDirectory('/', done));
  return { sim, machine, files: new DynamicConfigFiles(disk, PATH) };
}

function completed(sim: Simulation, act: (done: Completion) => void): Promise<DiskError | undefined> {
  return sim.complete(new Promise((resolve) => act(resolve)));
}

function configOn(disk: Disk): ZooCfg {
  return readZooCfg(Buffer.from(disk.readFile(PATH)).toString('latin1'), {}, PATH);
}

function namesIn(disk: Disk): string[] {
  return disk.list('/conf').map(({ name }) => name);
}

function textOf(disk: Disk, name: string): string {
  return Buffer.from(disk.readFile(`/conf/${name}`)).toString();
}

test('a membership is activated: a dynamic file named by its version, a static one that names it, a copy of what was', async () => {
  const { sim, machine, files } = await machineWith(STATIC);
  const { disk } = machine.runtime;
  await completed(sim, (done) => files.backUp(done));
  await completed(sim, (done) => files.writeNext(parseMembership(OLD), done));
  assert.equal(textOf(disk, 'zoo.cfg.dynamic.next'), OLD);
  await completed(sim, (done) => files.activate(parseMembership(OLD), 1, done));
  assert.deepEqual(namesIn(disk), ['zoo.cfg', 'zoo.cfg.bak', 'zoo.cfg.dynamic.100000000']);
  assert.equal(textOf(disk, 'zoo.cfg.bak'), STATIC);
  assert.equal(textOf(disk, 'zoo.cfg.dynamic.100000000'), OLD.slice(0, OLD.lastIndexOf('\n')));
  assert.equal(
    textOf(disk, 'zoo.cfg'),
    'dataDir=/data\nclientPort=2181\ntickTime=100\ndynamicConfigFile=/conf/zoo.cfg.dynamic.100000000\n',
  );
  const { current, next } = readMembership(disk, configOn(disk));
  assert.deepEqual([current.text, next], [OLD, undefined]);
  assert.ok(isEnsemble(configOn(disk), current));
});

test('who has a client port in its line loses the one in zoo.cfg', async () => {
  const { sim, machine, files } = await machineWith(STATIC);
  await completed(sim, (done) => files.activate(parseMembership(OLD), 2, done));
  assert.ok(!textOf(machine.runtime.disk, 'zoo.cfg').includes('clientPort'));
});

test('a proposed membership is read beside the one in force, and stays while it is newer', async () => {
  const { sim, machine, files } = await machineWith(STATIC);
  const { disk } = machine.runtime;
  files.writeNext(parseMembership(NEW), (error) => assert.equal(error, undefined));
  assert.equal(await completed(sim, (done) => files.activate(parseMembership(OLD), 1, done)), undefined);
  const { current, next } = readMembership(disk, configOn(disk));
  assert.deepEqual([current.text, next?.text], [OLD, NEW]);
  await completed(sim, (done) => files.activate(parseMembership(NEW), 1, done));
  assert.equal(readMembership(disk, configOn(disk)).next, undefined);
  assert.equal(readMembership(disk, configOn(disk)).current.text, NEW);
});

const refused: readonly { readonly name: string; readonly text: string | undefined; readonly says: RegExp }[] = [
  { name: 'members', text: undefined, says: /dynamicConfigFile=\/conf\/members is refused: there is no such file/ },
  { name: 'members', text: OLD, says: /the version is the end of its name/ },
  { name: 'members', text: 'tickTime=1', says: /tickTime=1 is refused: a membership has lines/ },
];
for (const { name, text, says } of refused) {
  test(`a dynamic file is refused: ${JSON.stringify(text)}`, async () => {
    const { machine } = await machineWith(`dataDir=/d\ndynamicConfigFile=/conf/${name}\n`);
    const { disk } = machine.runtime;
    if (text !== undefined) disk.writeFile(`/conf/${name}`, Buffer.from(text));
    assert.throws(() => readMembership(disk, configOn(disk)), says);
  });
}

test('a name without a version is of version 0', async () => {
  const { machine } = await machineWith('dataDir=/d\ndynamicConfigFile=/conf/members\n');
  const { disk } = machine.runtime;
  disk.writeFile('/conf/members', Buffer.from('server.1=a:1:2\nserver.2=b:1:2\n'));
  assert.equal(readMembership(disk, configOn(disk)).current.version, 0n);
});

test('what fails is told, and what comes after it is done', async () => {
  const { sim, machine, files } = await machineWith(STATIC);
  machine.disk.failNext({ operation: 'replaceFile', code: 'ENOSPC' });
  assert.equal((await completed(sim, (done) => files.activate(parseMembership(OLD), 1, done)))?.code, 'ENOSPC');
  assert.deepEqual(namesIn(machine.runtime.disk), ['zoo.cfg']);
  assert.equal(await completed(sim, (done) => files.activate(parseMembership(NEW), 1, done)), undefined);
});

for (const crash of ['process', 'power'] as const) {
  test(`a crash (${crash}) at any step leaves the membership before or the new one, and the pending one until it is activated`, async () => {
    const seen = new Set<string>();
    for (let at = 1; at <= 5; at += 1) {
      const { sim, machine, files } = await machineWith(STATIC);
      await completed(sim, (done) => files.activate(parseMembership(OLD), 1, done));
      machine.disk.setTrap({ at, changesOnly: true, act: () => machine.crash(crash) });
      let isDone = false;
      files.writeNext(parseMembership(NEW), () => undefined);
      files.activate(parseMembership(NEW), 1, (error) => {
        isDone = error === undefined;
      });
      await sim.runFor(1000);
      const disk = machine.alive ? machine.runtime.disk : machine.restart().disk;
      const { current, next } = readMembership(disk, configOn(disk));
      assert.ok([OLD, NEW].includes(current.text), current.text);
      assert.ok(at === 1 || current.text === NEW || next?.text === NEW, `crash at ${at}: neither in force nor pending`);
      if (isDone) assert.equal(current.text, NEW);
      seen.add(`${current.text === NEW} ${next?.text === NEW}`);
    }
    assert.deepEqual([...seen].sort(), ['false false', 'false true', 'true false', 'true true']);
  });
}
