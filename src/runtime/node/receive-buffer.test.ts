import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { fillByEvents } from './node-network.ts';
import { ReceiveBuffer } from './receive-buffer.ts';

test('what was taken stays as it was received, also over the end of a slab', () => {
  const receive = new ReceiveBuffer();
  const taken: Uint8Array[] = [];
  const sizes = Array.from({ length: 40 }, (_, index) => 1 + ((index * 7919) % receive.shared.length));
  for (const [index, size] of sizes.entries()) {
    receive.shared.fill(index + 1, 0, size);
    taken.push(receive.take(size));
  }
  receive.shared.fill(0);
  for (const [index, size] of sizes.entries()) {
    const chunk = taken[index]!;
    assert.equal(chunk.length, size);
    assert.ok(
      chunk.every((byte) => byte === index + 1),
      `chunk ${index} was changed`,
    );
  }
});

test('where a socket cannot read into the buffer, the usual events fill it', async (t) => {
  const receive = new ReceiveBuffer();
  const sent = Buffer.alloc(3 * receive.shared.length + 17, 'odradek');
  const received: Uint8Array[] = [];
  const server = createServer({ pauseOnConnect: true });
  const done = new Promise<void>((resolve) => {
    server.on('connection', (socket: Socket) => {
      const callback = (size: number): boolean => received.push(receive.take(size)) > 0;
      fillByEvents(socket, { buffer: receive.shared, callback }).on('end', resolve);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  connect(address.port, '127.0.0.1').end(sent);
  await done;
  assert.deepEqual(Buffer.concat(received), sent);
});
