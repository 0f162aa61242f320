import type { Slices } from '../../../base/slices.ts';
import { MalformedError } from '../../../wire/errors.ts';
import { Reader } from '../../../wire/reader.ts';
import { ErrorCode } from '../../jute/errors.ts';
import { printHex, type Zxid } from '../../jute/ids.ts';
import { AuthPacket } from '../../jute/proto.ts';
import type { ClientConnection } from '../client-connection.ts';
import type { ConnectionHost } from '../connection-host.ts';
import { HEADER_BYTES, LENGTH_BYTES, replyHeader, replySasl } from '../replies.ts';
import type { ReplyCounts } from '../reply-counts.ts';
import type { ConnectionIdentity } from './connection-identity.ts';

const NO_ZXID = 0n as Zxid;

/** Answers the requests by which a client shows who it is, and refuses who has to and has not. */
export class AuthRequests {
  readonly #client: ClientConnection;
  readonly #host: ConnectionHost;
  readonly #identity: ConnectionIdentity;
  readonly #counts: ReplyCounts;

  constructor(client: ClientConnection, host: ConnectionHost, identity: ConnectionIdentity, counts: ReplyCounts) {
    this.#client = client;
    this.#host = host;
    this.#identity = identity;
    this.#counts = counts;
  }

  /** `auth`: a scheme and credentials. */
  authenticate(xid: number, frame: Slices): void {
    // The lengths of scheme and credentials, as the other bodies' (a length below -1 ends the connection).
    const lengths = this.#host.cursor.open(frame, 8 + 4);
    const scheme = lengths.buffer();
    lengths.buffer();
    if (scheme === null) {
      this.#refuse(xid, null, 'failed');
      return;
    }
    const from = new Reader(frame);
    from.skip(8);
    const packet = AuthPacket.read(from);
    const outcome = this.#identity.authenticate(packet);
    if (outcome !== 'authenticated') {
      this.#refuse(xid, packet.scheme, outcome);
      return;
    }
    replyHeader(this.#client.out, xid, NO_ZXID, 0);
    this.#counts.sentAside(HEADER_BYTES);
  }

  #refuse(xid: number, scheme: string | null, outcome: 'failed' | 'disconnect'): void {
    this.#host.log.warn('authentication failed', { scheme, ...this.#who() });
    if (outcome === 'disconnect') this.#client.destroy();
    else this.#client.refuse(xid, NO_ZXID, ErrorCode.AUTHFAILED);
  }

  /** `sasl`: a step of the exchange. */
  evaluateSasl(xid: number, frame: Slices): void {
    const token = this.#host.cursor.open(frame, 8).buffer();
    if (token === null) throw new MalformedError('a null SASL token');
    const answer = this.#identity.evaluateSasl(token);
    const sizeBefore = this.#client.out.size;
    replySasl(this.#client.out, xid, answer.err, answer.token);
    this.#counts.sentAside(this.#client.out.size - sizeBefore - LENGTH_BYTES);
    if (answer.fault !== undefined) this.#host.log.warn(`failed to SASL authenticate: ${answer.fault}`, this.#who());
    if (answer.err !== 0) this.#client.endAfterFlush();
  }

  /** Any other request of a client that is barred. */
  refuseUnauthenticated(xid: number): void {
    this.#host.log.error('closing a session: the client has not authenticated in a scheme that is enforced', {
      enforced: this.#host.config.auth.enforcedSchemes?.join(','),
      ...this.#who(),
    });
    this.#client.refuse(xid, NO_ZXID, ErrorCode.SESSIONCLOSEDREQUIRESASLAUTH);
  }

  /** For the log. */
  #who(): { session: string; client: string } {
    const { sessionId, remote } = this.#client;
    return { session: printHex(sessionId), client: `${remote.host}:${remote.port}` };
  }
}
