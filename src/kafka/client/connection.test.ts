import assert from 'node:assert/strict';
import test from 'node:test';
import type { Connection } from '../../runtime/network.ts';
import type { SimMachine } from '../../runtime/sim/sim-machine.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import { encode } from '../../wire/codec.ts';
import { FrameSplitter } from '../../wire/framing.ts';
import { Reader } from '../../wire/reader.ts';
import { build } from '../../wire/schema.ts';
import { Writer } from '../../wire/writer.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { MetadataRequest, MetadataResponse } from '../protocol/messages/03-metadata.ts';
import { ApiVersionsResponse } from '../protocol/messages/18-api-versions.ts';
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../protocol/messages/44-incremental-alter-configs.ts';
import { BrokerConnection } from './connection.ts';

interface Asked {
  readonly apiKey: number;
  readonly version: number;
  readonly correlationId: number;
  answer(body: Uint8Array, correlationId?: number): void;
}

/** A broker that answers what a test tells it to. */
interface Scripted {
  readonly sim: Simulation;
  readonly connection: BrokerConnection;
  readonly asked: Asked[];
}

const ranges = [
  { apiKey: 3, minVersion: 0, maxVersion: 7 },
  { apiKey: 18, minVersion: 0, maxVersion: 2 },
];
const apiVersions = (version: number): Uint8Array =>
  encode(ApiVersionsResponse, version, build(ApiVersionsResponse, { apiKeys: ranges }));

async function scripted(onRequest: (asked: Asked) => void): Promise<Scripted> {
  const sim = new Simulation({ seed: 1 });
  const [broker, client] = [sim.machine('broker'), sim.machine('client')];
  const asked: Asked[] = [];
  await sim.complete(
    listen(broker, (each) => {
      asked.push(each);
      onRequest(each);
    }),
  );
  const connection = new BrokerConnection(client.runtime, {
    address: { host: broker.host, port: 9092 },
    ...{ clientId: 'c', requestTimeoutMs: 1_000, connectTimeoutMs: 3_000, frameSizeMax: 1_000_000 },
  });
  return { sim, connection, asked };
}

function listen(broker: SimMachine, onRequest: (asked: Asked) => void): Promise<unknown> {
  return broker.runtime.network.listen({ host: broker.host, port: 9092 }, (socket: Connection) => {
    const splitter = new FrameSplitter(1_000_000);
    return {
      data: (chunk) =>
        splitter.push(chunk, (frame) => {
          const reader = new Reader(frame);
          const [apiKey, version, correlationId] = [reader.int16(), reader.int16(), reader.int32()];
          const answer = (body: Uint8Array, id = correlationId): void => {
            const writer = new Writer();
            writer.int32(4 + body.length);
            writer.int32(id);
            writer.bytes(body);
            socket.write([writer.finishFlat()]);
          };
          onRequest({ apiKey, version, correlationId, answer });
          return true;
        }),
      closed: () => undefined,
    };
  });
}

/** ApiVersions as 2.1 answers it; anything else goes to `then`. */
const oldBroker =
  (then: (asked: Asked) => void) =>
  (asked: Asked): void => {
    if (asked.apiKey !== 18) then(asked);
    else if (asked.version <= 2) asked.answer(apiVersions(asked.version));
    else
      asked.answer(
        encode(ApiVersionsResponse, 0, build(ApiVersionsResponse, { errorCode: ErrorCode.UNSUPPORTED_VERSION })),
      );
  };

const metadata = (version: number, throttleTimeMs = 0): Uint8Array =>
  encode(MetadataResponse, version, build(MetadataResponse, { throttleTimeMs, clusterId: 'x' }));
const askMetadata = ({ connection }: Scripted) => connection.request(MetadataRequest, MetadataResponse, { topics: [] });
const codeIs = (code: number) => (error: unknown) => error instanceof KafkaError && error.code === code;

test('a broker that does not know the newest ApiVersions is asked again in version 0, and in what it knows from then on', async () => {
  const world = await scripted(oldBroker((asked) => asked.answer(metadata(asked.version))));
  await world.sim.complete(world.connection.opened);
  assert.equal((await world.sim.complete(askMetadata(world))).clusterId, 'x');
  assert.deepEqual(
    world.asked.map(({ apiKey, version }) => [apiKey, version]),
    [
      [18, 4],
      [18, 0],
      [3, 7],
    ],
  );
  await assert.rejects(
    world.sim.complete(world.connection.request(IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, {})),
    codeIs(ErrorCode.UNSUPPORTED_VERSION),
  );
});

test('requests go out together and are answered in order', async () => {
  const waiting: Asked[] = [];
  const world = await scripted(oldBroker((asked) => void waiting.push(asked)));
  await world.sim.complete(world.connection.opened);
  const answers = [askMetadata(world), askMetadata(world), askMetadata(world)];
  await world.sim.runFor(100);
  assert.equal(world.connection.inFlight, 3);
  for (const asked of waiting) asked.answer(metadata(asked.version));
  await world.sim.complete(Promise.all(answers));
  assert.equal(world.connection.inFlight, 0);
});

test('an answer to another request ends the connection and everything on it', async () => {
  const world = await scripted(oldBroker((asked) => asked.answer(metadata(asked.version), 99)));
  await world.sim.complete(world.connection.opened);
  const both = [askMetadata(world), askMetadata(world)];
  for (const result of await world.sim.complete(Promise.allSettled(both))) {
    assert.ok(result.status === 'rejected' && codeIs(ErrorCode.NETWORK_EXCEPTION)(result.reason));
  }
  assert.ok(world.connection.isClosed);
});

test('an answer that cannot be read ends the connection', async () => {
  const world = await scripted(oldBroker((asked) => asked.answer(new Uint8Array(3))));
  await world.sim.complete(world.connection.opened);
  await assert.rejects(world.sim.complete(askMetadata(world)), codeIs(ErrorCode.NETWORK_EXCEPTION));
});

test('a request that is not answered in time ends the connection', async () => {
  const world = await scripted(oldBroker(() => undefined));
  await world.sim.complete(world.connection.opened);
  const begunMs = world.sim.nowMs;
  await assert.rejects(world.sim.complete(askMetadata(world)), codeIs(ErrorCode.REQUEST_TIMED_OUT));
  assert.ok(world.sim.nowMs - begunMs >= 1_000 && world.sim.nowMs - begunMs < 1_100);
});

test('a broker that throttles has the time that it said, and the request its own', async () => {
  const waiting: Asked[] = [];
  const world = await scripted(oldBroker((asked) => void waiting.push(asked)));
  await world.sim.complete(world.connection.opened);
  const first = askMetadata(world);
  const second = askMetadata(world);
  await world.sim.runFor(100);
  waiting[0]!.answer(metadata(7, 5_000));
  await world.sim.complete(first);
  await world.sim.runFor(5_500);
  waiting[1]!.answer(metadata(7));
  await world.sim.complete(second);
  const third = askMetadata(world);
  await assert.rejects(world.sim.complete(third), codeIs(ErrorCode.REQUEST_TIMED_OUT));
});

test('nobody there: opening fails, and so does every request', async () => {
  const sim = new Simulation({ seed: 1 });
  const [broker, client] = [sim.machine('broker'), sim.machine('client')];
  const connection = new BrokerConnection(client.runtime, {
    address: { host: broker.host, port: 1 },
    ...{ clientId: 'c', requestTimeoutMs: 1_000, connectTimeoutMs: 3_000, frameSizeMax: 1_000_000 },
  });
  await assert.rejects(sim.complete(connection.opened), codeIs(ErrorCode.NETWORK_EXCEPTION));
  await assert.rejects(sim.complete(connection.request(MetadataRequest, MetadataResponse, {})), KafkaError);
});
