import { readQuorumLogin } from '../../config/quorum-login.ts';
import type { QuorumSaslConfig } from '../../config/zoo-cfg-quorum-security.ts';
import type { Log } from '../../runtime/log.ts';
import type { Connection } from '../../runtime/network.ts';
import type { Random } from '../../runtime/random.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { MalformedError } from '../../wire/errors.ts';
import { quorumService } from '../sasl/digest-md5.ts';
import { DigestMd5Client } from '../sasl/digest-md5-client.ts';
import { DigestMd5Server } from '../sasl/digest-md5-server.ts';
import { SaslError } from '../sasl/directives.ts';
import { AuthPackets, AuthStatus, beginsAuth, encodeAuthPacket } from './auth-packet.ts';

export interface QuorumAuthOptions {
  /** Passwords by name, of those who may connect. */
  readonly users: ReadonlyMap<string, string>;
  /** Who we are where we connect. */
  readonly username: string;
  readonly password: string;
  /** `quorum.auth.serverRequireSasl`. */
  readonly serverRequires: boolean;
  /** `quorum.auth.learnerRequireSasl`. */
  readonly learnerRequires: boolean;
  readonly random: Random;
  readonly log: Log;
}

/** One side's part in the exchange on one connection. Nothing else is sent before it is over. */
export interface AuthExchange {
  /** Sends what begins it; only who connects has the first word. */
  begin?(): void;
  /**
   * Takes what arrives, possibly nothing. Answers the bytes behind the exchange once it is over, undefined before.
   * @throws MalformedError the peer is not who it should be: the connection is to be closed
   */
  take(chunk: Uint8Array): Uint8Array | undefined;
  /** A peer that closes its side before it said anything is let through all the same. */
  readonly isOptional: boolean;
}

type Writable = Pick<Connection, 'write' | 'remote'>;
const nothing = new Uint8Array(0);

/** SASL DIGEST-MD5 among the servers of an ensemble (SaslQuorumAuthServer, SaslQuorumAuthLearner). */
export class QuorumAuth {
  readonly #options: QuorumAuthOptions;

  constructor(options: QuorumAuthOptions) {
    this.#options = options;
  }

  /** Of a connection that we accepted. */
  accepting(connection: Writable): AuthExchange {
    return new ServerExchange(connection, this.#options);
  }

  /** Of a connection that we made; undefined where we do not authenticate. */
  connecting(connection: Writable): AuthExchange | undefined {
    return this.#options.learnerRequires ? new LearnerExchange(connection, this.#options) : undefined;
  }
}

/** As zoo.cfg and the JAAS file say; undefined where servers do not authenticate. @throws ConfigError */
export function quorumAuth(
  { disk, random }: Pick<Runtime, 'disk' | 'random'>,
  config: QuorumSaslConfig | undefined,
  log: Log,
): QuorumAuth | undefined {
  if (config === undefined) return undefined;
  const { serverRequires, learnerRequires } = config;
  return new QuorumAuth({ ...readQuorumLogin(disk, config), serverRequires, learnerRequires, random, log });
}

/**
 *   learner                                        server
 *     ─── in progress, empty ──────────────────────▶
 *     ◀── in progress, challenge ───────────────────
 *     ─── in progress, response ───────────────────▶
 *     ◀── success, rspauth  |  error, empty ────────
 */
class LearnerExchange implements AuthExchange {
  readonly isOptional = false;
  readonly #connection: Writable;
  readonly #mechanism: DigestMd5Client;
  readonly #packets = new AuthPackets();

  constructor(connection: Writable, { random, username, password }: QuorumAuthOptions) {
    this.#connection = connection;
    this.#mechanism = new DigestMd5Client({ random, username, password, service: quorumService });
  }

  begin(): void {
    this.#connection.write([encodeAuthPacket(AuthStatus.IN_PROGRESS, nothing)]);
  }

  take(chunk: Uint8Array): Uint8Array | undefined {
    this.#packets.add(chunk);
    for (let packet = this.#packets.next(); packet !== undefined; packet = this.#packets.next()) {
      const { status, token } = packet;
      if (status !== AuthStatus.SUCCESS && status !== AuthStatus.IN_PROGRESS) throw refused('the server refuses us');
      const response = evaluated(() => this.#mechanism.evaluate(token));
      if (this.#mechanism.isComplete !== (status === AuthStatus.SUCCESS))
        throw refused('the server ends at its own time');
      if (response === undefined) return this.#packets.rest;
      this.#connection.write([encodeAuthPacket(AuthStatus.IN_PROGRESS, response)]);
    }
    return undefined;
  }
}

class ServerExchange implements AuthExchange {
  readonly #connection: Writable;
  readonly #options: QuorumAuthOptions;
  readonly #mechanism: DigestMd5Server;
  readonly #packets = new AuthPackets();
  #hasBegun = false;

  constructor(connection: Writable, options: QuorumAuthOptions) {
    const { random, users } = options;
    this.#connection = connection;
    this.#options = options;
    this.#mechanism = new DigestMd5Server({ random, passwordOf: (name) => users.get(name), service: quorumService });
  }

  get isOptional(): boolean {
    return !this.#hasBegun && !this.#options.serverRequires;
  }

  take(chunk: Uint8Array): Uint8Array | undefined {
    this.#packets.add(chunk);
    if (!this.#hasBegun) {
      const begins = beginsAuth(this.#packets.rest);
      if (begins === undefined) return undefined;
      if (!begins) return this.#withoutAuth();
      this.#hasBegun = true;
    }
    for (let packet = this.#packets.next(); packet !== undefined; packet = this.#packets.next()) {
      if (this.#answer(packet.token)) return this.#packets.rest;
    }
    return undefined;
  }

  #withoutAuth(): Uint8Array {
    if (this.#options.serverRequires) throw refused('the peer does not authenticate');
    return this.#packets.rest;
  }

  /** The exchange is over. */
  #answer(token: Uint8Array): boolean {
    const { log, serverRequires } = this.#options;
    const server = `${this.#connection.remote.host}:${this.#connection.remote.port}`;
    try {
      const answer = evaluated(() => this.#mechanism.evaluate(token));
      const user = this.#mechanism.username;
      this.#connection.write([
        encodeAuthPacket(user === undefined ? AuthStatus.IN_PROGRESS : AuthStatus.SUCCESS, answer),
      ]);
      if (user !== undefined) log.info('a server has authenticated', { server, user });
      return user !== undefined;
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      this.#connection.write([encodeAuthPacket(AuthStatus.ERROR, nothing)]);
      if (serverRequires) throw error;
      log.warn('a server is let through, although it failed to authenticate', { server, reason: error.message });
      return true;
    }
  }
}

function evaluated<T>(evaluate: () => T): T {
  try {
    return evaluate();
  } catch (error) {
    if (error instanceof SaslError) throw refused(error.message);
    throw error;
  }
}

function refused(reason: string): MalformedError {
  return new MalformedError(`authentication failed: ${reason}`);
}
