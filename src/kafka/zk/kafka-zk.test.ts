import assert from 'node:assert/strict';
import test from 'node:test';
import type { SimMachine } from '../../runtime/sim/sim-machine.ts';
import { Simulation, simulateZookeeper } from '../../testing/index.ts';
import { connectZookeeper } from '../../zookeeper/client/client.ts';
import { BrokerIdInUseError } from './broker-registration.ts';
import { ControllerMovedError } from './controller-election.ts';
import { KafkaZk } from './kafka-zk.ts';
import { DamagedProducerIdBlockError, decodeConfigChange, paths } from './znodes.ts';

async function world() {
  const sim = new Simulation({ seed: 5 });
  const zookeeper = simulateZookeeper(sim);
  await zookeeper.start();
  const connect = `${zookeeper.machine.host}:2181`;
  const door = (machine: SimMachine, sessionTimeoutMs = 6000): KafkaZk => {
    const { runtime } = machine;
    return new KafkaZk(connectZookeeper(runtime, { connect, sessionTimeoutMs }), runtime.clock, runtime.random);
  };
  const machine = sim.machine('one');
  const zk = door(machine);
  await sim.complete(zk.createPersistentPaths());
  return { sim, zookeeper, machine, zk, door, run: <T>(promise: Promise<T>) => sim.complete(promise) };
}

const info = (id: number) => ({
  id,
  rack: null,
  endpoints: [{ listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: 'h', port: 9092 } as const],
});
const state = (leader: number) => ({
  leader,
  leaderEpoch: 0,
  isr: [leader],
  controllerEpoch: 1,
  leaderRecoveryState: 0,
});
const topic = (topicId: string) => ({
  topicId,
  partitions: new Map([[0, { replicas: [1], addingReplicas: [], removingReplicas: [] }]]),
});

test('a broker is registered as 3.9 does it: a fresh znode has data version 1, its czxid is the epoch', async () => {
  const { zk, run } = await world();
  const epoch = await run(zk.registerBroker(info(1)));
  const { stat } = await run(zk.client.getData(paths.broker(1)));
  assert.equal(stat.version, 1);
  assert.equal(Number(stat.czxid), epoch);
  assert.equal(stat.ephemeralOwner, zk.client.sessionId);
  const live = await run(zk.liveBrokers());
  assert.deepEqual([...live], [[1, { info: info(1), epoch }]]);
});

test('a znode of the own session is replaced: the broker has a new epoch', async () => {
  const { zk, run } = await world();
  const first = await run(zk.registerBroker(info(1)));
  assert.ok((await run(zk.registerBroker(info(1)))) > first);
});

test('the znode of a killed broker is waited for, that of a live one is not taken', async () => {
  const { sim, zk, run, door, machine } = await world();
  await run(zk.registerBroker(info(1)));
  const rival = door(sim.machine('two'));
  await assert.rejects(run(rival.registerBroker(info(1))), BrokerIdInUseError);
  const begun = sim.nowMs;
  machine.crash('process');
  await run(rival.registerBroker(info(1)));
  assert.ok(sim.nowMs - begun < 9000, 'no longer than the dead session lives');
});

test('of many candidates one is elected, and each election raises the epoch', async () => {
  const { sim, zk, run, door } = await world();
  const rivals = [2, 3, 4].map((id) => ({ id, zk: door(sim.machine(`m${id}`)) }));
  const results = await run(Promise.all([{ id: 1, zk }, ...rivals].map((one) => one.zk.electController(one.id))));
  const winners = results.flatMap((epoch, index) => (epoch === undefined ? [] : [{ id: index + 1, epoch }]));
  assert.equal(winners.length, 1);
  assert.equal(winners[0]?.epoch.epoch, 1);
  assert.equal(await run(zk.controller()), winners[0]?.id);
  await run(zk.client.delete(paths.controller));
  assert.equal((await run(zk.electController(1)))?.epoch, 2);
});

test('an election whose answer was lost with its connection is won all the same', async () => {
  const { sim, zookeeper, machine, zk, run } = await world();
  for (let epoch = 1; epoch <= 40; epoch += 1) {
    const election = zk.electController(1);
    await sim.runFor(epoch / 8);
    sim.network.resetBetween(zookeeper.machine, machine);
    assert.deepEqual(await run(election), { epoch, zkVersion: epoch });
    await sim.runFor(2000);
    await run(zk.client.delete(paths.controller));
  }
});

test('requests under way when the connection is lost are repeated', async () => {
  const { sim, zookeeper, machine, zk, run } = await world();
  for (let round = 0; round < 20; round += 1) {
    const work = Promise.all([
      zk.setConfig('topics', 't', new Map([['retention.ms', String(round)]])),
      zk.liveBrokers(),
      zk.requestTopicDeletion('t'),
    ]);
    await sim.runFor(round % 5);
    sim.network.resetBetween(machine, zookeeper.machine);
    await run(work);
    assert.equal((await run(zk.config('topics', 't'))).get('retention.ms'), String(round));
  }
});

test('nothing that a controller of the past writes is written', async () => {
  const { sim, zk, run, door } = await world();
  const past = await run(zk.electController(1));
  assert.ok(past);
  await run(zk.createTopic('t', topic('A'), new Map()));
  await run(zk.createPartition(past, 't', 0, state(1)));
  await run(zk.client.delete(paths.controller));
  const other = door(sim.machine('two'));
  assert.ok(await run(other.electController(2)));
  const writes: (() => Promise<unknown>)[] = [
    () => zk.setPartitionState(past, 't', 0, state(9), 0),
    () => zk.createPartition(past, 't', 1, state(9)),
    () => zk.setTopic('t', topic('B'), past),
    () => zk.removeTopic(past, 't', [0]),
    () => zk.forgetTopicDeletion(past, 't'),
  ];
  for (const write of writes) await assert.rejects(run(write()), ControllerMovedError);
  await run(zk.resignController(past));
  assert.equal(await run(zk.controller()), 2, 'nor does it take the controllership from its successor');
  assert.equal((await run(zk.partitionState('t', 0)))?.state.leader, 1);
  assert.equal((await run(zk.topic('t')))?.topicId, 'A');
});

test('a partition state is written on the version that was read, or not at all', async () => {
  const { zk, run } = await world();
  const epoch = await run(zk.electController(1));
  assert.ok(epoch);
  await run(zk.createTopic('t', topic('A'), new Map()));
  assert.equal(await run(zk.createPartition(epoch, 't', 0, state(1))), true);
  assert.equal(await run(zk.createPartition(epoch, 't', 0, state(2))), false);
  assert.equal(await run(zk.setPartitionState(epoch, 't', 0, state(3), 0)), 1);
  assert.equal(await run(zk.setPartitionState(epoch, 't', 0, state(4), 0)), undefined);
  assert.deepEqual(await run(zk.partitionState('t', 0)), { state: state(3), zkVersion: 1 });
});

test('a topic goes with all that is below it, known or not', async () => {
  const { zk, run } = await world();
  const epoch = await run(zk.electController(1));
  assert.ok(epoch);
  await run(zk.createTopic('t', topic('A'), new Map([['retention.ms', '1']])));
  await run(zk.createPartition(epoch, 't', 0, state(1)));
  await run(zk.createPartition(epoch, 't', 7, state(1)));
  await run(zk.requestTopicDeletion('t'));
  await run(zk.removeTopic(epoch, 't', [0]));
  for (const path of [paths.topic('t'), paths.entityConfig('topics', 't'), paths.deleteTopic('t')]) {
    assert.equal(await run(zk.client.exists(path)), undefined);
  }
});

test('blocks of producer ids never overlap, whoever takes them', async () => {
  const { sim, zk, run, door } = await world();
  const rivals = [zk, door(sim.machine('two')), door(sim.machine('three'))];
  const blocks = await run(Promise.all([...rivals, ...rivals].map((one, id) => one.allocateProducerIds(id))));
  const firsts = blocks.map(({ first }) => first).sort((a, b) => a - b);
  assert.deepEqual(firsts, [0, 1000, 2000, 3000, 4000, 5000]);
  await run(zk.client.setData(paths.producerIdBlock, '{"version":1'));
  await assert.rejects(run(zk.allocateProducerIds(1)), DamagedProducerIdBlockError);
});

test('brokers that start together agree on one cluster id, and generated broker ids differ', async () => {
  const { sim, zk, run, door } = await world();
  const rivals = [zk, door(sim.machine('two')), door(sim.machine('three'))];
  const ids = await run(Promise.all(rivals.map((one) => one.clusterId())));
  assert.equal(new Set(ids).size, 1);
  assert.match(ids[0] ?? '', /^[\w-]{22}$/);
  const generated = await run(Promise.all(rivals.map((one) => one.generateBrokerId(1000))));
  assert.deepEqual(generated.sort(), [1001, 1002, 1003]);
});

test('a configuration change is announced in order, and when it is old whoever takes another removes it', async () => {
  const { sim, zk, run, door } = await world();
  const other = door(sim.machine('two'));
  let heard = 0;
  const take = async (from: KafkaZk, onChange = (): void => undefined): Promise<(string | undefined)[]> =>
    (await run(from.configChanges.take(onChange))).map(decodeConfigChange);
  const names = (): Promise<string[]> => run(zk.client.getChildren(paths.configChanges));
  await take(zk, () => (heard += 1));
  await run(other.announceConfigChange('topics/a'));
  await run(other.announceConfigChange('brokers/<default>'));
  await sim.runFor(100);
  assert.equal(heard, 1);
  assert.deepEqual(await take(zk), ['topics/a', 'brokers/<default>']);
  await sim.runFor(15 * 60_000);
  await run(other.announceConfigChange('topics/b'));
  assert.equal((await names()).length, 3, 'none goes before another is taken');
  assert.deepEqual(await take(zk), ['topics/b'], 'what was taken once is not taken again');
  assert.deepEqual(await names(), ['config_change_0000000002']);
});
