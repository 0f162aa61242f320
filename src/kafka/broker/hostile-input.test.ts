import assert from 'node:assert/strict';
import test from 'node:test';
import { simulateCluster } from '../../testing/index.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../protocol/messages/00-produce.ts';
import { FetchRequest, FetchResponse } from '../protocol/messages/01-fetch.ts';
import { MetadataRequest, MetadataResponse } from '../protocol/messages/03-metadata.ts';
import { ApiVersionsRequest } from '../protocol/messages/18-api-versions.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from '../protocol/messages/19-create-topics.ts';
import { encodeRequest, RawClient } from './testkit/raw-client.ts';
import { batchOf, fetchRequest, produceRequest } from './testkit/requests.ts';

async function cluster(kafka: Record<string, string | number> = {}) {
  const world = simulateCluster({ seed: 11, kafka });
  await world.start();
  const connect = (): RawClient => new RawClient(world.client.runtime, world.bootstrap);
  const client = connect();
  const created = await world.sim.complete(
    client.ask(CreateTopicsRequest, CreateTopicsResponse, 4, {
      topics: [{ name: 'spool', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
      timeoutMs: 5000,
    }),
  );
  assert.equal(created.topics[0]?.errorCode, ErrorCode.NONE);
  const produce = async (bytes: Uint8Array, acks = -1) => {
    const answer = await world.sim.complete(
      client.ask(ProduceRequest, ProduceResponse, 8, produceRequest('spool', bytes, acks)),
    );
    return answer.responses[0]?.partitionResponses[0];
  };
  const stillServes = async (): Promise<void> => {
    const answer = await world.sim.complete(connect().ask(MetadataRequest, MetadataResponse, 5, { topics: null }));
    assert.ok(answer.topics.some(({ name }) => name === 'spool'));
  };
  return { ...world, connect, client, produce, stillServes };
}

const closers: readonly { name: string; bytes: Uint8Array }[] = [
  { name: 'a frame of negative size', bytes: Buffer.from('ffffffff', 'hex') },
  { name: 'a frame above socket.request.max.bytes', bytes: Buffer.from('7fffffff', 'hex') },
  {
    name: 'an api key that nobody knows',
    bytes: Buffer.from('0000000a 0fa0 0000 00000007 ffff'.replaceAll(' ', ''), 'hex'),
  },
  {
    name: 'a version that is not advertised',
    bytes: Buffer.from('0000000a 0003 0063 00000007 ffff'.replaceAll(' ', ''), 'hex'),
  },
  {
    name: 'a body that ends too early',
    bytes: Buffer.from('0000000e 0003 0001 00000007 ffff 7fffffff'.replaceAll(' ', ''), 'hex'),
  },
  { name: 'a frame too short for a header', bytes: Buffer.from('0000000100', 'hex') },
  { name: 'an empty frame', bytes: Buffer.from('00000000', 'hex') },
];
for (const { name, bytes } of closers) {
  test(`${name} closes its connection, and the broker lives`, async () => {
    const { sim, connect, stillServes, broker } = await cluster();
    const bad = connect();
    bad.write(bytes);
    await sim.complete(bad.closed);
    await stillServes();
    assert.ok(broker.server !== undefined);
  });
}

test('a request that never comes whole holds its connection, and nothing else', async () => {
  const { connect, stillServes } = await cluster();
  const slow = connect();
  slow.write(Buffer.from('000000ff0003', 'hex'));
  await stillServes();
  assert.equal(slow.isClosed, false);
});

test('an unknown version of ApiVersions is answered in version 0 with the range that works', async () => {
  const { sim, connect } = await cluster();
  const client = connect();
  client.write(Buffer.from('0000000e 0012 0063 00000007 ffff 01020304'.replaceAll(' ', ''), 'hex'));
  const frame = await sim.complete(client.nextFrame());
  assert.equal(
    Buffer.concat(frame.chunks).toString('hex'),
    '00000007' + '0023' + '00000001' + '0012' + '0000' + '0004',
  );
});

test('pipelined requests are answered in their order, wherever the stream is cut', async () => {
  const { sim, connect } = await cluster();
  const client = connect();
  const stream = Buffer.concat([
    encodeRequest(ProduceRequest, 7, produceRequest('spool', batchOf(['a']), 1)),
    encodeRequest(ApiVersionsRequest, 0, {}),
    encodeRequest(ProduceRequest, 7, produceRequest('spool', batchOf(['b']), 1)),
  ]);
  for (let at = 0; at < stream.length; at += 7) client.write(stream.subarray(at, at + 7));
  const sizes: number[] = [];
  for (let index = 0; index < 3; index += 1) sizes.push((await sim.complete(client.nextFrame())).size);
  assert.equal(sizes[0], sizes[2]);
  assert.ok((sizes[1] ?? 0) > 100, 'the list of APIs came second');
});

const damages: readonly { name: string; damage(batch: Buffer): void; code: number }[] = [
  { name: 'a wrong checksum', damage: (batch) => batch.writeUInt32BE(1, 17), code: ErrorCode.CORRUPT_MESSAGE },
  {
    name: 'a length beyond its records',
    damage: (batch) => batch.writeInt32BE(batch.length, 8),
    code: ErrorCode.INVALID_RECORD,
  },
  { name: 'a length below a header', damage: (batch) => batch.writeInt32BE(3, 8), code: ErrorCode.CORRUPT_MESSAGE },
  { name: 'a damaged record', damage: (batch) => batch.fill(0xff, 62, 66), code: ErrorCode.CORRUPT_MESSAGE },
  { name: 'a magic of nonsense', damage: (batch) => batch.writeInt8(9, 16), code: ErrorCode.CORRUPT_MESSAGE },
];
for (const { name, damage, code } of damages) {
  test(`a batch with ${name} is refused with its code, and nothing is appended`, async () => {
    const { produce } = await cluster();
    const bad = batchOf(['one', 'two']);
    damage(bad);
    assert.equal((await produce(bad))?.errorCode, code);
    assert.equal((await produce(batchOf(['good'])))?.baseOffset, 0);
  });
}

test('a batch above max.message.bytes is too large', async () => {
  const { produce } = await cluster({ 'message.max.bytes': 200 });
  assert.equal((await produce(batchOf(['x'.repeat(500)])))?.errorCode, ErrorCode.MESSAGE_TOO_LARGE);
});

test('a produce with acks=0 that fails closes the connection, one that succeeds is not answered', async () => {
  const { sim, connect, produce } = await cluster();
  const silent = connect();
  silent.write(encodeRequest(ProduceRequest, 7, produceRequest('spool', batchOf(['quiet']), 0)));
  silent.write(encodeRequest(ApiVersionsRequest, 0, {}));
  assert.ok((await sim.complete(silent.nextFrame())).size > 100, 'the first answer is that of ApiVersions');
  const bad = batchOf(['x']);
  bad.writeUInt32BE(1, 17);
  silent.write(encodeRequest(ProduceRequest, 7, produceRequest('spool', bad, 0)));
  await sim.complete(silent.closed);
  assert.equal((await produce(batchOf(['next'])))?.baseOffset, 1);
});

test('a client that does not read stops being served, and costs bounded memory', async () => {
  const { sim, connect, produce, client, broker } = await cluster();
  for (let index = 0; index < 20; index += 1) await produce(batchOf(['x'.repeat(50_000)]));
  const slow = connect();
  slow.pause();
  const fetch = encodeRequest(FetchRequest, 11, fetchRequest('spool', 0));
  for (let index = 0; index < 200; index += 1) slow.write(fetch);
  await sim.runFor(5_000);
  const { unsentBytes = Infinity, requestBytes = Infinity } = broker.server?.networkLoad ?? {};
  assert.ok(unsentBytes < 8 << 20, `${unsentBytes} bytes of answers wait`);
  assert.ok(requestBytes < 1 << 20, `${requestBytes} bytes of requests wait`);
  const answer = await sim.complete(client.ask(FetchRequest, FetchResponse, 11, fetchRequest('spool', 0)));
  assert.ok((answer.responses[0]?.partitions[0]?.records?.size ?? 0) > 900_000, 'others are served meanwhile');
  slow.resume();
  for (let index = 0; index < 200; index += 1) assert.ok((await sim.complete(slow.nextFrame())).size > 900_000);
});

test('many clients that do not read share one bound, and everybody is served once they go', async () => {
  const { sim, connect, produce, broker } = await cluster();
  await produce(batchOf(['x'.repeat(1_000_000)]));
  const fetch = encodeRequest(FetchRequest, 11, fetchRequest('spool', 0));
  const slow = Array.from({ length: 400 }, () => connect());
  for (const client of slow) {
    client.pause();
    for (let index = 0; index < 3; index += 1) client.write(fetch);
  }
  await sim.runFor(10_000);
  assert.ok((broker.server?.networkLoad.unsentBytes ?? Infinity) < 300 << 20);
  const waiting = connect();
  waiting.write(encodeRequest(ApiVersionsRequest, 0, {}));
  for (const client of slow) client.close();
  assert.ok((await sim.complete(waiting.nextFrame())).size > 100);
});
