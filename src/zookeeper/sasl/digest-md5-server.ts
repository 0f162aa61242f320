import { timingSafeEqual } from 'node:crypto';
import type { Random } from '../../runtime/random.ts';
import { clientService, type DigestService, decoded, freshNonce, responseValue } from './digest-md5.ts';
import { type Directives, parseDirectives, quoted, SaslError } from './directives.ts';

const RESPONSE_SIZE_MAX = 4096;
/** Java's server looks for `nonce-count` where clients send `nc`: whatever stands there counts for nothing. */
const KNOWN: ReadonlySet<string> = new Set([
  'username',
  'realm',
  'nonce',
  'cnonce',
  'nonce-count',
  'qop',
  'digest-uri',
  'response',
  'maxbuf',
  'charset',
  'cipher',
  'authzid',
]);

export interface DigestMd5ServerOptions {
  readonly random: Random;
  /** Undefined: there is no such user. */
  readonly passwordOf: (username: string) => string | undefined;
  /** Default: for clients. */
  readonly service?: DigestService;
}

/**
 * The server's side of one exchange: `evaluate` takes what the client sent and answers what goes back.
 *
 *   start ── anything ──▶ challenged ── right response ──▶ complete
 *                              └────── wrong ──▶ failed        (both for good: a further token is an error)
 */
export class DigestMd5Server {
  readonly #options: DigestMd5ServerOptions;
  readonly #service: DigestService;
  #state: 'start' | 'challenged' | 'complete' | 'failed' = 'start';
  #nonce = '';
  #username: string | undefined;

  constructor(options: DigestMd5ServerOptions) {
    this.#options = options;
    this.#service = options.service ?? clientService;
  }

  /** Who the client has proved to be; undefined until then. */
  get username(): string | undefined {
    return this.#username;
  }

  /** @throws SaslError */
  evaluate(token: Uint8Array): Uint8Array {
    if (token.length > RESPONSE_SIZE_MAX) throw new SaslError(`a response of ${token.length} bytes is too long`);
    switch (this.#state) {
      case 'start':
        this.#state = 'challenged';
        this.#nonce = freshNonce(this.#options.random);
        return Buffer.from(
          `realm=${quoted(this.#service.realm)},nonce=${quoted(this.#nonce)},charset=utf-8,algorithm=md5-sess`,
        );
      case 'challenged':
        this.#state = 'failed';
        return this.#verify(parseDirectives(token, KNOWN));
      default:
        throw new SaslError('the exchange is over');
    }
  }

  #verify(directives: Directives): Uint8Array {
    checkOffer(directives, this.#service);
    const nonce = required(directives, 'nonce');
    if (nonce !== this.#nonce) throw new SaslError('the nonce is not ours');
    const username = decoded(required(directives, 'username'));
    const cnonce = required(directives, 'cnonce');
    const response = required(directives, 'response');
    const password = this.#options.passwordOf(username);
    if (password === undefined) throw new SaslError(`no password of ${username} is known`);
    const material = {
      username,
      realm: this.#service.realm,
      password,
      nonce,
      cnonce,
      digestUri: decoded(required(directives, 'digest-uri')),
      qop: 'auth',
      authzid: directives.get('authzid'),
    };
    if (!areEqual(response, responseValue('client', material)))
      throw new SaslError(`the response of ${username} is wrong`);
    this.#state = 'complete';
    this.#username = username;
    return Buffer.from(`rspauth=${responseValue('server', material)}`);
  }
}

function checkOffer(directives: Directives, { realm, digestUri }: DigestService): void {
  const charset = directives.get('charset');
  if (charset !== undefined && charset !== 'utf-8') throw new SaslError('charset must be utf-8');
  if (decoded(directives.get('realm') ?? '') !== realm) throw new SaslError('there is no such realm');
  if ((directives.get('qop') ?? 'auth') !== 'auth') throw new SaslError('qop must be auth');
  const count = directives.get('nonce-count');
  if (count !== undefined && Number.parseInt(count, 16) !== 1) throw new SaslError('the nonce count must be 1');
  const uri = decoded(required(directives, 'digest-uri'));
  if (uri.toLowerCase() !== digestUri) throw new SaslError(`digest-uri must be ${digestUri}`);
}

function required(directives: Directives, key: string): string {
  const value = directives.get(key);
  if (value === undefined) throw new SaslError(`${key} is missing`);
  return value;
}

/** Takes as long for a good guess as for a bad one. */
function areEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given, 'latin1'), Buffer.from(expected, 'latin1')];
  return a.length === b.length && timingSafeEqual(a, b);
}
