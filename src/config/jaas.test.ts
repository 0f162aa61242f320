import assert from 'node:assert/strict';
// biome-ignore lint/style/noRestrictedImports: a sample of the package
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { ConfigError } from './config-error.ts';
import { parseJaas } from './jaas.ts';

const read = (text: string, properties: Record<string, string> = {}) =>
  Object.fromEntries(
    [...parseJaas(text, { file: '/jaas.conf', properties })].map(([name, modules]) => [
      name,
      modules.map(({ className, options }) => [className, Object.fromEntries(options)]),
    ]),
  );

test('sections hold login modules with options', () => {
  const text = `
// of the server
Server {
  org.apache.zookeeper.server.auth.DigestLoginModule required
    user_super="adminsecret"  /* a comment
    of two lines */
    user_bob="bob=\\"secret\\"";
};
Client { a.B OPTIONAL username="bob" useTicketCache=true; c.D requisite; };`;
  assert.deepEqual(read(text), {
    Server: [
      ['org.apache.zookeeper.server.auth.DigestLoginModule', { user_super: 'adminsecret', user_bob: 'bob="secret"' }],
    ],
    Client: [
      ['a.B', { username: 'bob', useTicketCache: 'true' }],
      ['c.D', {}],
    ],
  });
});

test('a value takes system properties and escapes', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the braces are JAAS's
  const text = 'A { b required p="${pass}${/}x" t="\\t\\101\\q"; };';
  assert.deepEqual(read(text, { pass: 'secret' }), { A: [['b', { p: 'secret/x', t: '\tAq' }]] });
});

test('the sample names a user for both sides', () => {
  const text = readFileSync(new URL('../../conf/jaas_sample.conf', import.meta.url), 'utf8');
  const { Server, Client } = read(text) as Record<string, [string, Record<string, string>][]>;
  assert.equal(Server?.[0]?.[1].user_bob, Client?.[0]?.[1].password);
  assert.deepEqual(Client?.[0]?.[1].username, 'bob');
});

test('an empty file has no sections', () => assert.deepEqual(read(' // nothing\n'), {}));

const refused: readonly { name: string; text: string; says: RegExp }[] = [
  { name: 'a missing brace', text: 'A b required;', says: /line 1: expected \{/ },
  { name: 'a missing semicolon behind the section', text: 'A { b required; }', says: /expected ;/ },
  {
    name: 'a missing semicolon behind the module',
    text: 'A {\n b required x="1"\n};',
    says: /line 3: expected the key/,
  },
  { name: 'an unknown flag', text: 'A { b needed; };', says: /expected one of required, requisite/ },
  { name: 'a section twice', text: 'A { b required; };\nA { b required; };', says: /line 2: a second section A/ },
  { name: 'a quote that is not closed', text: 'A { b required x="y\n"; };', says: /line 1: expected the value of x/ },
  { name: 'a bare number', text: 'A { b required x=12; };', says: /the value of x, in quotes/ },
  { name: 'the end in the middle', text: 'A { b required x=', says: /the file ends where the value of x/ },
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the braces are JAAS's
  { name: 'an unknown property', text: 'A { b required x="${no}"; };', says: /no system property no is set/ },
];
for (const { name, text, says } of refused) {
  test(`a file is refused: ${name}`, () => {
    assert.throws(
      () => read(text),
      (error) => error instanceof ConfigError && says.test(error.message) && error.message.includes('/jaas.conf'),
    );
  });
}
