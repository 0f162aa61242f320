/**
 * The mechanism DIGEST-MD5 (RFC 2831) as Java's SASL provider speaks it between ZooKeeper's servers and clients, and among its
 * servers: one realm, quality of protection `auth`, charset utf-8.
 *
 *   client                                   server
 *     ─── empty ──────────────────────────────▶
 *     ◀── realm, nonce, charset, algorithm ────      challenge
 *     ─── username, cnonce, response, … ──────▶      response
 *     ◀── rspauth ─────────────────────────────      the server knows the password too
 */
import { createHash } from 'node:crypto';
import type { Random } from '../../runtime/random.ts';

/** What both sides agree on without a word. */
export interface DigestService {
  readonly realm: string;
  readonly digestUri: string;
}

/** Of servers and clients. */
export const clientService: DigestService = { realm: 'zk-sasl-md5', digestUri: 'zookeeper/zk-sasl-md5' };
/** Among servers (QuorumAuth). */
export const quorumService: DigestService = {
  realm: 'zk-quorum-sasl-md5',
  digestUri: 'zookeeper-quorum/zk-quorum-sasl-md5',
};

/** Nobody uses a nonce twice here. */
export const NONCE_COUNT = '00000001';

export interface DigestMaterial {
  readonly username: string;
  readonly realm: string;
  readonly password: string;
  readonly nonce: string;
  readonly cnonce: string;
  /** In the peer's spelling. */
  readonly digestUri: string;
  readonly qop: string;
  /** Undefined: the client named none. */
  readonly authzid: string | undefined;
}

/**
 * The value of `response` (of `rspauth` for the server), 32 hex digits. `nonce`, `cnonce` and `authzid` are bytes held in
 * Latin-1 text, as directives are.
 */
export function responseValue(side: 'client' | 'server', material: DigestMaterial): string {
  const { username, realm, password, nonce, cnonce, digestUri, qop, authzid } = material;
  const colon = Buffer.from(':');
  const secret = md5(hashed(username), colon, hashed(realm), colon, hashed(password));
  const named = authzid === undefined ? '' : `:${authzid}`;
  const a1 = md5(secret, Buffer.from(`:${nonce}:${cnonce}${named}`, 'latin1')).toString('hex');
  const a2 = md5(Buffer.from(`${side === 'client' ? 'AUTHENTICATE' : ''}:${digestUri}`)).toString('hex');
  return md5(Buffer.from(`${a1}:${nonce}:${NONCE_COUNT}:${cnonce}:${qop}:${a2}`, 'latin1')).toString('hex');
}

/** 30 bytes of chance in base64, as many as Java takes. */
export function freshNonce(random: Random): string {
  return Buffer.from(random.bytes(30)).toString('base64');
}

/** Latin-1 wherever it can hold the text, else UTF-8 (RFC 2831, 2.1.2.1). */
function hashed(text: string): Buffer {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of Latin-1 is meant
  return Buffer.from(text, /^[\u0000-\u00ff]*$/.test(text) ? 'latin1' : 'utf8');
}

function md5(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Directive text (bytes in Latin-1) as the characters that it means. */
export function decoded(value: string): string {
  return Buffer.from(value, 'latin1').toString('utf8');
}

/** The reverse: characters as directive text. */
export function encoded(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
