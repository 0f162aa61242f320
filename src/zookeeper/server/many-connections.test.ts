import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { zooCfg } from '../../config/zoo-cfg.ts';
import type { Connection } from '../../runtime/network.ts';
import { nodeRuntime } from '../../runtime/node/node-runtime.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { FrameSplitter } from '../../wire/framing.ts';
import { startZookeeper } from '../ensemble/start-zookeeper.ts';
import { OpCode, Xid } from '../jute/op-codes.ts';
import { helloFrame, requestFrame } from './testkit/raw-client.ts';
import { create, getData, setData } from './testkit/requests.ts';

const IDLE = 1000;
const BUSY = 200;
const ROUNDS = 20;
/** Connected at once: more than the system lets wait to be accepted may be turned away by it. */
const TOGETHER = 100;
/** Both ends of a connection are in this process; so much is several times what they were measured to take. */
const IDLE_BYTES_MAX = 64 * 1024;

/** A client that counts what it hears, and tells when it is enough. */
class CountingClient {
  readonly #connection: Connection;
  readonly #splitter = new FrameSplitter(1 << 20);
  #heard = 0;
  #wanted = 0;
  #enough: () => void = () => undefined;
  #failed: (error: Error) => void = () => undefined;
  isClosed = false;

  constructor(runtime: Runtime, port: number) {
    this.#connection = runtime.network.connect(
      { host: '127.0.0.1', port },
      {
        data: (chunk) =>
          this.#splitter.push(chunk, () => {
            this.#heard += 1;
            if (this.#heard === this.#wanted) this.#enough();
            return true;
          }),
        closed: (reason) => {
          this.isClosed = true;
          this.#failed(reason ?? new Error('closed by the server'));
        },
      },
    );
  }

  /** Sends, and waits for so many frames more. */
  ask(bytes: Uint8Array, answers: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#wanted = this.#heard + answers;
      this.#enough = resolve;
      this.#failed = reject;
      if (!this.#connection.write([bytes]) && this.isClosed) reject(new Error('closed before'));
    });
  }

  destroy(): void {
    this.#connection.destroy();
  }
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function bytesInUse(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test('a thousand idle and two hundred busy connections are served, cheaply, and none expires', async (t) => {
  const runtime = nodeRuntime({ logLevel: 'off' });
  const dataDir = join(tmpdir(), `odradek-many-${Buffer.from(runtime.random.bytes(8)).toString('hex')}`);
  t.after(() => runtime.disk.remove(dataDir));
  const server = await startZookeeper(
    runtime,
    zooCfg({ dataDir, clientPort: 0, clientPortAddress: '127.0.0.1', maxClientCnxns: 0 }),
  );
  t.after(() => server.close());
  const { port } = server.clientAddress;
  const open = async (count: number): Promise<CountingClient[]> => {
    const clients: CountingClient[] = [];
    while (clients.length < count) {
      const more = Array.from({ length: TOGETHER }, () => new CountingClient(runtime, port));
      await Promise.all(more.map((client) => client.ask(helloFrame({ timeOut: 60_000 }), 1)));
      clients.push(...more);
    }
    return clients;
  };

  const busy = await open(BUSY);
  const before = bytesInUse();
  const idle = await open(IDLE);
  const perConnection = (bytesInUse() - before) / IDLE;
  t.diagnostic(`${Math.round(perConnection)} bytes for both ends of an idle connection`);
  assert.ok(perConnection < IDLE_BYTES_MAX, `${perConnection} bytes`);

  const work = async (client: CountingClient, index: number): Promise<void> => {
    const path = `/busy-${index}`;
    const frame = ({ type, body }: ReturnType<typeof create>) => requestFrame(1, type, body);
    await client.ask(frame(create(path, 'x')), 1);
    for (let round = 0; round < ROUNDS; round += 1) {
      await client.ask(Buffer.concat([frame(setData(path, `${round}`)), frame(getData(path)), frame(getData('/'))]), 3);
    }
  };
  await Promise.all(busy.map(work));
  const ping = requestFrame(Xid.ping, OpCode.ping, () => undefined);
  await Promise.all(idle.map((client) => client.ask(ping, 1)));

  const { view } = server;
  assert.equal(view.connections.size, IDLE + BUSY);
  assert.equal(view.sessions.size, IDLE + BUSY);
  assert.equal(view.stats.sessionsExpired, 0);
  assert.equal(view.outstandingCount, 0);
  assert.ok([...idle, ...busy].every((client) => !client.isClosed));
  for (let index = 0; index < BUSY; index += 1) {
    const data = view.tree.copyData(view.tree.find(`/busy-${index}`));
    assert.equal(Buffer.from(data ?? []).toString(), `${ROUNDS - 1}`);
  }
  for (const client of [...idle, ...busy]) client.destroy();
});
