import assert from 'node:assert/strict';
import test from 'node:test';
import { principalMapper } from './principal-rules.ts';

const DN = 'CN=Duke,OU=ServiceUsers,O=Org,C=US';

const cases = [
  { name: 'DEFAULT is the name itself', rules: 'DEFAULT', want: DN },
  {
    name: 'a rule takes a part',
    rules: 'RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/',
    want: 'Duke',
  },
  { name: 'L is for lower case', rules: 'RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/L', want: 'duke' },
  { name: 'U is for upper case', rules: 'RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/U', want: 'DUKE' },
  {
    name: 'the first that applies counts',
    rules: 'RULE:^CN=(.*?),OU=Nobody.*$/$1/, RULE:^CN=(.*?),OU=(.*?),O=(.*?),C=(.*?)$/$1@$2/L,DEFAULT',
    want: 'duke@serviceusers',
  },
  { name: 'a rule that applies to none gives none', rules: 'RULE:^CN=Other$/x/', want: undefined },
  { name: 'the whole name must match', rules: 'RULE:CN=(.*?),/$1/,DEFAULT', want: DN },
  { name: 'a group that is not there stands as it is', rules: 'RULE:^CN=(.*?),.*$/$1@$2/', want: 'Duke@$2' },
  { name: 'of $12 with one group the 2 stands behind it', rules: 'RULE:^CN=(.*?),.*$/$12/', want: 'Duke2' },
  { name: 'a slash may be escaped', rules: String.raw`RULE:^CN=(.*?),.*$/a\/$1/`, want: 'a/Duke' },
  { name: 'no rules at all apply to none', rules: '', want: undefined },
];
for (const { name, rules, want } of cases) {
  test(name, () => assert.equal(principalMapper(rules)(DN), want));
}

test('what is no rule is refused', () => {
  for (const rules of ['default', 'RULE:', 'RULE:^CN=(.*)$/$1', 'RULE:a/b/X', 'DEFAULT/L', 'RULE:(/x/']) {
    assert.throws(() => principalMapper(rules), /ssl\.principal\.mapping\.rules/, rules);
  }
});
