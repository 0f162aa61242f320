import assert from 'node:assert/strict';
import { type Connection, type Listener, NetworkError } from '../network.ts';
import type { ClientTls, ServerTls, TlsIdentity, TlsMaterial } from '../tls.ts';
import { type ContractWorld, pass, turn } from './contract.ts';
import { End } from './network-cases.ts';
import { answerInOneTurn } from './sent-cases.ts';

/** Identities by their names in test/golden/tls; authorities are identities too. */
export type Certificates = (name: string) => TlsIdentity;

export interface TlsCase {
  readonly name: string;
  readonly run: (world: ContractWorld, certificates: Certificates) => Promise<void>;
}

const timeoutMs = 5000;

/** A client and a listener that trust the same authority and know each other by certificate. */
class TlsPair {
  readonly #world: ContractWorld;
  readonly #certificates: Certificates;
  readonly client = new End();
  readonly server = new End();
  /** What the listener's observer heard. */
  readonly heard: string[] = [];
  readonly failures: (NetworkError | undefined)[] = [];
  listener!: Listener;

  constructor(world: ContractWorld, certificates: Certificates) {
    this.#world = world;
    this.#certificates = certificates;
  }

  material(identity: string | undefined, ...trusted: string[]): TlsMaterial {
    return {
      ...(identity === undefined ? {} : { identity: this.#certificates(identity) }),
      trusted: trusted.map((name) => this.#certificates(name).certificates[0]!),
    };
  }

  async listen(options: Partial<ServerTls> = {}): Promise<void> {
    const tls: ServerTls = {
      material: this.material('server', 'ca'),
      clientAuthentication: 'need',
      protocols: ['TLSv1.2', 'TLSv1.3'],
      handshakeTimeoutMs: timeoutMs,
      handshakes: {
        began: () => this.heard.push('began') > 0,
        ended: (error) => {
          this.heard.push(error === undefined ? 'ended' : `failed ${error.code}`);
          this.failures.push(error);
        },
      },
      ...options,
    };
    const { network } = this.#world.runtime;
    const accept = (connection: Connection): End => {
      this.server.connection = connection;
      this.heard.push('accepted');
      this.server.connected();
      return this.server;
    };
    this.listener = await this.#world.complete(network.listen({ host: this.#world.host, port: 0 }, accept, { tls }));
  }

  connect(options: Partial<ClientTls> = {}): void {
    const tls: ClientTls = {
      material: this.material('client', 'ca'),
      serverName: 'localhost',
      verifyHostname: true,
      protocols: ['TLSv1.2', 'TLSv1.3'],
      handshakeTimeoutMs: timeoutMs,
      ...options,
    };
    this.client.connection = this.#world.runtime.network.connect(this.#at, this.client, { tls });
  }

  connectPlain(): void {
    this.client.connection = this.#world.runtime.network.connect(this.#at, this.client);
  }

  get #at(): { host: string; port: number } {
    return { host: this.#world.host, port: this.listener.address.port };
  }

  async connected(server: Partial<ServerTls> = {}, client: Partial<ClientTls> = {}): Promise<this> {
    await this.listen(server);
    this.connect(client);
    await this.#world.complete(Promise.all([this.client.hears('connected'), this.server.hears('connected')]));
    return this;
  }

  /** The listener has given up a handshake, and the client knows that nobody is there. */
  async failed(): Promise<void> {
    await this.#world.complete(this.client.until(() => this.client.heard.some((each) => /ended|closed/.test(each))));
    this.client.connection.destroy();
    for (let waits = 0; waits < 200 && this.failures.length === 0; waits += 1) await pass(this.#world, 10);
  }

  /** The server never hears of the client, who learns why. */
  async assertRefused(code = 'EPROTO'): Promise<void> {
    await this.#world.complete(this.client.hears('closed'));
    await this.failed();
    assert.equal(this.client.reason?.code, code);
    assert.ok(!this.heard.includes('accepted'), this.heard.join());
    assert.equal(this.client.receivedBytes, 0);
    this.close();
  }

  close(): void {
    this.client.connection?.destroy();
    (this.server.connection as Connection | undefined)?.destroy();
    void this.listener.close();
  }
}

function bytesOf(certificates: readonly Uint8Array[]): string[] {
  return certificates.map((each) => Buffer.from(each).toString('base64'));
}

export const tlsCases: readonly TlsCase[] = [
  {
    name: 'large answers in one turn are encrypted, and come whole and in order',
    run: async (world, certificates) => {
      const peers: TlsPair[] = [];
      while (peers.length < 4) peers.push(await new TlsPair(world, certificates).connected());
      await answerInOneTurn(world, peers);
    },
  },
  {
    name: 'each end sees the certificate of the other, and what was agreed',
    run: async (world, certificates) => {
      const pair = await new TlsPair(world, certificates).connected();
      const [client, server] = [pair.client.connection.tls, pair.server.connection.tls];
      assert.deepEqual([client?.protocol, server?.protocol], ['TLSv1.3', 'TLSv1.3']);
      assert.match(client?.cipher ?? '', /^TLS_AES_/);
      assert.equal(client?.cipher, server?.cipher);
      assert.deepEqual(
        bytesOf(client?.peerCertificates.slice(0, 1) ?? []),
        bytesOf(certificates('server').certificates),
      );
      assert.deepEqual(
        bytesOf(server?.peerCertificates.slice(0, 1) ?? []),
        bytesOf(certificates('client').certificates.slice(0, 1)),
      );
      assert.deepEqual(pair.heard, ['began', 'ended', 'accepted']);
      pair.close();
    },
  },
  {
    name: 'bytes go both ways, in order, whatever their size, and what was written before the handshake too',
    run: async (world, certificates) => {
      const pair = new TlsPair(world, certificates);
      await pair.listen();
      pair.connect();
      const { client, server } = pair;
      const large = Buffer.alloc(3_000_000, 'abcdefghijk');
      client.connection.write([Buffer.from('early ')]);
      await world.complete(client.hears('connected'));
      client.connection.write([large.subarray(0, 10), large.subarray(10)]);
      await world.complete(server.until(() => server.receivedBytes === large.length + 6));
      assert.ok(Buffer.concat(server.chunks).equals(Buffer.concat([Buffer.from('early '), large])));
      server.connection.write([large]);
      await world.complete(client.until(() => client.receivedBytes === large.length));
      assert.ok(Buffer.concat(client.chunks).equals(large));
      pair.close();
    },
  },
  {
    name: 'half-close: an end that sent its last bytes still receives, and both close when both have ended',
    run: async (world, certificates) => {
      const { client, server, close } = await halves(world, certificates);
      client.connection.write([Buffer.from('request')]);
      client.connection.end();
      await world.complete(server.hears('ended'));
      assert.equal(server.text, 'request');
      server.connection.write([Buffer.from('response')]);
      await world.complete(client.until(() => client.text === 'response'));
      server.connection.end();
      await world.complete(Promise.all([client.hears('closed'), server.hears('closed')]));
      assert.equal(client.reason ?? server.reason, undefined);
      close();
    },
  },
  {
    name: 'back-pressure: a slow reader is noticed, sent waits for it and comes once, and drained follows',
    run: slowReader,
  },
  {
    name: 'sent comes once for all that is lost when the connection is destroyed, and for what is written afterwards',
    run: async (world, certificates) => {
      const { client, server, close } = await halves(world, certificates);
      server.connection.pause();
      const counts: number[] = [];
      const write = (size: number): void => {
        const index = counts.push(0) - 1;
        client.connection.write([Buffer.alloc(size)], () => {
          counts[index]! += 1;
        });
      };
      for (let index = 0; index < 24; index += 1) write(1024 * 1024);
      await pass(world, 20);
      client.connection.destroy();
      write(4);
      await world.complete(client.hears('closed'));
      write(5);
      for (let waits = 0; waits < 100 && counts.includes(0); waits += 1) await pass(world, 20);
      assert.deepEqual(
        counts,
        counts.map(() => 1),
      );
      close();
    },
  },
  {
    name: 'a server of another authority is refused by the client',
    run: async (world, certificates) => {
      const pair = new TlsPair(world, certificates);
      await pair.listen({ material: pair.material('stranger', 'ca') });
      pair.connect();
      await pair.assertRefused();
    },
  },
  {
    name: 'a server with a certificate for another name is refused, unless names do not matter',
    run: async (world, certificates) => {
      const pair = new TlsPair(world, certificates);
      await pair.listen({ material: pair.material('elsewhere', 'ca') });
      pair.connect();
      await pair.assertRefused();
      const lenient = new TlsPair(world, certificates);
      await lenient.connected({ material: pair.material('elsewhere', 'ca') }, { verifyHostname: false });
      lenient.close();
    },
  },
  {
    name: 'a server is known by its address too',
    run: async (world, certificates) => {
      const pair = await new TlsPair(world, certificates).connected({}, { serverName: '127.0.0.1' });
      pair.close();
      const other = new TlsPair(world, certificates);
      await other.listen();
      other.connect({ serverName: '127.0.0.2' });
      await other.assertRefused();
    },
  },
  {
    name: 'a client of another authority is refused by the server, whether its certificate is needed or only wanted',
    run: async (world, certificates) => {
      for (const clientAuthentication of ['need', 'want'] as const) {
        const pair = new TlsPair(world, certificates);
        await pair.listen({ clientAuthentication });
        pair.connect({ material: pair.material('stranger', 'ca') });
        await pair.failed();
        assert.equal(pair.failures[0]?.code, 'EPROTO', clientAuthentication);
        assert.ok(!pair.heard.includes('accepted'));
        pair.close();
      }
    },
  },
  {
    name: 'a client without a certificate is refused where one is needed',
    run: async (world, certificates) => {
      const pair = new TlsPair(world, certificates);
      await pair.listen();
      pair.connect({ material: pair.material(undefined, 'ca') });
      await pair.assertRefused();
      assert.equal(pair.failures[0]?.code, 'EPROTO');
    },
  },
  {
    name: 'a client without a certificate is welcome where one is wanted, or none is asked for',
    run: async (world, certificates) => {
      for (const clientAuthentication of ['want', 'none'] as const) {
        const pair = new TlsPair(world, certificates);
        await pair.connected({ clientAuthentication }, { material: pair.material(undefined, 'ca') });
        assert.deepEqual(pair.server.connection.tls?.peerCertificates, []);
        pair.close();
      }
    },
  },
  {
    name: 'an intermediate authority, or the certificate itself, may be all that is trusted',
    run: async (world, certificates) => {
      for (const trusted of ['intermediate', 'client']) {
        const pair = new TlsPair(world, certificates);
        await pair.connected({ material: pair.material('server', trusted) });
        pair.close();
      }
      const pair = await new TlsPair(world, certificates).connected(
        {},
        { material: new TlsPair(world, certificates).material('client', 'server') },
      );
      pair.close();
    },
  },
  {
    name: 'plain bytes on a TLS port are refused, and the listener goes on',
    run: async (world, certificates) => {
      const pair = new TlsPair(world, certificates);
      await pair.listen();
      pair.connectPlain();
      pair.client.connection.write([Buffer.from('no handshake')]);
      await pair.failed();
      assert.deepEqual(pair.heard, ['began', 'failed EPROTO']);
      pair.connect();
      await world.complete(pair.server.hears('connected'));
      pair.close();
    },
  },
  {
    name: 'TLS on a plain port is refused by the client',
    run: async (world, certificates) => {
      const { network } = world.runtime;
      const echo = (connection: Connection) => ({
        data: () => void connection.write([Buffer.from('no TLS here, sorry')]),
        closed: () => undefined,
      });
      const pair = new TlsPair(world, certificates);
      pair.listener = await world.complete(network.listen({ host: world.host, port: 0 }, echo));
      pair.connect();
      await world.complete(pair.client.hears('closed'));
      assert.equal(pair.client.reason?.code, 'EPROTO');
      pair.close();
    },
  },
  {
    name: 'one port for both: the first byte decides, and none of it is lost',
    run: async (world, certificates) => {
      const plain = new TlsPair(world, certificates);
      await plain.listen({ plainAllowed: true });
      plain.connectPlain();
      plain.client.connection.write([Buffer.from('plain words')]);
      await world.complete(plain.server.until(() => plain.server.text === 'plain words'));
      assert.equal(plain.server.connection.tls, undefined);
      plain.server.connection.write([Buffer.from('answer')]);
      await world.complete(plain.client.until(() => plain.client.text === 'answer'));
      plain.close();
      const secure = await new TlsPair(world, certificates).connected({ plainAllowed: true });
      secure.client.connection.write([Buffer.from('secret words')]);
      await world.complete(secure.server.until(() => secure.server.text === 'secret words'));
      assert.equal(secure.server.connection.tls?.protocol, 'TLSv1.3');
      secure.close();
    },
  },
  {
    name: 'new key material meets those who connect from then on; what is of no use is refused and changes nothing',
    run: async (world, certificates) => {
      const first = await new TlsPair(world, certificates).connected();
      first.listener.replaceTls(first.material('renewed', 'other-ca'));
      first.client.connection.write([Buffer.from('still here')]);
      await world.complete(first.server.until(() => first.server.text === 'still here'));
      const second = new TlsPair(world, certificates);
      second.listener = first.listener;
      second.connect({ material: second.material('stranger', 'ca') });
      await world.complete(second.client.hears('connected'));
      assert.deepEqual(
        bytesOf(second.client.connection.tls?.peerCertificates.slice(0, 1) ?? []),
        bytesOf(certificates('renewed').certificates),
      );
      const { privateKey } = certificates('server');
      const mismatch = { identity: { privateKey, certificates: certificates('client').certificates } };
      assert.throws(() => first.listener.replaceTls(mismatch), NetworkError);
      const third = new TlsPair(world, certificates);
      third.listener = first.listener;
      third.connect({ material: third.material('stranger', 'ca') });
      await world.complete(third.client.hears('connected'));
      for (const pair of [second, third]) pair.client.connection.destroy();
      first.close();
    },
  },
  {
    name: 'a listener whose key is not that of its certificate does not begin',
    run: async (world, certificates) => {
      const { privateKey } = certificates('server');
      const identity = { privateKey, certificates: certificates('client').certificates };
      const pair = new TlsPair(world, certificates);
      await assert.rejects(
        pair.listen({ material: { identity } }),
        (error) => error instanceof NetworkError && error.code === 'EPROTO',
      );
    },
  },
  {
    name: 'protocols and cipher suites are those that both allow',
    run: async (world, certificates) => {
      const suite = 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384';
      const pair = await new TlsPair(world, certificates).connected({ protocols: ['TLSv1.2'], cipherSuites: [suite] });
      assert.deepEqual([pair.server.connection.tls?.protocol, pair.client.connection.tls?.cipher], ['TLSv1.2', suite]);
      pair.close();
      const other = new TlsPair(world, certificates);
      await other.listen({ protocols: ['TLSv1.3'] });
      other.connect({ protocols: ['TLSv1.2'] });
      await other.assertRefused();
    },
  },
  {
    name: 'a client that begins no handshake is closed after a while',
    run: async (world, certificates) => {
      for (const plainAllowed of [false, true]) {
        const pair = new TlsPair(world, certificates);
        await pair.listen({ handshakeTimeoutMs: 30, plainAllowed });
        pair.connectPlain();
        await pair.failed();
        assert.deepEqual(pair.heard, ['began', 'failed ETIMEDOUT']);
        pair.close();
      }
    },
  },
  {
    name: 'a server that does not answer the handshake is left after a while',
    run: async (world, certificates) => {
      const pair = new TlsPair(world, certificates);
      pair.listener = await world.complete(
        world.runtime.network.listen({ host: world.host, port: 0 }, () => new End()),
      );
      pair.connect({ handshakeTimeoutMs: 30 });
      await world.complete(pair.client.hears('closed'));
      assert.equal(pair.client.reason?.code, 'ETIMEDOUT');
      pair.close();
    },
  },
  {
    name: 'a listener that closes gives up the handshakes under way, while accepted connections live on',
    run: async (world, certificates) => {
      const pair = await new TlsPair(world, certificates).connected();
      const late = new TlsPair(world, certificates);
      late.listener = pair.listener;
      late.connectPlain();
      await world.complete(late.client.hears('connected'));
      for (let waits = 0; waits < 200 && pair.heard.length < 4; waits += 1) await pass(world, 10);
      await world.complete(pair.listener.close());
      await world.complete(late.client.until(() => late.client.heard.some((each) => /ended|closed/.test(each))));
      late.client.connection.destroy();
      pair.client.connection.write([Buffer.from('still here')]);
      await world.complete(pair.server.until(() => pair.server.text === 'still here'));
      assert.deepEqual(pair.heard, ['began', 'ended', 'accepted', 'began', 'failed EPROTO']);
      pair.close();
    },
  },
  {
    name: 'who may not even begin is closed at once',
    run: async (world, certificates) => {
      const pair = new TlsPair(world, certificates);
      await pair.listen({ handshakes: { began: () => false, ended: () => assert.fail('ended') } });
      pair.connect();
      await world.complete(pair.client.hears('closed'));
      assert.ok(!pair.heard.includes('accepted'));
      pair.close();
    },
  },
];

async function halves(world: ContractWorld, certificates: Certificates) {
  const pair = await new TlsPair(world, certificates).connected();
  return { client: pair.client, server: pair.server, close: () => pair.close() };
}

async function slowReader(world: ContractWorld, certificates: Certificates): Promise<void> {
  const { client, server, close } = await halves(world, certificates);
  server.connection.pause();
  const counts: number[] = [];
  let isReady = true;
  const size = 256 * 1024;
  while (isReady && counts.length < 1024) {
    const buffer = Buffer.alloc(size, counts.length % 251);
    const index = counts.push(0) - 1;
    isReady = client.connection.write([buffer], () => {
      counts[index]! += 1;
      buffer.fill(0xff);
    });
    await turn(world);
  }
  assert.equal(isReady, false);
  await pass(world, 30);
  assert.equal(counts.at(-1), 0);
  assert.ok(!client.heard.includes('drained'));
  assert.ok(client.connection.unsentBytes > 0);
  server.connection.resume();
  await world.complete(client.hears('drained'));
  assert.equal(client.connection.unsentBytes, 0);
  await world.complete(server.until(() => server.receivedBytes === counts.length * size));
  const received = Buffer.concat(server.chunks);
  for (const [index] of counts.entries()) {
    const part = received.subarray(index * size, (index + 1) * size);
    assert.ok(part.equals(Buffer.alloc(size, index % 251)), `part ${index}`);
  }
  await pass(world, 20);
  assert.deepEqual(
    counts,
    counts.map(() => 1),
  );
  close();
}
