import assert from 'node:assert/strict';
import test from 'node:test';
import { silent } from '../../../runtime/log.ts';
import type { Connection } from '../../../runtime/network.ts';
import { ClientPort } from '../client-port.ts';
import type { ServingServer } from '../serving-server.ts';
import { ServerWorld } from '../testkit/server-world.ts';
import { certificateFixture } from './certificate.fixture.ts';

const X509 = { 'authProvider.1': 'org.apache.zookeeper.server.auth.X509AuthenticationProvider' };

/** What a listener hands over once the handshake is done. */
class TlsConnection implements Connection {
  readonly remote = { host: '10.0.0.9', port: 5000 };
  readonly local = { host: '10.0.0.1', port: 2281 };
  readonly tls;
  readonly unsentBytes = 0;
  isDestroyed = false;

  constructor(peerCertificates: readonly Uint8Array[]) {
    this.tls = { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', peerCertificates };
  }

  write(): boolean {
    return true;
  }
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {
    this.isDestroyed = true;
  }
}

async function accept(config: Record<string, string>, certificates: readonly Uint8Array[]) {
  const world = await ServerWorld.start({ config });
  const connection = new TlsConnection(certificates);
  const { view } = world.server;
  const port = new ClientPort(view.config, silent);
  port.accept(world.server as ServingServer, connection, 'secure');
  const { connections } = port;
  const { stats } = view;
  const ids = [...connections].flatMap(({ ids }) => ids.map(({ scheme, id }) => `${scheme}:${id}`));
  return { ids, isDestroyed: connection.isDestroyed, failedCount: stats.authFailedCount };
}

test('a connection is the subject of its certificate from the start', async () => {
  assert.deepEqual(await accept(X509, [certificateFixture.der]), {
    ids: ['ip:10.0.0.9', `x509:${certificateFixture.subject}`],
    isDestroyed: false,
    failedCount: 0,
  });
});

test('without a certificate it is its address alone', async () => {
  assert.deepEqual(await accept(X509, []), { ids: ['ip:10.0.0.9'], isDestroyed: false, failedCount: 0 });
});

test('a certificate that no provider takes closes the connection, and is counted', async () => {
  const refused = { ids: [], isDestroyed: true, failedCount: 1 };
  assert.deepEqual(await accept({}, [certificateFixture.der]), refused);
  assert.deepEqual(await accept(X509, [certificateFixture.der.subarray(0, 50)]), refused);
});
