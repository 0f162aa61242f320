import assert from 'node:assert/strict';
import test from 'node:test';
import { Simulation } from '../runtime/sim/simulation.ts';
import { type QuorumLogin, readQuorumLogin } from './quorum-login.ts';
import { zooCfg } from './zoo-cfg.ts';

const digest = 'org.apache.zookeeper.server.auth.DigestLoginModule';
const server = `QuorumServer { ${digest} required user_one="first" user_two="second" other="x"; };`;
const learner = `QuorumLearner { ${digest} required username="one" password="first"; };`;

function read(text: string, keys: Readonly<Record<string, string>> = {}): QuorumLogin {
  const { disk } = new Simulation({ seed: 1 }).machine('a').runtime;
  if (text !== '') disk.writeFile('/jaas.conf', Buffer.from(text));
  const properties = { 'java.security.auth.login.config': '/jaas.conf', secret: 'from a property' };
  const { quorumSasl } = zooCfg({ dataDir: '/d', 'quorum.auth.enableSasl': true, ...keys }, properties);
  assert.ok(quorumSasl !== undefined);
  return readQuorumLogin(disk, quorumSasl);
}

test('the users that are known and who we are come from two sections', () => {
  const users = new Map([
    ['one', 'first'],
    ['two', 'second'],
  ]);
  assert.deepEqual(read(`${server}\n${learner}`), { users, username: 'one', password: 'first' });
});

test('the sections may have other names, and values of system properties', () => {
  const text = `A { ${digest} required user_one="first"; }; B { ${digest} required username="x" password="\${secret}"; };`;
  const login = read(text, { 'quorum.auth.server.saslLoginContext': 'A', 'quorum.auth.learner.saslLoginContext': 'B' });
  assert.deepEqual([login.username, login.password], ['x', 'from a property']);
});

for (const { name, text, says } of [
  { name: 'no file', text: '', says: /the file cannot be read \(ENOENT\)/ },
  { name: 'no section of the server', text: learner, says: /it has no section QuorumServer/ },
  { name: 'no section of the learner', text: server, says: /it has no section QuorumLearner/ },
  { name: 'an empty section', text: `${learner} QuorumServer { };`, says: /it has no section QuorumServer/ },
  {
    name: 'a learner without a password',
    text: `${server} QuorumLearner { ${digest} required username="one"; };`,
    says: /section QuorumLearner needs username and password/,
  },
  {
    name: 'Kerberos',
    text: `${learner} QuorumServer { com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true; };`,
    says: /section QuorumServer asks for com\.sun.*no Kerberos/,
  },
]) {
  test(`SASL between servers is refused at the start with ${name}`, () => {
    assert.throws(() => read(text), says);
  });
}
