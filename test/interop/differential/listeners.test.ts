/** Listeners that come and go while the broker lives: Apache's broker 3.9.1 and ours, asked and changed alike. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { silent } from '../../../src/runtime/log.ts';
import { nodeRuntime } from '../../../src/runtime/node/node-runtime.ts';
import { connectZookeeper } from '../../../src/zookeeper/client/client.ts';
import { freePort } from '../peers/free-port.ts';
import { kafkaTool } from '../peers/kafka-tools.ts';
import { until } from '../peers/process.ts';
import type { Values } from './config-changes.ts';
import { listenerChanges } from './listener-changes.ts';
import { normalise } from './normalise.ts';
import { type Pair, startPair } from './pair.ts';
import { ask } from './raw-client.ts';

interface Side {
  readonly port: number;
  readonly extraPort: number;
  readonly bootstrap: string;
  readonly zookeeper: string;
}

interface Brokers {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
}

const MAP = 'PLAINTEXT:PLAINTEXT,EXTRA:PLAINTEXT';
const OPERATION_SET = 0;
const OPERATION_DELETE = 1;

let pair: Pair;
let theirs: Side;
let ours: Side;

before(async () => {
  pair = await startPair();
  const { apache, odradek, apacheZookeeper } = pair;
  const { bootstrap } = odradek;
  theirs = {
    port: apache.port,
    extraPort: await freePort(),
    bootstrap: apache.bootstrap,
    zookeeper: apacheZookeeper,
  };
  ours = { port: odradek.kafkaPort, extraPort: await freePort(), bootstrap, zookeeper: odradek.zookeeper };
});

after(() => pair?.stop());

/** Ports are a broker's own. */
function anonymous({ port, extraPort }: Side, answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer).replaceAll(String(port), '11111').replaceAll(String(extraPort), '22222'));
}

function alter({ port }: Side, resourceName: string, values: Values, validateOnly: boolean): Promise<unknown> {
  const configs = values.map(([name, value]) => ({
    name,
    configOperation: value === null ? OPERATION_DELETE : OPERATION_SET,
    value,
  }));
  return ask(port, 44, 1, { validateOnly, resources: [{ resourceType: 4, resourceName, configs }] });
}

/** What a client of a port is told; undefined where it is not answered. */
async function told(port: number): Promise<Brokers['brokers'] | undefined> {
  const answer = await ask(port, 3, 9, { topics: [] });
  return answer === 'closed' ? undefined : (answer as unknown as Brokers).brokers;
}

async function registered({ zookeeper }: Side): Promise<unknown> {
  const client = connectZookeeper(nodeRuntime({ log: silent }), { connect: zookeeper, sessionTimeoutMs: 10_000 });
  try {
    const { timestamp, ...info } = JSON.parse(String((await client.getData('/brokers/ids/0')).data));
    assert.match(timestamp, /^\d{13}$/);
    return info;
  } finally {
    await client.close();
  }
}

/** Every side does it, and afterwards both are the same to their clients, in their description, and in ZooKeeper. */
async function change(values: (side: Side) => Values, isDone: (side: Side) => Promise<unknown>): Promise<void> {
  const seen = await Promise.all(
    [ours, theirs].map(async (side) => {
      const answer = await alter(side, '0', values(side), false);
      await until('the change counts', async () => ((await isDone(side)) === true ? true : undefined), {});
      const keys = ['listeners', 'advertised.listeners', 'listener.security.protocol.map'];
      const resources = [{ resourceType: 4, resourceName: '0', configurationKeys: keys }];
      return anonymous(side, {
        answer,
        plain: await told(side.port),
        extra: (await told(side.extraPort)) ?? 'closed',
        described: normalise(await ask(side.port, 32, 4, { includeSynonyms: true, resources })),
        registered: await registered(side),
      });
    }),
  );
  assert.deepEqual(seen[0], seen[1]);
}

const listeners = ({ port, extraPort }: Side): string => `PLAINTEXT://127.0.0.1:${port},EXTRA://127.0.0.1:${extraPort}`;

test('what is refused, and in which words', async () => {
  const rows = listenerChanges(theirs);
  for (const [index, [entity, values]] of listenerChanges(ours).entries()) {
    const [, theirValues = []] = rows[index] ?? [];
    const own = anonymous(ours, await alter(ours, entity, values, true));
    const other = anonymous(theirs, await alter(theirs, entity, theirValues, true));
    assert.deepEqual(own, other, JSON.stringify([entity, values]));
  }
});

test('a listener is added, advertised otherwise, hidden, and removed with its connections', async () => {
  await change(
    (side) => [
      ['listeners', listeners(side)],
      ['listener.security.protocol.map', MAP],
    ],
    async (side) => (await told(side.extraPort))?.[0]?.port === side.extraPort,
  );
  const sockets = await Promise.all([ours, theirs].map(({ extraPort }) => connected(extraPort)));
  const other = await connected(ours.port);
  await change(
    (side) => [['advertised.listeners', listeners(side).replace('EXTRA://127.0.0.1', 'EXTRA://elsewhere')]],
    async (side) => (await told(side.extraPort))?.[0]?.host === 'elsewhere',
  );
  await change(
    (side) => [['advertised.listeners', `PLAINTEXT://127.0.0.1:${side.port}`]],
    async (side) => (await told(side.extraPort))?.length === 0,
  );
  assert.deepEqual(
    sockets.map(({ destroyed }) => destroyed),
    [false, false],
  );
  await change(
    () => [
      ['listeners', null],
      ['advertised.listeners', null],
      ['listener.security.protocol.map', null],
    ],
    ({ extraPort }) => isRefused(extraPort),
  );
  await until('the connections are closed', () => (sockets.every(({ closed }) => closed) ? true : undefined));
  assert.equal(other.destroyed, false, 'it came by another listener');
  other.destroy();
});

test('kafka-configs adds a listener', async () => {
  const said = await Promise.all(
    [ours, theirs].map(async (side) => {
      const { code, stdout } = await kafkaTool('kafka-configs', '3.9.1', [
        ...['--bootstrap-server', side.bootstrap, '--alter', '--entity-type', 'brokers', '--entity-name', '0'],
        ...['--add-config', `listeners=[${listeners(side)}],listener.security.protocol.map=[${MAP}]`],
      ]);
      await until('it serves', async () => ((await told(side.extraPort)) === undefined ? undefined : true));
      return [code, stdout];
    }),
  );
  assert.deepEqual(said[0], said[1]);
});

/**
 * Nothing accepts there any more. A question would not do: Apache's acceptor may hand a connection to a processor that
 * has stopped, and such a connection is neither answered nor closed.
 */
async function isRefused(port: number): Promise<boolean> {
  const socket = await connected(port).catch(() => undefined);
  socket?.destroy();
  return socket === undefined;
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return socket;
}
