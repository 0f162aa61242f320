import assert from 'node:assert/strict';
import type { Connection } from '../network.ts';
import { type ContractCase, type ContractWorld, pass } from './contract.ts';
import { connected, End } from './network-cases.ts';

type Ends = Pick<Awaited<ReturnType<typeof connected>>, 'client' | 'server' | 'close'>;

const megabyte = 1024 * 1024;
/** More than the buffers of two kernels hold. */
const manyMegabytes = 24;

/** Writes and counts what is heard of them; memory that has been sent is spoilt at once, as its next user would. */
class Sender {
  /** For each write how often it was heard of. */
  readonly counts: number[] = [];

  write(connection: Connection, ...buffers: Uint8Array[]): void {
    const index = this.counts.push(0) - 1;
    let hasReturned = false;
    connection.write(buffers, () => {
      assert.ok(hasReturned, 'sent before write returned');
      this.counts[index]! += 1;
      for (const buffer of buffers) buffer.fill(0xdb);
    });
    hasReturned = true;
  }

  /** So much that it stays unsent for as long as the peer does not read. */
  writeMuch(connection: Connection): void {
    for (let index = 0; index < manyMegabytes; index += 1) {
      const whole = Buffer.alloc(megabyte, index);
      if (index % 2 === 0) this.write(connection, whole);
      else this.write(connection, whole.subarray(0, 400_000), whole.subarray(400_000));
    }
  }

  get isDone(): boolean {
    return !this.counts.includes(0);
  }

  /** Every write was heard of, and a while later still once. */
  async assertDone(world: ContractWorld): Promise<void> {
    for (let waits = 0; waits < 100 && !this.isDone; waits += 1) await pass(world, 20);
    await pass(world, 20);
    assert.deepEqual(
      this.counts,
      this.counts.map(() => 1),
    );
  }
}

/**
 * Several large answers in one turn, some of which the system takes later: what a connection is asked for afterwards comes after its
 * answer, and the bytes of one peer never reach another.
 */
export async function answerInOneTurn(world: ContractWorld, peers: readonly Ends[]): Promise<void> {
  const sender = new Sender();
  const answer = (connection: Connection, mark: number, size = 900_000): void =>
    sender.write(connection, Buffer.alloc(70, mark), Buffer.alloc(size, mark));
  const afterwards: readonly ((connection: Connection, mark: number) => number)[] = [
    () => 0,
    (connection, mark) => {
      sender.write(connection, Buffer.alloc(3, mark));
      sender.write(connection);
      return 3;
    },
    (connection, mark) => {
      answer(connection, mark);
      answer(connection, mark, 5 * megabyte);
      return 900_140 + 5 * megabyte;
    },
    (connection) => {
      connection.end();
      sender.write(connection, Buffer.from('dropped'));
      return 0;
    },
    (connection) => {
      connection.pause();
      connection.resume();
      return 0;
    },
  ];
  const wanted = peers.map(({ server }, index) => {
    answer(server.connection, index + 1);
    return 900_070 + (afterwards[(index >> 1) % afterwards.length]?.(server.connection, index + 1) ?? 0);
  });
  for (const [index, { client, server }] of peers.entries()) {
    await world.complete(client.until(() => client.receivedBytes >= wanted[index]!));
    // Both directions still work, and in every direction there is what belongs there.
    client.connection.write([Buffer.from('thanks')]);
    await world.complete(server.until(() => server.receivedBytes === 6));
    const received = Buffer.concat(client.chunks);
    assert.ok(received.equals(Buffer.alloc(wanted[index]!, index + 1)), `peer ${index}: ${received.length} bytes`);
    if ((index >> 1) % afterwards.length === 3) await world.complete(client.hears('ended'));
  }
  await sender.assertDone(world);
  for (const peer of peers) peer.close();
}

export const sentCases: readonly ContractCase[] = [
  {
    name: 'large answers in one turn come whole and in order, whatever else their connections are asked for',
    run: async (world) => {
      const peers: Ends[] = [];
      while (peers.length < 20) peers.push(await connected(world));
      await answerInOneTurn(world, peers);
    },
  },
  {
    name: 'large answers in one turn to peers who leave: sent and closed come once, and the others get theirs',
    run: async (world) => {
      const peers: Ends[] = [];
      while (peers.length < 12) peers.push(await connected(world));
      const sender = new Sender();
      for (const [index, { client, server }] of peers.entries()) {
        sender.write(server.connection, Buffer.alloc(70, index), Buffer.alloc(900_000, index));
        sender.write(server.connection, Buffer.alloc(30, index));
        if (index % 3 === 1) server.connection.destroy();
        if (index % 3 === 2) client.connection.destroy();
      }
      for (const [index, { client, server }] of peers.entries()) {
        if (index % 3 === 0) {
          await world.complete(client.until(() => client.receivedBytes === 900_100));
        } else {
          const [leaver, other] = index % 3 === 1 ? [server, client] : [client, server];
          await world.complete(leaver.hears('closed'));
          await world.complete(other.until(() => /ended|closed/.test(other.heard.join())));
        }
        assert.ok(
          Buffer.concat(client.chunks).every((byte) => byte === index),
          `peer ${index}`,
        );
      }
      await sender.assertDone(world);
      for (const { close } of peers) close();
    },
  },
  {
    name: 'sent comes once for each write, small, joined, vectored or empty, and what was sent may be spoilt then',
    run: async (world) => {
      const { client, server, close } = await connected(world);
      const sender = new Sender();
      const want: Buffer[] = [];
      for (const sizes of [[3], [], [5, 0, 7], [100_000], [0], [40_000, 1, 40_000], [1_000_000, 20], [1]]) {
        const buffers = sizes.map((size, index) => Buffer.alloc(size, size + index));
        want.push(...buffers.map((buffer) => Buffer.from(buffer)));
        sender.write(client.connection, ...buffers);
      }
      const sent = Buffer.concat(want);
      await world.complete(server.until(() => server.receivedBytes === sent.length));
      assert.ok(Buffer.concat(server.chunks).equals(sent));
      await sender.assertDone(world);
      close();
    },
  },
  {
    name: 'sent waits for a slow reader, who gets every byte as it was written',
    run: async (world) => {
      const { client, server, close } = await connected(world);
      const sender = new Sender();
      server.connection.pause();
      sender.writeMuch(client.connection);
      await pass(world, 50);
      assert.equal(sender.counts.at(-1), 0);
      server.connection.resume();
      await world.complete(server.until(() => server.receivedBytes === manyMegabytes * megabyte));
      const received = Buffer.concat(server.chunks);
      for (let index = 0; index < manyMegabytes; index += 1) {
        const part = received.subarray(index * megabyte, (index + 1) * megabyte);
        assert.ok(part.equals(Buffer.alloc(megabyte, index)), `megabyte ${index}`);
      }
      await sender.assertDone(world);
      close();
    },
  },
  {
    name: 'sent comes once for all that is lost when a connection is destroyed, and for what is written afterwards',
    run: async (world) => {
      const { client, server, close } = await connected(world);
      const sender = new Sender();
      server.connection.pause();
      sender.writeMuch(client.connection);
      await pass(world, 20);
      client.connection.destroy();
      sender.write(client.connection, Buffer.from('late'));
      await world.complete(client.hears('closed'));
      sender.write(client.connection, Buffer.from('later'));
      await sender.assertDone(world);
      close();
    },
  },
  {
    name: 'sent comes once for all that is lost when the peer resets',
    run: async (world) => {
      const { client, server, close } = await connected(world);
      const sender = new Sender();
      server.connection.pause();
      sender.writeMuch(client.connection);
      await pass(world, 50);
      server.connection.destroy();
      await world.complete(client.hears('closed'));
      sender.write(client.connection, Buffer.from('late'));
      await sender.assertDone(world);
      close();
    },
  },
  {
    name: 'sent comes for what was written before end, and for what is dropped after it',
    run: async (world) => {
      const { client, server, close } = await connected(world);
      const sender = new Sender();
      sender.writeMuch(client.connection);
      client.connection.end();
      sender.write(client.connection, Buffer.from('dropped'));
      await world.complete(server.hears('ended'));
      assert.equal(server.receivedBytes, manyMegabytes * megabyte);
      assert.ok(!Buffer.concat(server.chunks).includes(0xdb));
      await sender.assertDone(world);
      close();
    },
  },
  {
    name: 'sent comes for what was written to a connection that is never established',
    run: async (world) => {
      const { network } = world.runtime;
      const listener = await world.complete(network.listen({ host: world.host, port: 0 }, () => new End()));
      await world.complete(listener.close());
      const client = new End();
      const sender = new Sender();
      client.connection = network.connect(listener.address, client);
      sender.write(client.connection, Buffer.from('early'), Buffer.alloc(100_000));
      sender.write(client.connection, Buffer.from('early too'));
      await world.complete(client.hears('closed'));
      await sender.assertDone(world);
    },
  },
];
