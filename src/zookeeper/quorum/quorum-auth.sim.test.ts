import assert from 'node:assert/strict';
import test from 'node:test';
import type { Connection } from '../../runtime/network.ts';
import type { SimMachine } from '../../runtime/sim/sim-machine.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import type { Zxid } from '../jute/ids.ts';
import { ElectionLink } from './election-link.ts';
import { ElectionPort } from './election-port.ts';
import { PeerLink } from './peer-link.ts';
import { QuorumAuth } from './quorum-auth.ts';

interface Sasl {
  readonly password?: string;
  /** Default true, both of them. */
  readonly serverRequires?: boolean;
  readonly learnerRequires?: boolean;
}
const required: Sasl = {};
const halfWay: Sasl = { serverRequires: false };
const silentYet: Sasl = { serverRequires: false, learnerRequires: false };

function authOf({ runtime }: SimMachine, sasl: Sasl | undefined): QuorumAuth | undefined {
  if (sasl === undefined) return undefined;
  const { password = 'secret', serverRequires = true, learnerRequires = true } = sasl;
  const users = new Map([['one', 'secret']]);
  const { random, log } = runtime;
  return new QuorumAuth({ users, username: 'one', password, serverRequires, learnerRequires, random, log });
}

/** What two election ports hear of each other when each of `senders` says something. */
async function electionPorts(
  [first, second]: readonly [Sasl | undefined, Sasl | undefined],
  senders: readonly number[],
): Promise<string[]> {
  const sim = new Simulation({ seed: 3 });
  const machines = [sim.machine('server1'), sim.machine('server2')] as const;
  // the last message is said again on each new connection
  const heard = new Set<string>();
  const ports: ElectionPort[] = [];
  for (const [index, machine] of machines.entries()) {
    const { network, clock, log } = machine.runtime;
    const port = new ElectionPort({
      ...{ network, clock, log, helloTimeoutMs: 1000 },
      self: index + 1,
      addresses: [{ host: machine.host, port: 3888 }],
      addressesOf: (id) => [{ host: machines[id - 1]!.host, port: 3888 }],
      auth: authOf(machine, index === 0 ? first : second),
      received: (from, message) => heard.add(`${index + 1} from ${from}: ${Buffer.from(message)}`),
    });
    await sim.complete(port.start());
    ports.push(port);
  }
  for (const sender of senders) ports[sender - 1]?.send(3 - sender, Buffer.from('vote'));
  await sim.runFor(3000);
  await sim.complete(Promise.all(ports.map((port) => port.close())));
  return [...heard].sort();
}

const toFirst = '1 from 2: vote';
const toSecond = '2 from 1: vote';
for (const { name, sasl, want } of [
  { name: 'both authenticate', sasl: [required, required], want: [toFirst, toSecond] },
  { name: 'neither must, and one does', sasl: [halfWay, silentYet], want: [toFirst, toSecond] },
  { name: 'one knows no SASL, the other can without', sasl: [undefined, silentYet], want: [toFirst, toSecond] },
  { name: 'the other way about', sasl: [silentYet, undefined], want: [toFirst, toSecond] },
  { name: 'one knows no SASL, the other needs it', sasl: [undefined, required], want: [] },
  { name: 'one needs it, the other knows no SASL', sasl: [required, undefined], want: [] },
  { name: 'the lower has a wrong password', sasl: [{ password: 'guess' }, required], want: [toFirst, toSecond] },
  { name: 'the higher has a wrong password', sasl: [required, { password: 'guess' }], want: [] },
] as const) {
  test(`election ports: ${name}`, async () => {
    assert.deepEqual(await electionPorts(sasl, [1, 2]), want);
  });
}

test('a lower server that says its hello and goes is called back, also where it might have authenticated', async () => {
  assert.deepEqual(await electionPorts([undefined, silentYet], [1]), [toSecond]);
  assert.deepEqual(await electionPorts([required, required], [1]), [toSecond]);
  // a lower one that fails is not
  assert.deepEqual(await electionPorts([{ password: 'guess' }, required], [1]), []);
});

test('a connection that has authenticated stays, one that does not get on is given up', async () => {
  for (const answers of [true, false]) {
    const sim = new Simulation({ seed: 4 });
    const [lower, higher] = [sim.machine('lower'), sim.machine('higher')];
    const connections: string[] = [];
    const serving = authOf(lower, required);
    const accept = (connection: Connection) => {
      const link = new ElectionLink({
        greeted: () => true,
        received: () => undefined,
        faulty: () => undefined,
        closed: () => undefined,
      });
      link.attach(connection, serving?.accepting(connection));
      connections.push('open');
      return {
        data: (chunk: Uint8Array) => (answers ? link.data(chunk) : undefined),
        closed: () => void connections.push('closed'),
      };
    };
    await sim.complete(lower.runtime.network.listen({ host: lower.host, port: 3888 }, accept));
    const { network, clock, log } = higher.runtime;
    const port = new ElectionPort({
      ...{ network, clock, log, helloTimeoutMs: 1000, self: 2, addresses: [{ host: higher.host, port: 3888 }] },
      addressesOf: () => [{ host: lower.host, port: 3888 }],
      auth: authOf(higher, required),
      received: () => undefined,
    });
    port.send(1, Buffer.from('vote'));
    await sim.runFor(900);
    assert.deepEqual(connections, ['open']);
    await sim.runFor(9000);
    assert.deepEqual(connections, answers ? ['open'] : ['open', 'closed']);
  }
});

/** What two peer links hear, the second connecting. */
async function peerLinks(accepts: Sasl | undefined, connects: Sasl | undefined): Promise<string[]> {
  const sim = new Simulation({ seed: 5 });
  const [left, right] = [sim.machine('left'), sim.machine('right')];
  const heard: string[] = [];
  const linkOf = ({ name, runtime }: SimMachine): PeerLink => {
    const link: PeerLink = new PeerLink({
      clock: runtime.clock,
      sizeMax: 1000,
      events: {
        connected: () => heard.push(`${name} connected`),
        received: ({ zxid }) => {
          heard.push(`${name} ${zxid}`);
          if (name === 'left') link.send({ type: 17, zxid, data: null, authinfo: null });
        },
        faulty: () => heard.push(`${name} faulty`),
        closed: () => heard.push(`${name} closed`),
      },
    });
    return link;
  };
  const accepting = authOf(left, accepts);
  const accept = (connection: Connection): PeerLink => {
    const link = linkOf(left);
    link.attach(connection, accepting?.accepting(connection));
    return link;
  };
  await sim.complete(left.runtime.network.listen({ host: left.host, port: 2888 }, accept));
  const link = linkOf(right);
  const connection = right.runtime.network.connect({ host: left.host, port: 2888 }, link);
  link.attach(connection, authOf(right, connects)?.connecting(connection));
  // before the exchange: it waits
  link.send({ type: 11, zxid: 1n as Zxid, data: null, authinfo: null });
  await sim.runFor(1000);
  return heard;
}

test('peer links: packets follow the exchange', async () => {
  const talk = ['right connected', 'left 1', 'right 1'];
  assert.deepEqual(await peerLinks(required, required), talk);
  assert.deepEqual(await peerLinks(silentYet, undefined), talk);
  assert.deepEqual(await peerLinks(halfWay, required), talk);
  assert.deepEqual(await peerLinks(undefined, undefined), talk);
});

test('peer links: who fails, or does not try, hears the end', async () => {
  const refused = ['left closed', 'left faulty', 'right closed', 'right faulty'];
  assert.deepEqual((await peerLinks(required, { password: 'guess' })).sort(), refused);
  const withoutTrying = ['left closed', 'left faulty', 'right closed', 'right connected'];
  assert.deepEqual((await peerLinks(required, undefined)).sort(), withoutTrying);
});
