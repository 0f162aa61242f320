import assert from 'node:assert/strict';
import test from 'node:test';
import { isPasswordOf, SessionIds, sessionPassword } from './session-identity.ts';

// Computed by Apache's servers.
const passwords: readonly [id: bigint, password: string][] = [
  [0x1n, '054cc74a37327db215e702e20c73f005'],
  [0x0100_0000_0000_0000n, 'f22acd4a97e69d6d20a49bb638eadb38'],
  [0x0100_0123_4567_0000n, '4be494d27cc739baa123244a251a7415'],
];
for (const [id, password] of passwords) {
  test(`the password of session 0x${id.toString(16)} is every server's`, () => {
    assert.equal(Buffer.from(sessionPassword(id)).toString('hex'), password);
    assert.ok(isPasswordOf(id, Buffer.from(password, 'hex')));
    assert.ok(!isPasswordOf(id + 1n, Buffer.from(password, 'hex')));
  });
}

test('no password fits session 0', () => {
  assert.ok(!isPasswordOf(0n, sessionPassword(0n)));
  assert.ok(!isPasswordOf(1n, null));
});

test('an id holds the server in its top byte, then 40 bits of milliseconds, then a counter', () => {
  const ids = new SessionIds(1, 0x1_2345_6789);
  assert.equal(
    ids.next(() => false),
    0x0101_2345_6789_0000n,
  );
  assert.equal(
    ids.next(() => false),
    0x0101_2345_6789_0001n,
  );
  assert.equal(
    ids.next((id) => id === 0x0101_2345_6789_0002n),
    0x0101_2345_6789_0003n,
  );
});

test('a server id above 127 makes negative ids, and the mark of containers is never one', () => {
  assert.ok(new SessionIds(200, 5).next(() => false) < 0n);
  assert.equal(
    new SessionIds(0x80, 0).next(() => false),
    -0x7fff_ffff_ffff_ffffn,
  );
});
