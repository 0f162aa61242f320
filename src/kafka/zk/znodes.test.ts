import assert from 'node:assert/strict';
import test from 'node:test';
import { ZERO_UUID } from '../../wire/schema.ts';
import {
  DamagedProducerIdBlockError,
  decodeBroker,
  decodeClusterId,
  decodeConfig,
  decodeConfigChange,
  decodeController,
  decodePartitionState,
  decodeTopic,
  encodeBroker,
  encodeClusterId,
  encodeConfig,
  encodeConfigChange,
  encodeController,
  encodeFeature,
  encodePartitionState,
  encodeProducerIdBlock,
  encodeTopic,
  firstProducerIdAfter,
} from './znodes.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const json = (encoded: Uint8Array): unknown => JSON.parse(Buffer.from(encoded).toString());

const partition = (replicas: number[], addingReplicas: number[] = [], removingReplicas: number[] = []) => ({
  replicas,
  addingReplicas,
  removingReplicas,
});

test("a broker's znode as 2.1.0 and as 3.9.1 write it", () => {
  const endpoints = [{ listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: 'h', port: 9092 }];
  const old =
    '{"listener_security_protocol_map":{"PLAINTEXT":"PLAINTEXT"},"endpoints":["PLAINTEXT://h:9092"],"jmx_port":-1,' +
    '"host":"h","timestamp":"1795430942111","port":9092,"version":4}';
  assert.deepEqual(decodeBroker(1, bytes(old)), { id: 1, endpoints, rack: null });
  const recent =
    '{"features":{},"listener_security_protocol_map":{"PLAINTEXT":"PLAINTEXT"},"endpoints":["PLAINTEXT://h:9092"],' +
    '"jmx_port":-1,"rack":"r1","port":9092,"host":"h","version":5,"timestamp":"1795430942111"}';
  assert.deepEqual(decodeBroker(1, bytes(recent)), { id: 1, endpoints, rack: 'r1' });
});

test('a broker is written with the types that Apache reads: the timestamp is text, ports are numbers', () => {
  const endpoints = [
    { listenerName: 'INTERNAL', securityProtocol: 'SASL_SSL', host: 'in', port: 1 },
    { listenerName: 'CLIENT', securityProtocol: 'PLAINTEXT', host: 'out', port: 2 },
  ] as const;
  assert.deepEqual(json(encodeBroker({ id: 3, endpoints, rack: null }, 1795430942111)), {
    features: {},
    listener_security_protocol_map: { INTERNAL: 'SASL_SSL', CLIENT: 'PLAINTEXT' },
    endpoints: ['INTERNAL://in:1', 'CLIENT://out:2'],
    jmx_port: -1,
    port: 2,
    host: 'out',
    version: 5,
    timestamp: '1795430942111',
  });
  const info = { id: 3, endpoints, rack: 'r' };
  assert.deepEqual(decodeBroker(3, encodeBroker(info, 0)), info);
});

test('an IPv6 endpoint loses its brackets', () => {
  assert.equal(decodeBroker(0, bytes('{"endpoints":["PLAINTEXT://[::1]:9092"]}'))?.endpoints[0]?.host, '::1');
});

test('the first versions of a broker znode had one host and port', () => {
  const found = decodeBroker(1, bytes('{"host":"localhost","port":9092,"jmx_port":9999,"version":1,"timestamp":"2"}'));
  const endpoint = { listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: 'localhost', port: 9092 };
  assert.deepEqual(found?.endpoints, [endpoint]);
});

test('a topic of a 2.1 tool has no id; one of 3.9 has its id and its moves', () => {
  assert.deepEqual(decodeTopic(bytes('{"version":1,"partitions":{"0":[1,2],"1":[2,1]}}')), {
    topicId: ZERO_UUID,
    partitions: new Map([
      [0, partition([1, 2])],
      [1, partition([2, 1])],
    ]),
  });
  const moving =
    '{"partitions":{"0":[3,1,2]},"topic_id":"5QjiAAAAAAAAAAAAAAAAAA","adding_replicas":{"0":[3]},' +
    '"removing_replicas":{"0":[1]},"version":3}';
  const topic = { topicId: '5QjiAAAAAAAAAAAAAAAAAA', partitions: new Map([[0, partition([3, 1, 2], [3], [1])]]) };
  assert.deepEqual(decodeTopic(bytes(moving)), topic);
  assert.deepEqual(json(encodeTopic(topic)), JSON.parse(moving));
});

test('moves are written only for partitions that move', () => {
  const still = { topicId: 'a', partitions: new Map([[0, partition([1])]]) };
  assert.deepEqual(json(encodeTopic(still)), {
    partitions: { 0: [1] },
    topic_id: 'a',
    adding_replicas: {},
    removing_replicas: {},
    version: 3,
  });
});

test('a partition state says that it recovers only while it does', () => {
  const text = '{"controller_epoch":1,"leader":1,"version":1,"leader_epoch":0,"isr":[1,2]}';
  const state = { controllerEpoch: 1, leader: 1, leaderEpoch: 0, isr: [1, 2], leaderRecoveryState: 0 };
  assert.deepEqual(decodePartitionState(bytes(text)), state);
  assert.deepEqual(json(encodePartitionState(state)), JSON.parse(text));
  const recovering = { ...state, leaderRecoveryState: 1 };
  assert.equal(Buffer.from(encodePartitionState(recovering)).toString().includes('"leader_recovery_state":1'), true);
  assert.deepEqual(decodePartitionState(encodePartitionState(recovering)), recovering);
});

test('the controller znode of 2.1 and 3.9', () => {
  assert.equal(decodeController(bytes('{"version":1,"brokerid":0,"timestamp":"1795430942299"}')), 0);
  assert.deepEqual(json(encodeController(2, 17)), {
    version: 2,
    brokerid: 2,
    timestamp: '17',
    kraftControllerEpoch: -1,
  });
});

test('the version of the cluster id is text', () => {
  assert.deepEqual(json(encodeClusterId('33wN1O4eTq2g3TKt896ATQ')), { version: '1', id: '33wN1O4eTq2g3TKt896ATQ' });
  assert.equal(decodeClusterId(bytes('{"version":"1","id":"33wN1O4eTq2g3TKt896ATQ"}')), '33wN1O4eTq2g3TKt896ATQ');
});

test('configuration values are text, whoever wrote them', () => {
  assert.deepEqual(json(encodeConfig(new Map([['retention.ms', '1000']]))), {
    version: 1,
    config: { 'retention.ms': '1000' },
  });
  const byHand = '{"version":1,"config":{"retention.ms":1000,"preallocate":true}}';
  assert.deepEqual(
    [...decodeConfig(bytes(byHand))],
    [
      ['retention.ms', '1000'],
      ['preallocate', 'true'],
    ],
  );
  assert.equal(decodeConfig(null).size, 0);
});

test('a change of configuration is named by its path; the first version named type and entity apart', () => {
  assert.deepEqual(json(encodeConfigChange('users/<default>')), { version: 2, entity_path: 'users/<default>' });
  assert.equal(decodeConfigChange(bytes('{"version":2,"entity_path":"topics/t"}')), 'topics/t');
  assert.equal(decodeConfigChange(bytes('{"version":1,"entity_type":"topics","entity_name":"t"}')), 'topics/t');
  assert.equal(decodeConfigChange(bytes('{}')), undefined);
});

test('producer id blocks follow each other; a damaged one is never taken for the first', () => {
  assert.equal(firstProducerIdAfter(null), 0);
  assert.equal(firstProducerIdAfter(new Uint8Array(0)), 0);
  const block = '{"version":1,"broker":0,"block_start":"0","block_end":"999"}';
  assert.equal(firstProducerIdAfter(bytes(block)), 1000);
  assert.deepEqual(json(encodeProducerIdBlock({ broker: 0, first: 0, last: 999 })), JSON.parse(block));
  for (const damaged of ['{', '{}', '{"block_end":"much"}', '{"block_end":"9223372036854775807"}']) {
    assert.throws(() => firstProducerIdAfter(bytes(damaged)), DamagedProducerIdBlockError);
  }
});

test('the feature node of 3.3 and later', () => {
  assert.deepEqual(json(encodeFeature()), { features: {}, version: 2, status: 1 });
});

test('damaged znodes are no values', () => {
  for (const damaged of ['', '[]', '7', '{"leader', 'null']) {
    assert.equal(decodeTopic(bytes(damaged)), undefined);
    assert.equal(decodeBroker(0, bytes(damaged)), undefined);
    assert.equal(decodePartitionState(bytes(damaged)), undefined);
    assert.equal(decodeController(bytes(damaged)), undefined);
    assert.equal(decodeClusterId(bytes(damaged)), undefined);
  }
  assert.equal(decodeTopic(null), undefined);
});
