import assert from 'node:assert/strict';
import test from 'node:test';
import { ConfigError } from '../../../config/config-error.ts';
import { authorizerConfigOf } from './authorizer-config.ts';
import { brokerKeys } from './broker-keys.ts';
import { checkValue, KafkaConfig } from './kafka-config.ts';

const config = (given: Record<string, string>): KafkaConfig =>
  new KafkaConfig(new Map(Object.entries({ 'zookeeper.connect': 'localhost:2181', ...given })));

test('every default is a legal value of its own key', () => {
  for (const key of brokerKeys.values()) if (key.default !== null) checkValue(key, key.default);
});

test('what is not given has Apache 3.9’s default', () => {
  const defaults = config({});
  assert.equal(defaults.number('message.max.bytes'), 1_048_588);
  assert.equal(defaults.number('log.message.timestamp.after.max.ms'), Infinity);
  assert.deepEqual(defaults.logDirs, ['/tmp/kafka-logs']);
  assert.deepEqual(defaults.listeners, [
    { listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: '', port: 9092 },
  ]);
  assert.equal(defaults.duration('log.retention'), 168 * 3_600_000);
});

test('the finer unit of a duration wins, and -1 stays "for ever"', () => {
  assert.equal(config({ 'log.retention.minutes': '2', 'log.retention.hours': '1' }).duration('log.retention'), 120_000);
  assert.equal(config({ 'log.retention.ms': '-1' }).duration('log.retention'), -1);
});

test('listeners are named, mapped and advertised', () => {
  const given = config({
    listeners: 'LAN://0.0.0.0:9092,LOCAL://[::1]:9093',
    'listener.security.protocol.map': 'LAN:PLAINTEXT,LOCAL:PLAINTEXT',
    'advertised.listeners': 'LAN://host.example:19092,LOCAL://localhost:9093',
    'inter.broker.listener.name': 'LOCAL',
  });
  assert.deepEqual(given.listeners[1], {
    listenerName: 'LOCAL',
    securityProtocol: 'PLAINTEXT',
    host: '::1',
    port: 9093,
  });
  assert.equal(given.advertisedListeners[0]?.port, 19_092);
  assert.equal(given.interBrokerListenerName, 'LOCAL');
});

const aclAuthorizer = 'kafka.security.authorizer.AclAuthorizer';

test('the authorizer of ACLs has two names, and keys that are known', () => {
  const keys = { 'super.users': 'User:CN=a,O=b; User:c;', 'allow.everyone.if.no.acl.found': ' TRUE ' };
  for (const name of [aclAuthorizer, 'kafka.security.auth.SimpleAclAuthorizer']) {
    const given = config({ 'authorizer.class.name': name, ...keys });
    assert.deepEqual(given.warnings, []);
    const want = { superUsers: new Set(['User:CN=a,O=b', 'User:c']), allowsWithoutAcl: true };
    assert.deepEqual(authorizerConfigOf(given), want);
    const bare = { superUsers: new Set(), allowsWithoutAcl: false };
    assert.deepEqual(authorizerConfigOf(config({ 'authorizer.class.name': name })), bare);
  }
  assert.equal(authorizerConfigOf(config(keys)), undefined);
});

const refusals: readonly { name: string; given: Record<string, string>; key: string }[] = [
  { name: 'a number that is none', given: { 'num.partitions': 'many' }, key: 'num.partitions' },
  { name: 'a number below its range', given: { 'num.partitions': '0' }, key: 'num.partitions' },
  { name: 'a number beyond its type', given: { 'num.partitions': '2147483648' }, key: 'num.partitions' },
  { name: 'a boolean that is none', given: { 'auto.create.topics.enable': 'yes' }, key: 'auto.create.topics.enable' },
  { name: 'no id where none may be generated', given: { 'broker.id.generation.enable': 'false' }, key: 'broker.id' },
  {
    name: 'an older protocol between brokers',
    given: { 'inter.broker.protocol.version': '2.1-IV2' },
    key: 'inter.broker.protocol.version',
  },
  { name: 'a listener without a port', given: { listeners: 'PLAINTEXT://localhost' }, key: 'listeners' },
  { name: 'GSSAPI, which is the default of SASL', given: { listeners: 'SASL_SSL://localhost:9093' }, key: 'listeners' },
  {
    name: 'an authorizer of somebody else',
    given: { 'authorizer.class.name': 'org.example.Authorizer' },
    key: 'authorizer.class.name',
  },
  {
    name: 'an authorizer with a ZooKeeper of its own',
    given: { 'authorizer.class.name': aclAuthorizer, 'authorizer.zookeeper.url': 'elsewhere:2181' },
    key: 'authorizer.zookeeper.url',
  },
  {
    name: 'a super user without a type',
    given: { 'authorizer.class.name': aclAuthorizer, 'super.users': 'User:a;b' },
    key: 'super.users',
  },
  {
    name: 'neither yes nor no',
    given: { 'authorizer.class.name': aclAuthorizer, 'allow.everyone.if.no.acl.found': 'maybe' },
    key: 'allow.everyone.if.no.acl.found',
  },
];
for (const { name, given, key } of refusals) {
  test(`${name} is refused with key and value`, () => {
    assert.throws(
      () => config(given),
      (error: unknown) => error instanceof ConfigError && error.key === key,
    );
  });
}

test('unknown keys and keys without effect are warned about, known ones are not', () => {
  const given = config({ 'num.network.threads': '5', 'my.plugin.key': '1', 'num.partitions': '3' });
  assert.equal(given.warnings.length, 2);
  assert.match(given.warnings.join('\n'), /num\.network\.threads=5 has no effect[\s\S]*my\.plugin\.key is not known/);
});
