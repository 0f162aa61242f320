import { timingSafeEqual } from 'node:crypto';
import type { Random } from '../../../runtime/random.ts';
import { sign, storedKeyOf, userOfSaslName, xor } from '../scram.ts';
import { ITERATIONS_MIN, type ScramCredential, type ScramMechanism } from '../scram-credential.ts';
import { refusedOpenly, type SaslIdentity, type SaslOutcome, type SaslServer } from './sasl-server.ts';
import { clientFinalOf, clientFirstOf } from './scram-messages.ts';
import type { TokenSecrets } from './token-secrets.ts';

export interface ScramServerOptions {
  readonly mechanism: ScramMechanism;
  /** Of users; undefined for whom there is none. */
  readonly credentialOf: (user: string) => ScramCredential | undefined;
  readonly tokens: TokenSecrets;
  readonly random: Random;
}

/** What the first half has settled. */
interface Begun {
  readonly credential: ScramCredential;
  readonly identity: SaslIdentity;
  readonly nonce: string;
  /** `client-first-bare,server-first`: what the proof signs, up to the client's last message. */
  readonly signed: string;
}

/** A refusal of which the client does not learn the reason: it could tell which users there are. */
function refused(reason: string): SaslOutcome {
  return { kind: 'refused', reason };
}

/**
 * SCRAM (RFC 5802) as Apache's `ScramSaslServer` has it: names of users, or with the extension `tokenauth=true` ids of delegation
 * tokens; channel binding and other extensions are not looked at.
 *
 *   client-first → challenge (salt, iterations, nonce) → client-final (proof) → server's signature, complete
 */
export function scramServer(options: ScramServerOptions): SaslServer {
  let begun: Begun | undefined;
  return {
    evaluate(response) {
      const text = Buffer.from(response).toString();
      if (begun !== undefined) return finish(options.mechanism, begun, text);
      const first = begin(options, text);
      if ('kind' in first) return first;
      begun = first.begun;
      return { kind: 'challenge', bytes: Buffer.from(first.challenge) };
    },
  };
}

function begin(
  options: ScramServerOptions,
  text: string,
): SaslOutcome | { readonly begun: Begun; readonly challenge: string } {
  const message = clientFirstOf(text);
  if (message === undefined) return refused('Invalid SCRAM client first message format');
  const user = userOfSaslName(message.saslName);
  if (user === undefined) return refused('Authentication failed: Credentials could not be obtained');
  const known = message.isToken ? tokenOf(options, user) : userOf(options, user);
  if (known === undefined) return refused(`Token Authentication failed: Invalid tokenId : ${user}`);
  const { credential, identity } = known;
  if (credential === undefined) return refused('Authentication failed: Invalid user credentials');
  if (message.authorizationId !== '' && message.authorizationId !== user) {
    return refusedOpenly('Authentication failed: Client requested an authorization id that is different from username');
  }
  if (credential.iterations < ITERATIONS_MIN) {
    return refused(`Iterations ${credential.iterations} is less than the minimum ${ITERATIONS_MIN}`);
  }
  const nonce = `${message.nonce}${freshNonce(options.random)}`;
  const salt = Buffer.from(credential.salt).toString('base64');
  const challenge = `r=${nonce},s=${salt},i=${credential.iterations}`;
  return { challenge, begun: { credential, identity, nonce, signed: `${message.bare},${challenge}` } };
}

interface Known {
  readonly credential: ScramCredential | undefined;
  readonly identity: SaslIdentity;
}

function userOf({ credentialOf }: ScramServerOptions, name: string): Known {
  return { credential: credentialOf(name), identity: { name, isTokenAuthenticated: false } };
}

function tokenOf({ tokens, mechanism }: ScramServerOptions, tokenId: string): Known | undefined {
  const found = tokens.find(tokenId, mechanism.name);
  if (found === undefined) return undefined;
  const { credential, owner, expiresAtMs } = found;
  return { credential, identity: { name: owner, isTokenAuthenticated: true, expiresAtMs } };
}

function finish(mechanism: ScramMechanism, { credential, identity, nonce, signed }: Begun, text: string): SaslOutcome {
  const message = clientFinalOf(text);
  if (message === undefined) return refused('Invalid SCRAM client final message format');
  if (!message.nonce.endsWith(nonce)) return refused('Invalid client nonce in the final client message.');
  const authMessage = `${signed},${message.withoutProof}`;
  const signature = sign(mechanism, credential.storedKey, authMessage);
  if (message.proof.length !== signature.length) {
    return { kind: 'broken', reason: 'a SCRAM proof has the wrong length' };
  }
  const storedKey = storedKeyOf(mechanism, xor(signature, message.proof));
  if (storedKey.length !== credential.storedKey.length || !timingSafeEqual(storedKey, credential.storedKey)) {
    return refused('Invalid client credentials');
  }
  const proof = sign(mechanism, credential.serverKey, authMessage).toString('base64');
  return { kind: 'complete', bytes: Buffer.from(`v=${proof}`), identity };
}

/** 130 bits. */
function freshNonce(random: Random): string {
  const bytes = random.bytes(17);
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
    .toString(36)
    .slice(0, 26);
}
