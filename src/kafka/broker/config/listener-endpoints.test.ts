import assert from 'node:assert/strict';
import test from 'node:test';
import { listenerChangeFault } from './listener-changes.ts';
import {
  advertisedListenersOf,
  interBrokerListenerNameOf,
  ListenerError,
  validateListeners,
} from './listener-endpoints.ts';

const MAP = 'listener.security.protocol.map';
const EXTRA = { [MAP]: 'PLAINTEXT:PLAINTEXT,EXTRA:PLAINTEXT' };
const HERE = 'PLAINTEXT://127.0.0.1:9092';

const texts = (given: Readonly<Record<string, string>>): ReadonlyMap<string, string> => new Map(Object.entries(given));

/** The texts are those of Apache 3.9.1, which listeners.test.ts of the differential tests asks for. */
const cases: readonly { readonly given: Readonly<Record<string, string>>; readonly want: RegExp | undefined }[] = [
  { given: { listeners: `${HERE},EXTRA://[::1]:9093`, ...EXTRA }, want: undefined },
  { given: { listeners: `${HERE},EXTRA://[::1]:9092`, ...EXTRA }, want: undefined },
  { given: { listeners: `${HERE},EXTRA://:0`, 'advertised.listeners': HERE, ...EXTRA }, want: undefined },
  {
    given: { listeners: `${HERE},EXTRA://a:1` },
    want: /^Error creating .*: No security protocol defined for listener EXTRA$/,
  },
  {
    given: { listeners: 'EXTRA://a:1', ...EXTRA },
    want: /inter\.broker\.listener\.name must be a listener name .* are EXTRA$/,
  },
  { given: { listeners: 'x' }, want: /Unable to parse x to a broker endpoint$/ },
  { given: { listeners: '' }, want: /^requirement failed: There must be at least one broker advertised listener\.$/ },
  { given: { listeners: `${HERE},PLAINTEXT://a:1` }, want: /Each listener must have a different name, listeners: / },
  {
    given: { listeners: `${HERE},EXTRA://10.0.0.1:9092`, ...EXTRA },
    want: /one needs to be IPv4 and the other IPv6, .*port: 9092$/,
  },
  {
    given: { listeners: `PLAINTEXT://a:1,EXTRA://b:1`, ...EXTRA },
    want: /^requirement failed: Each listener must have a different port, /,
  },
  {
    given: { 'advertised.listeners': `${HERE},EXTRA://a:1`, ...EXTRA },
    want: /Found PLAINTEXT,EXTRA\. .* are PLAINTEXT$/,
  },
  {
    given: { 'advertised.listeners': 'PLAINTEXT://0.0.0.0:1' },
    want: /cannot use the nonroutable meta-address 0\.0\.0\.0/,
  },
  {
    given: { [MAP]: 'PLAINTEXT:NOPE' },
    want: /^Invalid security protocol `NOPE` defined in listener\.security\.protocol\.map$/,
  },
  { given: { 'inter.broker.listener.name': 'LAN' }, want: /^Listener with name LAN defined in .* not found in / },
  {
    given: { 'inter.broker.listener.name': 'PLAINTEXT', 'security.inter.broker.protocol': 'PLAINTEXT' },
    want: /^Only one of inter\.broker\.listener\.name and security\.inter\.broker\.protocol should be set\.$/,
  },
  {
    given: { listeners: `${HERE},EXTRA://a:1`, 'control.plane.listener.name': 'extra', ...EXTRA },
    want: undefined,
  },
  {
    given: { 'control.plane.listener.name': 'LAN' },
    want: /^Listener with LAN defined in control\.plane\.listener\.name not found in listener\.security\.protocol\.map\.$/,
  },
  {
    given: { listeners: HERE, 'control.plane.listener.name': 'EXTRA', ...EXTRA },
    want: /^requirement failed: control\.plane\.listener\.name must be a listener name .* are PLAINTEXT$/,
  },
  {
    given: { listeners: HERE, 'control.plane.listener.name': 'PLAINTEXT' },
    want: /different value from the inter broker listener name\. Currently they both have the value ListenerName\(PLAINTEXT\)$/,
  },
];

for (const { given, want } of cases) {
  test(`${JSON.stringify(given)}: ${want ?? 'fine'}`, () => {
    const validate = () => validateListeners(texts(given));
    if (want === undefined) validate();
    else assert.throws(validate, (error) => error instanceof ListenerError && want.test(error.message));
  });
}

test('names are the same in large and small letters, and hosts are what they were', () => {
  const given = texts({ listeners: 'plaintext://A.example:1', 'inter.broker.listener.name': 'plaintext' });
  assert.equal(interBrokerListenerNameOf(given), 'PLAINTEXT');
  assert.deepEqual(advertisedListenersOf(given), [
    { listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: 'A.example', port: 1 },
  ]);
});

test('a listener that stays keeps what is its own, where listeners change', () => {
  const current = texts({ listeners: HERE });
  const own = (key: string) => ({ [`listener.name.plaintext.${key}`]: '5' });
  const fault = (change: Readonly<Record<string, string>>) =>
    listenerChangeFault(texts({ listeners: HERE, ...change }), current);
  assert.equal(fault(own('foo')), undefined, 'no listener changes');
  assert.match(
    fault({ ...own('foo'), ...EXTRA }) ?? '',
    /^Configs cannot be updated dynamically for existing listener/,
  );
  assert.equal(fault({ ...own('max.connections'), ...EXTRA }), undefined);
  const protocol = fault({ [MAP]: 'PLAINTEXT:SSL' });
  assert.equal(protocol, 'Security protocol cannot be updated for existing listener ListenerName(PLAINTEXT)');
});
