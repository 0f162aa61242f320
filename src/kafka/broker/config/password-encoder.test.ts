import assert from 'node:assert/strict';
import test from 'node:test';
import { SimRandom } from '../../../runtime/sim/sim-random.ts';
import { KafkaConfig } from './kafka-config.ts';
import { PasswordEncoder, PasswordError, passwordEncoderOf, reEncoded } from './password-encoder.ts';

/** Written by EncryptingPasswordEncoder of Apache Kafka 3.9.1 with the secret below: its default algorithms, `pässword 1`. */
const apaches = [
  'initializationVector:srCzzCex3DOdNxRx2T1V+w==,keyLength:128,salt:h6PKiZosWNDCZJJetrhkOMXJZET43S9cL6jw4wixz/iru',
  '/CSyJBdSeBlDia7r8uv+qtpQ/fk4OCPMbue8WNEr2g3IpZoCota4DoCSdgLyRZ4AUdPvrU30LzTVx9UwVhnNRh4unO8uauY4eWueBSm+Z3nhv+',
  '2oxaYGZ2CCFzXc7PSc0/W9A++9dux4226YqCshbEjnpX/svTtZZ0WMg8l9abZXtJNaygooNbPGpJAicDffojq0/rB8ZuCM+iP/qCrOoQoNzJeA',
  'RNp+5AUavx0Jk+FYHp275qE6WPBFJnZ1SWwVOQLJca5s4GbhdGis22RR2/QPqk9DryfL7mZIDxgYg==,keyFactoryAlgorithm:PBKDF2With',
  'HmacSHA512,cipherAlgorithm:AES/CBC/PKCS5Padding,iterations:4096,passwordLength:10,encryptedPassword:efLREMiMl8',
  'esGbCjted1iw==',
].join('');
const SECRET = 'password-encoder-secret';

function encoder(secret = SECRET): PasswordEncoder {
  return new PasswordEncoder({
    secret,
    keyFactoryAlgorithm: 'PBKDF2WithHmacSHA512',
    cipherAlgorithm: 'AES/CBC/PKCS5Padding',
    keyBits: 128,
    iterations: 1024,
    random: new SimRandom('salt'),
  });
}

test('a password that Apache stored is read, with the iterations that are written beside it', () => {
  assert.equal(encoder().decode(apaches), 'pässword 1');
  assert.throws(() => encoder('another secret').decode(apaches), PasswordError);
  assert.throws(() => encoder().decode('plain text'), PasswordError);
  assert.throws(
    () => encoder().decode(apaches.replace('AES/CBC/PKCS5Padding', 'AES/GCM/NoPadding')),
    /cannot be decoded/,
  );
});

test('what is encoded says all that Apache needs to decode it', () => {
  const encoded = encoder().encode('secret ✓');
  const names = encoded.split(',').map((pair) => pair.slice(0, pair.indexOf(':')));
  const theirs = apaches.split(',').map((pair) => pair.slice(0, pair.indexOf(':')));
  assert.deepEqual(names.sort(), theirs.sort());
  assert.equal(encoder().decode(encoded), 'secret ✓');
});

test('after a change of the secret passwords are stored under the new one, and nothing else is touched', () => {
  const [old, now] = [encoder('old'), encoder('new')];
  const stored = new Map([
    ['listener.name.x.ssl.key.password', old.encode('p')],
    ['listener.name.x.ssl.keystore.password', now.encode('q')],
    ['log.retention.ms', '5'],
  ]);
  const renewed = reEncoded(stored, old, now);
  assert.equal(now.decode(renewed?.get('listener.name.x.ssl.key.password') ?? ''), 'p');
  assert.equal(now.decode(renewed?.get('listener.name.x.ssl.keystore.password') ?? ''), 'q');
  assert.equal(renewed?.get('log.retention.ms'), '5');
  assert.equal(reEncoded(new Map([['log.retention.ms', '5']]), old, now), undefined);
});

test('algorithms that are not here are refused at the start', () => {
  const of = (keys: Record<string, string>) =>
    passwordEncoderOf(
      new KafkaConfig(new Map(Object.entries({ 'zookeeper.connect': 'z:1', 'password.encoder.secret': 's', ...keys }))),
      'password.encoder.secret',
      new SimRandom('salt'),
    );
  assert.ok(of({}) instanceof PasswordEncoder);
  assert.throws(
    () => of({ 'password.encoder.cipher.algorithm': 'DES' }),
    /password.encoder.cipher.algorithm=DES is refused/,
  );
  assert.throws(() => of({ 'password.encoder.keyfactory.algorithm': 'X' }), /choose one of PBKDF2WithHmacSHA1/);
  assert.throws(() => of({ 'password.encoder.key.length': '100' }), /choose 128, 192 or 256/);
});
