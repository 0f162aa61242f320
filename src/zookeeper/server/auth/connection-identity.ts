import type { Id } from '../../jute/data.ts';
import { ErrorCode } from '../../jute/errors.ts';
import type { AuthPacket } from '../../jute/proto.ts';
import type { DigestMd5Server } from '../../sasl/digest-md5-server.ts';
import { SaslError } from '../../sasl/directives.ts';
import { type Authentication, withIds } from './authentication.ts';
import { parseKerberosName } from './kerberos-name.ts';
import type { AuthClient } from './provider.ts';

export interface SaslAnswer {
  /** 0, or what the reply's header says before the connection ends. */
  readonly err: number;
  /** Null: nothing more to say, or no SASL here. */
  readonly token: Uint8Array | null;
  /** For the log: what was wrong. */
  readonly fault?: string;
}

/** Who is at the other end of a connection, as far as it has shown. */
export class ConnectionIdentity {
  /** Its address first. */
  ids: readonly Id[];
  /** Authentication is enforced and still outstanding. */
  isBarred: boolean;
  readonly #authentication: Authentication;
  readonly #client: AuthClient;
  readonly #sasl: DigestMd5Server | undefined;

  constructor(authentication: Authentication, client: AuthClient, ids: readonly Id[]) {
    this.#authentication = authentication;
    this.#client = client;
    this.#sasl = authentication.beginSasl();
    this.ids = ids;
    this.isBarred = authentication.isBarred(ids);
  }

  authenticate(packet: AuthPacket): 'authenticated' | 'failed' | 'disconnect' {
    const outcome = this.#authentication.authenticate(packet, this.#client);
    if (typeof outcome === 'string') return outcome;
    this.#add(outcome);
    return 'authenticated';
  }

  /** A step of SASL (ZooKeeperServer.processSasl). A server without it answers with a null token. */
  evaluateSasl(token: Uint8Array): SaslAnswer {
    try {
      const answer = this.#sasl?.evaluate(token) ?? null;
      const name = this.#sasl?.username;
      if (name === undefined) return { err: ErrorCode.OK, token: answer };
      if (parseKerberosName(name) === undefined) throw new SaslError(`the name ${name} is malformed`);
      this.#add(this.#authentication.saslIds(name));
      return { err: ErrorCode.OK, token: answer };
    } catch (error) {
      if (!(error instanceof SaslError)) throw error;
      return { err: this.#errorOfSasl(), token: null, fault: error.message };
    }
  }

  #errorOfSasl(): number {
    if (this.#authentication.requiresSasl) return ErrorCode.SESSIONCLOSEDREQUIRESASLAUTH;
    return this.#authentication.config.sasl.allowsFailedClients ? ErrorCode.OK : ErrorCode.AUTHFAILED;
  }

  #add(ids: readonly Id[]): void {
    this.ids = withIds(this.ids, ids);
    this.isBarred = this.#authentication.isBarred(this.ids);
  }
}
