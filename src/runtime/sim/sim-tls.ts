import { type Connection, type ConnectionHandler, NetworkError } from '../network.ts';
import { type ClientTls, handshakeError, type ServerTls, type TlsMaterial } from '../tls.ts';
import { checkIdentity } from '../tls-identity.ts';
import type { Scheduler, SimProcess } from './scheduler.ts';
import { type SimHandshake, SimTlsConnection, type SimTlsMessage } from './sim-tls-connection.ts';
import { agree, isFor, isTrusted } from './sim-trust.ts';

/** The timers of the machine whose end it is. */
export interface SimTlsTimers {
  readonly scheduler: Scheduler;
  readonly process: SimProcess;
}

/** A simulated listener's side of TLS. */
export class SimTlsListener {
  readonly #tls: ServerTls;
  readonly #timers: SimTlsTimers;
  readonly #accept: (connection: Connection) => ConnectionHandler;
  #material: TlsMaterial;
  /** Their handshakes are under way. */
  readonly #pending = new Set<Connection>();

  /** @throws NetworkError EPROTO when the key material is of no use */
  constructor(tls: ServerTls, timers: SimTlsTimers, accept: (connection: Connection) => ConnectionHandler) {
    this.#tls = tls;
    this.#timers = timers;
    this.#accept = accept;
    checkIdentity(tls.material);
    this.#material = tls.material;
  }

  replace(material: TlsMaterial): void {
    checkIdentity(material);
    this.#material = material;
  }

  take(inner: Connection): ConnectionHandler {
    if (this.#tls.handshakes?.began?.() === false) {
      inner.destroy();
      return { data: () => undefined, closed: () => undefined };
    }
    const cancel = expireAfter(this.#tls.handshakeTimeoutMs, this.#timers, () => connection);
    let isOver = false;
    const end = (error?: NetworkError): void => {
      if (isOver) return;
      isOver = true;
      cancel();
      this.#pending.delete(inner);
      this.#tls.handshakes?.ended?.(error);
    };
    const handshake = serverHandshake(this.#tls, this.#material, (tls) => {
      end();
      tls.attach(this.#accept(tls));
    });
    const connection: SimTlsConnection = new SimTlsConnection({ ...handshake, failed: end });
    connection.over(inner);
    this.#pending.add(inner);
    return connection;
  }

  /** Handshakes under way are given up. */
  close(): void {
    for (const inner of this.#pending) inner.destroy();
  }
}

function serverHandshake(
  tls: ServerTls,
  { identity, trusted }: TlsMaterial,
  accept: (connection: SimTlsConnection) => void,
): SimHandshake {
  let agreed: { protocol: string; cipher: string } | undefined;
  return {
    plain: (connection) => {
      if (tls.plainAllowed !== true) return false;
      connection.secured(undefined, 'none');
      accept(connection);
      return true;
    },
    message: (connection, message) => {
      if (agreed === undefined) {
        agreed = agree(tls, message as ClientTls);
        if (agreed === undefined) throw handshakeError('handshake failure: no protocol or cipher suite in common');
        if (identity === undefined) throw handshakeError('no certificate');
        const certificates = toText(identity.certificates);
        connection.say({ ...agreed, certificates, asksForCertificate: tls.clientAuthentication !== 'none' });
        return;
      }
      const peerCertificates = fromText(message);
      if (peerCertificates.length === 0 && tls.clientAuthentication === 'need') {
        throw handshakeError('peer did not return a certificate');
      }
      if (peerCertificates.length > 0 && !isTrusted(peerCertificates, trusted)) {
        throw handshakeError("the client's certificate is not trusted");
      }
      connection.secured({ ...agreed, peerCertificates }, 'gives');
      accept(connection);
    },
  };
}

/** A simulated client's side of TLS, to be connected and then attached. */
export function simTlsClient(tls: ClientTls, timers: SimTlsTimers): SimTlsConnection {
  let cancel = (): void => undefined;
  const { identity, trusted } = tls.material;
  const connection: SimTlsConnection = new SimTlsConnection({
    begin: () => {
      checkIdentity(tls.material);
      cancel = expireAfter(tls.handshakeTimeoutMs, timers, () => connection);
      connection.say({ protocols: tls.protocols, cipherSuites: tls.cipherSuites });
    },
    message: (_, message) => {
      const { protocol = '', cipher = '', asksForCertificate } = message;
      const peerCertificates = fromText(message);
      const [own] = peerCertificates;
      if (own === undefined || !isTrusted(peerCertificates, trusted)) {
        throw handshakeError("the server's certificate is not trusted");
      }
      if (tls.verifyHostname && !isFor(own, tls.serverName)) {
        throw handshakeError(`the server's certificate is not for ${tls.serverName}`);
      }
      cancel();
      connection.say({ certificates: asksForCertificate === true ? toText(identity?.certificates ?? []) : [] });
      connection.secured({ protocol, cipher, peerCertificates }, 'awaits');
      connection.introduce();
    },
    failed: () => cancel(),
  });
  return connection;
}

function expireAfter(ms: number, { scheduler, process }: SimTlsTimers, of: () => SimTlsConnection): () => void {
  const event = scheduler.after(ms, 'timer', 0, process, () =>
    of().refuse(new NetworkError('ETIMEDOUT', `no TLS handshake in ${ms} ms`)),
  );
  return () => {
    event.run = undefined;
  };
}

function toText(certificates: readonly Uint8Array[]): string[] {
  return certificates.map((der) => Buffer.from(der).toString('base64'));
}

function fromText({ certificates = [] }: SimTlsMessage): Uint8Array[] {
  return certificates.map((text) => Uint8Array.from(Buffer.from(text, 'base64')));
}
