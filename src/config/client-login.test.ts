import assert from 'node:assert/strict';
import test from 'node:test';
import { clientLoginOf } from './client-login.ts';

const MODULE = 'org.apache.zookeeper.server.auth.DigestLoginModule';
const FILE = `
Client { ${MODULE} required username="bob" password="secret"; };
Other { ${MODULE} required username="eve" password="x"; };
Nobody { ${MODULE} required username="eve"; };
Ticket { com.sun.security.auth.module.Krb5LoginModule required useTicketCache=true; };
`;
const login = (properties: Record<string, string>, text = FILE) =>
  clientLoginOf({ 'java.security.auth.login.config': '/jaas.conf', ...properties }, (path) => {
    if (path !== '/jaas.conf') throw new Error('ENOENT');
    return text;
  });

test('the section Client of the JAAS file says who a client is', () => {
  assert.deepEqual(login({}), { sasl: { username: 'bob', password: 'secret' } });
  assert.deepEqual(login({ 'zookeeper.sasl.clientconfig': 'Other' }), { sasl: { username: 'eve', password: 'x' } });
});

test('without a file, or where SASL is off, nobody logs in', () => {
  assert.deepEqual(
    clientLoginOf({}, () => FILE),
    {},
  );
  assert.deepEqual(login({ 'zookeeper.sasl.client': 'false' }), {});
});

const failures: readonly { properties: Record<string, string>; text?: string; says: RegExp }[] = [
  { properties: { 'java.security.auth.login.config': '/none' }, says: /^\/none cannot be read$/ },
  { properties: { 'zookeeper.sasl.clientconfig': 'No' }, says: /has no section No/ },
  { properties: { 'zookeeper.sasl.clientconfig': 'Nobody' }, says: /needs username and password/ },
  { properties: { 'zookeeper.sasl.clientconfig': 'Ticket' }, says: /asks for com\.sun.*Krb5LoginModule; only/ },
  { properties: { 'zookeeper.fips-mode': 'true' }, says: /FIPS/ },
  { properties: {}, text: 'Client {', says: /line 1/ },
];
for (const { properties, text, says } of failures) {
  test(`a login fails: ${says.source}`, () => {
    const { sasl, failure = '' } = login(properties, text);
    assert.equal(sasl, undefined);
    assert.match(failure, says);
    assert.doesNotMatch(failure, /secret/);
  });
}
