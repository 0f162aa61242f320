/** An issuer of tokens for tests: its keys as files and over HTTP, and whatever it signs. */
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { tempDir } from '../peers/temp-dir.ts';

export const OAUTH_MODULE = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule';
export const SECURED_VALIDATOR = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler';
export const SECURED_LOGIN = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler';

export function nowSeconds(): number {
  return Date.now() / 1000;
}

/** For the ten minutes to come. */
export function claimsOf(subject: string, others: object = {}): object {
  return { sub: subject, iat: Math.floor(nowSeconds()), exp: Math.floor(nowSeconds()) + 600, ...others };
}

type Alphabet = 'base64' | 'base64url';

function part(json: unknown, alphabet: Alphabet = 'base64url'): string {
  const text = typeof json === 'string' ? json : JSON.stringify(json);
  return Buffer.from(text).toString(alphabet).replace(/=+$/, '');
}

/** `header.claims.`; texts stand as they are. */
export function unsecured(
  claims: unknown,
  header: unknown = { alg: 'none' },
  alphabet: Alphabet = 'base64url',
): string {
  return `${part(header, alphabet)}.${part(claims, alphabet)}.`;
}

const secret = Buffer.alloc(64, 7);
const pairs = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  other: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  small: generateKeyPairSync('rsa', { modulusLength: 1024 }),
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  p521: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  ed: generateKeyPairSync('ed25519'),
};
export type KeyName = keyof typeof pairs;

/** What the issuer publishes; `other` is a key that it does not know. */
export const jwks = {
  keys: [
    ...(['rsa', 'small', 'p256', 'p384', 'p521', 'ed'] as const).map((kid) => ({
      ...pairs[kid].publicKey.export({ format: 'jwk' }),
      kid,
    })),
    { kty: 'oct', kid: 'secret', k: secret.toString('base64url') },
    { ...pairs.other.publicKey.export({ format: 'jwk' }), kid: 'encrypting', use: 'enc' },
    { kty: 'unknown', kid: 'unknown' },
  ],
};

/** A token that is signed; `kid` and `alg` may lie. */
export function signed(claims: unknown, key: KeyName = 'rsa', header: Record<string, unknown> = {}): string {
  const alg = (header.alg as string | undefined) ?? 'RS256';
  const text = `${part({ alg, kid: key, ...header })}.${part(claims)}`;
  return `${text}.${signatureOf(text, alg, pairs[key].privateKey)}`;
}

/** By the secret that the issuer publishes, or by any other. */
export function maced(claims: unknown, alg: string, header: object = {}, key: Uint8Array = secret): string {
  const text = `${part({ alg, kid: 'secret', ...header })}.${part(claims)}`;
  return `${text}.${createHmac(`sha${alg.slice(2)}`, key)
    .update(text)
    .digest('base64url')}`;
}

function signatureOf(text: string, alg: string, key: KeyObject): string {
  const bytes = Buffer.from(text);
  const hash = `sha${alg.slice(2)}`;
  if (alg === 'EdDSA') return sign(null, bytes, key).toString('base64url');
  if (alg.startsWith('ES')) return sign(hash, bytes, { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
  const padding = alg.startsWith('PS') ? { padding: 6, saltLength: Number(alg.slice(2)) / 8 } : {};
  return sign(hash, bytes, { key, ...padding }).toString('base64url');
}

/** As a URL. */
export function jwksFile(): string {
  const path = join(tempDir(), 'jwks.json');
  writeFileSync(path, JSON.stringify(jwks));
  return `file://${path}`;
}

/** By which a client of Apache's or ours logs in with a token of this issuer. */
export function credentialsLogin({ tokenUrl }: Issuer, secret = 'client-secret', options = ''): Record<string, string> {
  return {
    'sasl.mechanism': 'OAUTHBEARER',
    'sasl.jaas.config': `${OAUTH_MODULE} required clientId="client" clientSecret="${secret}" scope="a b" ${options};`,
    'sasl.login.callback.handler.class': SECURED_LOGIN,
    'sasl.oauthbearer.token.endpoint.url': tokenUrl,
  };
}

export interface Issuer {
  readonly jwksUrl: string;
  readonly tokenUrl: string;
  /** What came to the token endpoint. */
  readonly asked: readonly { readonly authorization: string | undefined; readonly body: string }[];
  close(): Promise<void>;
}

/**
 * Serves the keys, and a token for `client` with the secret `client-secret`, on a port of the system's choice; over HTTPS with a
 * PEM of key and certificate.
 */
export async function startIssuer(pem?: string): Promise<Issuer> {
  const asked: { authorization: string | undefined; body: string }[] = [];
  const authorization = `Basic ${Buffer.from('client:client-secret').toString('base64')}`;
  const serve: RequestListener = async (request, response) => {
    const body = await bodyOf(request);
    response.setHeader('Content-Type', 'application/json');
    if (request.url === '/jwks') return void response.end(JSON.stringify(jwks));
    asked.push({ authorization: request.headers.authorization, body });
    if (request.headers.authorization !== authorization) {
      response.statusCode = 401;
      return void response.end('{"error":"invalid_client","error_description":"who is this"}');
    }
    const scope = new URLSearchParams(body).get('scope') ?? 'none';
    const claims = claimsOf('client', { aud: 'kafka', iss: 'https://issuer', scope });
    response.end(JSON.stringify({ access_token: signed(claims), token_type: 'Bearer', expires_in: 600 }));
  };
  const server = pem === undefined ? createServer(serve) : createTlsServer({ key: pem, cert: pem }, serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const origin = pem === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`;
  return {
    jwksUrl: `${origin}/jwks`,
    tokenUrl: `${origin}/token`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
