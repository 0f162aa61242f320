import assert from 'node:assert/strict';
import { type Connection, type ConnectionHandler, type Listener, NetworkError } from '../network.ts';
import { type ContractCase, type ContractWorld, pass, turn } from './contract.ts';

/** One end of a connection, writing down what it hears. */
export class End implements ConnectionHandler {
  connection!: Connection;
  readonly heard: string[] = [];
  readonly chunks: Uint8Array[] = [];
  receivedBytes = 0;
  onData: (() => void) | undefined;
  #waiting: { readonly condition: () => boolean; readonly resolve: () => void }[] = [];
  reason: NetworkError | undefined;

  connected(): void {
    this.#hear('connected');
  }

  data(chunk: Uint8Array): void {
    this.chunks.push(chunk);
    this.receivedBytes += chunk.length;
    this.onData?.();
    this.#hear('data');
  }

  ended(): void {
    this.#hear('ended');
  }

  drained(): void {
    this.#hear('drained');
  }

  closed(reason?: NetworkError): void {
    this.reason = reason;
    this.#hear('closed');
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }

  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ condition, resolve }));
  }

  hears(what: string): Promise<void> {
    return this.until(() => this.heard.includes(what));
  }

  #hear(what: string): void {
    if (this.heard.at(-1) !== what) this.heard.push(what);
    for (const { condition, resolve } of this.#waiting) if (condition()) resolve();
  }
}

interface Pair {
  readonly client: End;
  readonly server: End;
  readonly listener: Listener;
  readonly close: () => void;
}

/** A connection, both ends of which know of each other. */
export async function connected(world: ContractWorld, handlerOf = (end: End): ConnectionHandler => end): Promise<Pair> {
  const { network } = world.runtime;
  const [client, server] = [new End(), new End()];
  let accepted: () => void = () => undefined;
  const isAccepted = new Promise<void>((resolve) => {
    accepted = resolve;
  });
  const listener = await world.complete(
    network.listen({ host: world.host, port: 0 }, (connection) => {
      server.connection = connection;
      accepted();
      return handlerOf(server);
    }),
  );
  client.connection = network.connect({ host: world.host, port: listener.address.port }, client);
  await world.complete(Promise.all([isAccepted, client.hears('connected')]));
  const close = (): void => {
    client.connection.destroy();
    server.connection.destroy();
    void listener.close();
  };
  return { client, server, listener, close };
}

const megabyte = 1024 * 1024;

export const networkCases: readonly ContractCase[] = [
  {
    name: 'bytes arrive in order in both directions, whatever the chunks',
    run: async (world) => {
      const { client, server, close } = await connected(world);
      client.connection.write([Buffer.from('one '), Buffer.from('two '), Buffer.alloc(0)]);
      client.connection.write([Buffer.from('three')]);
      server.connection.write([Buffer.from('answer')]);
      await world.complete(Promise.all([server.until(() => server.receivedBytes === 13), client.hears('data')]));
      await world.complete(client.until(() => client.receivedBytes === 6));
      assert.equal(server.text, 'one two three');
      assert.equal(client.text, 'answer');
      close();
    },
  },
  {
    name: 'a chunk that is only lent holds its bytes during the call, and others afterwards',
    run: async (world) => {
      const copies: Uint8Array[] = [];
      const lent: Uint8Array[] = [];
      const { client, server, close } = await connected(world, (end) => ({
        borrowsChunks: true,
        data(chunk) {
          lent.push(chunk);
          copies.push(Buffer.from(chunk));
          end.data(copies.at(-1)!);
        },
        closed: (reason) => end.closed(reason),
      }));
      const sent = Buffer.alloc(3 * megabyte, 'abcdefg');
      client.connection.write([sent]);
      await world.complete(server.until(() => server.receivedBytes === sent.length));
      assert.ok(sent.equals(Buffer.concat(copies)));
      client.connection.write([Buffer.alloc(1_000, 'z')]);
      await world.complete(server.until(() => server.receivedBytes === sent.length + 1_000));
      assert.ok(!sent.subarray(0, 100).equals(lent[0]!.subarray(0, 100)), 'the first chunk is still there');
      close();
    },
  },
  {
    name: 'what is written before the connection is established is sent then',
    run: async (world) => {
      const { network } = world.runtime;
      const [client, server] = [new End(), new End()];
      const listener = await world.complete(
        network.listen({ host: world.host, port: 0 }, (connection) => {
          server.connection = connection;
          return server;
        }),
      );
      client.connection = network.connect(listener.address, client);
      client.connection.write([Buffer.from('early')]);
      await world.complete(server.until(() => server.text === 'early'));
      client.connection.destroy();
      server.connection.destroy();
      await listener.close();
    },
  },
  {
    name: 'each end knows both addresses',
    run: async (world) => {
      const { client, server, listener, close } = await connected(world);
      assert.equal(client.connection.remote.port, listener.address.port);
      assert.equal(server.connection.local.port, listener.address.port);
      assert.equal(server.connection.remote.port, client.connection.local.port);
      assert.equal(server.connection.remote.host, client.connection.local.host);
      close();
    },
  },
  {
    name: 'a large write of many buffers arrives whole',
    run: async (world) => {
      const { client, server, close } = await connected(world);
      const buffers = Array.from({ length: 2500 }, (_, index) => Buffer.alloc(100, index % 251));
      client.connection.write(buffers);
      await world.complete(server.until(() => server.receivedBytes >= 250_000));
      assert.ok(Buffer.concat(buffers).equals(Buffer.concat(server.chunks)));
      close();
    },
  },
  {
    name: 'a chunk belongs to its receiver: writing into it changes nothing elsewhere',
    run: async (world) => {
      const { client, server, close } = await connected(world);
      const sent = Buffer.from('0123456789');
      server.onData = () => server.chunks.at(-1)!.fill(0);
      client.connection.write([sent]);
      await world.complete(server.until(() => server.receivedBytes === 10));
      client.connection.write([sent]);
      await world.complete(server.until(() => server.receivedBytes === 20));
      assert.equal(sent.toString(), '0123456789');
      close();
    },
  },
  {
    name: 'nobody listens: the connection closes with ECONNREFUSED',
    run: async (world) => {
      const { network } = world.runtime;
      const listener = await world.complete(network.listen({ host: world.host, port: 0 }, () => new End()));
      await world.complete(listener.close());
      const client = new End();
      client.connection = network.connect(listener.address, client);
      await world.complete(client.hears('closed'));
      assert.deepEqual(client.heard, ['closed']);
      assert.equal(client.reason?.code, 'ECONNREFUSED');
    },
  },
  {
    name: 'a name that stands for nothing: ENOTFOUND, from connect and from resolve',
    run: async (world) => {
      const { network } = world.runtime;
      const client = new End();
      client.connection = network.connect({ host: 'no-such-host.invalid', port: 1 }, client);
      await world.complete(client.hears('closed'));
      assert.ok(['ENOTFOUND', 'EAI_AGAIN'].includes(client.reason?.code ?? ''), client.reason?.code);
      await assert.rejects(world.complete(network.resolve('no-such-host.invalid')), NetworkError);
      assert.deepEqual(await world.complete(network.resolve('127.0.0.1')), ['127.0.0.1']);
      assert.ok((await world.complete(network.resolve('localhost'))).length > 0);
    },
  },
  {
    name: 'a port is taken once: EADDRINUSE, and free again after close, while accepted connections live on',
    run: async (world) => {
      const { network } = world.runtime;
      const { client, server, listener, close } = await connected(world);
      const at = { host: world.host, port: listener.address.port };
      await assert.rejects(
        world.complete(network.listen(at, () => new End())),
        (error) => error instanceof NetworkError && error.code === 'EADDRINUSE',
      );
      await world.complete(listener.close());
      const second = await world.complete(network.listen(at, () => new End()));
      client.connection.write([Buffer.from('still here')]);
      await world.complete(server.until(() => server.text === 'still here'));
      await world.complete(second.close());
      close();
    },
  },
  {
    name: 'half-close: an end that sent its last bytes still receives, and both close when both have ended',
    run: async (world) => {
      const { client, server, close } = await connected(world);
      client.connection.write([Buffer.from('request')]);
      client.connection.end();
      await world.complete(server.hears('ended'));
      assert.equal(server.text, 'request');
      server.connection.write([Buffer.from('response')]);
      await world.complete(client.until(() => client.text === 'response'));
      server.connection.end();
      await world.complete(Promise.all([client.hears('closed'), server.hears('closed')]));
      assert.deepEqual(client.heard, ['connected', 'data', 'ended', 'closed']);
      assert.deepEqual(server.heard, ['data', 'ended', 'closed']);
      assert.equal(client.reason ?? server.reason, undefined);
      close();
    },
  },
  {
    name: 'without an ended method the connection closes as a whole when the peer ends',
    run: async (world) => {
      const { client, server, close } = await connected(world, (end) => ({
        data: (chunk) => end.data(chunk),
        closed: (reason) => end.closed(reason),
      }));
      client.connection.end();
      await world.complete(Promise.all([client.hears('closed'), server.hears('closed')]));
      close();
    },
  },
  {
    name: 'destroy: closed follows on a later turn and is the last call, and later writes go nowhere',
    run: async (world) => {
      const { client, server, close } = await connected(world);
      server.connection.write([Buffer.from('unheard')]);
      client.connection.destroy();
      assert.deepEqual(client.heard, ['connected']);
      assert.equal(client.connection.write([Buffer.from('x')]), false);
      client.connection.end();
      client.connection.destroy();
      await world.complete(client.hears('closed'));
      await pass(world, 10);
      assert.deepEqual(client.heard, ['connected', 'closed']);
      close();
    },
  },
  {
    name: 'an end that closes without having read all resets its peer',
    run: async (world) => {
      const { client, server, close } = await connected(world);
      client.connection.pause();
      server.connection.write([Buffer.alloc(8 * megabyte)]);
      await pass(world, 50);
      client.connection.destroy();
      await world.complete(server.hears('closed'));
      assert.ok(['ECONNRESET', 'EPIPE'].includes(server.reason?.code ?? ''), server.reason?.code);
      close();
    },
  },
  {
    name: 'back-pressure: write answers false when the peer does not read, and drained follows when it does',
    run: backPressure,
  },
  {
    name: 'a paused connection receives nothing until it is resumed',
    run: async (world) => {
      const { client, server, close } = await connected(world);
      server.connection.pause();
      client.connection.write([Buffer.from('wait')]);
      client.connection.end();
      await pass(world, 30);
      assert.deepEqual(server.heard, []);
      server.connection.resume();
      await world.complete(server.hears('ended'));
      assert.equal(server.text, 'wait');
      close();
    },
  },
  {
    name: 'end sends all that was written, however much',
    run: async (world) => {
      const { client, server, close } = await connected(world);
      client.connection.write([Buffer.alloc(3 * megabyte, 7)]);
      client.connection.end();
      await world.complete(server.hears('ended'));
      assert.equal(server.receivedBytes, 3 * megabyte);
      close();
    },
  },
];

async function backPressure(world: ContractWorld): Promise<void> {
  const { client, server, close } = await connected(world);
  server.connection.pause();
  const chunk = Buffer.alloc(256 * 1024, 1);
  let written = 0;
  let isReady = true;
  while (isReady && written < 256 * megabyte) {
    for (let count = 0; isReady && count < 16; count += 1) {
      isReady = client.connection.write([chunk]);
      written += chunk.length;
    }
    await turn(world);
  }
  assert.equal(isReady, false);
  await pass(world, 20);
  assert.ok(!client.heard.includes('drained'));
  assert.ok(client.connection.unsentBytes > 0 && client.connection.unsentBytes <= written);
  server.connection.resume();
  await world.complete(client.hears('drained'));
  assert.equal(client.connection.unsentBytes, 0);
  await world.complete(server.until(() => server.receivedBytes === written));
  close();
}
