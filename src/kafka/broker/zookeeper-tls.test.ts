import assert from 'node:assert/strict';
import test from 'node:test';
import { KafkaConfig } from './config/kafka-config.ts';
import { zookeeperTls } from './zookeeper-tls.ts';

const tlsOf = (given: Readonly<Record<string, string>>) =>
  zookeeperTls(new KafkaConfig(new Map(Object.entries({ 'zookeeper.connect': 'localhost:2182', ...given }))));

test('a broker speaks to ZooKeeper in plain unless zookeeper.ssl.client.enable says otherwise', () => {
  assert.equal(tlsOf({ 'zookeeper.ssl.keystore.location': '/k.jks' }), undefined);
});

test('the keys zookeeper.ssl.* of a broker are those of its ZooKeeper client, with the defaults of Kafka', () => {
  const enable = { 'zookeeper.ssl.client.enable': 'true' };
  assert.deepEqual(tlsOf(enable), { protocols: ['TLSv1.2'], verifyHostname: true, handshakeTimeoutMs: 10_000 });
  const given = {
    ...enable,
    'zookeeper.ssl.keystore.location': '/k.jks',
    'zookeeper.ssl.keystore.password': 'k',
    'zookeeper.ssl.truststore.location': '/t.store',
    'zookeeper.ssl.truststore.type': 'PKCS12',
    'zookeeper.ssl.truststore.password': 't',
    'zookeeper.ssl.enabled.protocols': 'TLSv1.3,TLSv1.2',
    'zookeeper.ssl.cipher.suites': 'TLS_AES_256_GCM_SHA384',
    'zookeeper.ssl.endpoint.identification.algorithm': '',
  };
  assert.deepEqual(tlsOf(given), {
    keyStore: { location: '/k.jks', password: 'k', type: 'JKS' },
    trustStore: { location: '/t.store', password: 't', type: 'PKCS12' },
    protocols: ['TLSv1.3', 'TLSv1.2'],
    cipherSuites: ['TLS_AES_256_GCM_SHA384'],
    verifyHostname: false,
    handshakeTimeoutMs: 10_000,
  });
});

test('revocation checks that are asked for are refused', () => {
  const enable = { 'zookeeper.ssl.client.enable': 'true' };
  assert.throws(() => tlsOf({ ...enable, 'zookeeper.ssl.crl.enable': 'true' }), /zookeeper\.ssl\.crl=true is refused/);
  assert.throws(() => tlsOf({ ...enable, 'zookeeper.ssl.ocsp.enable': 'true' }), /ocsp=true is refused/);
});
