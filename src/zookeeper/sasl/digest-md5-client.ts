import type { Random } from '../../runtime/random.ts';
import {
  clientService,
  type DigestService,
  decoded,
  encoded,
  freshNonce,
  NONCE_COUNT,
  responseValue,
} from './digest-md5.ts';
import { parseDirectives, quoted, SaslError } from './directives.ts';

const CHALLENGE_SIZE_MAX = 2048;
const BUFFER_SIZE = 65_536;
const IN_CHALLENGE: ReadonlySet<string> = new Set(['realm', 'nonce', 'qop', 'charset', 'algorithm']);
const IN_OUTCOME: ReadonlySet<string> = new Set(['rspauth']);

export interface DigestMd5ClientOptions {
  readonly random: Random;
  readonly username: string;
  readonly password: string;
  /** Default: of a client. */
  readonly service?: DigestService;
}

/** The client's side of one exchange. The first token, which asks for the challenge, is empty. */
export class DigestMd5Client {
  readonly #options: DigestMd5ClientOptions;
  /** What the server's last word must be. */
  #expected: string | undefined;
  #isComplete = false;

  constructor(options: DigestMd5ClientOptions) {
    this.#options = options;
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  /**
   * Answers the token that goes to the server, undefined if the exchange is complete.
   * @throws SaslError the server is none that knows our password
   */
  evaluate(token: Uint8Array): Uint8Array | undefined {
    if (token.length > CHALLENGE_SIZE_MAX) throw new SaslError(`a challenge of ${token.length} bytes is too long`);
    if (this.#isComplete) throw new SaslError('the exchange is over');
    if (this.#expected === undefined) return this.#respond(token);
    if (parseDirectives(token, IN_OUTCOME).get('rspauth') !== this.#expected) {
      throw new SaslError('the server does not know the password');
    }
    this.#isComplete = true;
    return undefined;
  }

  /** As Java's client for Apache's: the user is asked for by name twice, as who proves and as whom to act. */
  #respond(challenge: Uint8Array): Uint8Array {
    const directives = parseDirectives(challenge, IN_CHALLENGE);
    const [charset, nonce] = [directives.get('charset'), directives.get('nonce')];
    if (charset !== undefined && charset !== 'utf-8') throw new SaslError('an unknown charset');
    if (directives.get('algorithm') !== 'md5-sess') throw new SaslError('the algorithm must be md5-sess');
    if (nonce === undefined) throw new SaslError('the challenge has no nonce');
    if (!(directives.get('qop') ?? 'auth').split(/[,\s]+/).includes('auth')) throw new SaslError('qop must hold auth');
    const { random, username, password, service = clientService } = this.#options;
    const [realm, cnonce, name] = [directives.get('realm') ?? '', freshNonce(random), encoded(username)];
    const material = {
      username,
      realm: decoded(realm),
      password,
      nonce,
      cnonce,
      digestUri: service.digestUri,
      qop: 'auth',
      authzid: name,
    };
    this.#expected = responseValue('server', material);
    const words = [
      ...(charset === undefined ? [] : [`charset=${charset}`]),
      `username=${quoted(name)}`,
      ...(realm === '' ? [] : [`realm=${quoted(realm)}`]),
      `nonce=${quoted(nonce)}`,
      `nc=${NONCE_COUNT}`,
      `cnonce=${quoted(cnonce)}`,
      `digest-uri="${service.digestUri}"`,
      `maxbuf=${BUFFER_SIZE}`,
      `response=${responseValue('client', material)}`,
      'qop=auth',
      `authzid=${quoted(name)}`,
    ];
    return Buffer.from(words.join(','), 'latin1');
  }
}
