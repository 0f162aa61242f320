import assert from 'node:assert/strict';
import test from 'node:test';
import { protectedAcl } from './znode-acls.ts';

const CREATOR_AND_READERS = 'auth: 31, world:anyone 1';
const CREATOR = 'auth: 31';
const EVERYBODY = 'world:anyone 31';

const cases = {
  '/brokers/ids/0': CREATOR_AND_READERS,
  '/controller': CREATOR_AND_READERS,
  '/config': CREATOR_AND_READERS,
  '/config/topics/t': CREATOR_AND_READERS,
  '/config/changes/config_change_': CREATOR_AND_READERS,
  '/config/users': CREATOR,
  '/config/users/ann/clients/c': CREATOR,
  '/config/brokers/<default>': CREATOR,
  '/delegation_token': CREATOR_AND_READERS,
  '/delegation_token/token_changes/token_change_': CREATOR_AND_READERS,
  '/delegation_token/tokens': CREATOR,
  '/delegation_token/tokens/id': CREATOR,
  '/consumers': EVERYBODY,
  '/consumers/g/offsets/t/0': CREATOR_AND_READERS,
};

for (const [path, want] of Object.entries(cases)) {
  test(`who may do what with ${path}`, () => {
    const told = protectedAcl(path).map(({ perms, id }) => `${id.scheme}:${id.id} ${perms}`);
    assert.equal(told.join(', '), want);
  });
}
