import { desanitize, sanitize } from '../../zk/entity-names.ts';
import { decodeJson, encodeJson } from '../../zk/znodes.ts';
import type { DelegationToken } from './delegation-token.ts';
import { type Principal, principalOf, principalText } from './principal.ts';

/** Since requester and owner may differ (KIP-373). */
const VERSION = 3;

/** A znode that is no token, though it was meant to be one. */
export class DamagedTokenError extends Error {
  constructor() {
    super('a delegation token in ZooKeeper cannot be read');
    this.name = 'DamagedTokenError';
  }
}

/** Names are quoted as they would be in a path; the secret is not here. Fields are in Apache's order. */
export function encodeToken(token: DelegationToken): Uint8Array {
  return encodeJson({
    issueTimestamp: token.issueTimestampMs,
    renewers: token.renewers.map(quoted),
    tokenRequester: quoted(token.requester),
    tokenId: token.tokenId,
    owner: quoted(token.owner),
    expiryTimestamp: token.expiryTimestampMs,
    maxTimestamp: token.maxTimestampMs,
    version: VERSION,
  });
}

/** Undefined where there is nothing, or no JSON. Before version 3 whoever asked for a token was its owner. @throws DamagedTokenError */
export function decodeToken(bytes: Uint8Array | null): DelegationToken | undefined {
  const json = decodeJson(bytes);
  if (json === undefined) return undefined;
  const version = numberIn(json.version);
  if (version < 1 || version > VERSION) throw new DamagedTokenError();
  const owner = unquoted(json.owner);
  if (!Array.isArray(json.renewers)) throw new DamagedTokenError();
  return {
    tokenId: textIn(json.tokenId),
    owner,
    requester: version < 3 ? owner : unquoted(json.tokenRequester),
    renewers: json.renewers.map(unquoted),
    issueTimestampMs: numberIn(json.issueTimestamp),
    maxTimestampMs: numberIn(json.maxTimestamp),
    expiryTimestampMs: numberIn(json.expiryTimestamp),
  };
}

function quoted(principal: Principal): string {
  return sanitize(principalText(principal));
}

function unquoted(value: unknown): Principal {
  const principal = principalOf(desanitize(textIn(value)));
  if (principal === undefined) throw new DamagedTokenError();
  return principal;
}

function textIn(value: unknown): string {
  if (typeof value !== 'string') throw new DamagedTokenError();
  return value;
}

function numberIn(value: unknown): number {
  if (typeof value !== 'number') throw new DamagedTokenError();
  return value;
}
