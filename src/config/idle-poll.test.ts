import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from './config-error.ts';
import { idlePollMsOf } from './idle-poll.ts';

test('a server waits awake where a client has a processor of its own', () => {
  assert.equal(idlePollMsOf({}, 2), 0.15);
  assert.equal(idlePollMsOf({}, 1), 0);
});

test('what the environment says holds with any number of processors', () => {
  assert.equal(idlePollMsOf({ ODRADEK_IDLE_POLL_US: '0' }, 8), 0);
  assert.equal(idlePollMsOf({ ODRADEK_IDLE_POLL_US: '40' }, 1), 0.04);
  assert.equal(idlePollMsOf({ ODRADEK_IDLE_POLL_US: '10000' }, 1), 10);
});

test('what is no number of microseconds is refused', () => {
  for (const value of ['', '-1', '1.5', '10001', '0x10', '150us', ' 5']) {
    assert.throws(
      () => idlePollMsOf({ ODRADEK_IDLE_POLL_US: value }, 2),
      (error: unknown) =>
        error instanceof ConfigError && error.message.startsWith(`ODRADEK_IDLE_POLL_US=${value} is refused`),
      value,
    );
  }
});
