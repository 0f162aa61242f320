import { createHash } from 'node:crypto';
import type { ACL, Id } from '../jute/data.ts';
import { ErrorCode, KeeperError } from '../jute/errors.ts';
import { matchesIp, parseIpExpression } from './ip-acl.ts';

/** The bits of an ACL entry (ZooDefs.Perms). */
export const Perms = { READ: 1, WRITE: 2, CREATE: 4, DELETE: 8, ADMIN: 16, ALL: 31 } as const;

export const ANYONE_ID: Id = { scheme: 'world', id: 'anyone' };
/** world:anyone:cdrwa */
export const OPEN_ACL_UNSAFE: readonly ACL[] = [{ perms: Perms.ALL, id: ANYONE_ID }];
/** world:anyone:r, of `/zookeeper/config`. */
export const READ_ACL_UNSAFE: readonly ACL[] = [{ perms: Perms.READ, id: ANYONE_ID }];

/** What a server knows about an authentication scheme, as far as ACLs need it. */
export interface AclScheme {
  /** Whether an id of a requested entry is well formed. */
  isValid(id: string): boolean;
  /** Whether a connection's id fits an entry's. */
  matches(id: string, expression: string): boolean;
  /** Whether the ids of a connection may replace an `auth` entry: they prove who it is, as an address does not. */
  readonly isAuthenticated: boolean;
}
/** Those that are enabled. */
export type AclSchemes = ReadonlyMap<string, AclScheme>;

const equal = (id: string, expression: string): boolean => id === expression;

export const digestScheme: AclScheme = {
  // Java's split drops empty strings at the end.
  isValid: (id) => id.replace(/:+$/, '').split(':').length === 2,
  matches: equal,
  isAuthenticated: true,
};
export const ipScheme: AclScheme = {
  isValid: (id) => parseIpExpression(id) !== undefined,
  matches: matchesIp,
  isAuthenticated: false,
};
/**
 * Whether a connection with these ids may do what a bit stands for. An empty list lets everybody do everything.
 * @param ids what the connection has authenticated as, its address among them
 */
export function allows(acl: readonly ACL[], perm: number, ids: readonly Id[], schemes: AclSchemes): boolean {
  if (acl.length === 0) return true;
  for (const entry of acl) {
    if ((entry.perms & perm) !== 0 && entry.id.scheme === 'world' && entry.id.id === 'anyone') return true;
  }
  for (const id of ids) if (id.scheme === 'super') return true;
  for (const { perms, id: wanted } of acl) {
    if ((perms & perm) === 0) continue;
    const scheme = schemes.get(wanted.scheme);
    if (scheme === undefined) continue;
    for (const id of ids) if (id.scheme === wanted.scheme && scheme.matches(id.id, wanted.id)) return true;
  }
  return false;
}

/**
 * The list that create and setACL store for a requested one (PrepRequestProcessor.fixupACL).
 * @throws KeeperError INVALIDACL
 */
export function normalizeAcl(
  path: string,
  requested: readonly ACL[] | null,
  ids: readonly Id[],
  schemes: AclSchemes,
): readonly ACL[] {
  // What nearly every client sends.
  if (requested?.length === 1 && isWorldAnyone((requested[0] as ACL).id)) return requested;
  if (requested === null || requested.length === 0) throw new KeeperError(ErrorCode.INVALIDACL, path);
  const fixed: ACL[] = [];
  for (const entry of withoutDuplicates(requested)) {
    const { perms, id } = entry;
    if (isWorldAnyone(id)) {
      fixed.push(entry);
    } else if (id.scheme === 'auth') {
      const own = ids.filter((mine) => schemes.get(mine.scheme)?.isAuthenticated === true);
      if (own.length === 0) throw new KeeperError(ErrorCode.INVALIDACL, path);
      for (const mine of own) fixed.push({ perms, id: mine });
    } else {
      if (schemes.get(id.scheme)?.isValid(id.id) !== true) throw new KeeperError(ErrorCode.INVALIDACL, path);
      fixed.push(entry);
    }
  }
  return fixed;
}

const isWorldAnyone = (id: Id): boolean => id.scheme === 'world' && id.id === 'anyone';

function withoutDuplicates(acl: readonly ACL[]): ACL[] {
  return acl.filter((entry, index) => acl.findIndex((other) => sameEntry(entry, other)) === index);
}

function sameEntry(a: ACL, b: ACL): boolean {
  return a.perms === b.perms && a.id.scheme === b.id.scheme && a.id.id === b.id.id;
}

/** What getACL shows to who may not administer the node: digests are hidden as `user:x`. */
export function redactAcl(acl: readonly ACL[]): readonly ACL[] {
  return acl.map((entry) => {
    const colon = entry.id.id.indexOf(':');
    if (entry.id.scheme !== 'digest' || colon < 0) return entry;
    return { perms: entry.perms, id: { scheme: 'digest', id: `${entry.id.id.slice(0, colon)}:x` } };
  });
}

/**
 * The id of the digest scheme for `user:password`: `user:` and the base64 form of the hash of both.
 * @param algorithm in Node's spelling (`sha256`)
 */
export function generateDigest(userAndPassword: string, algorithm = 'sha1'): string {
  const user = userAndPassword.split(':', 1)[0] as string;
  const hash = createHash(algorithm).update(userAndPassword).digest('base64');
  return `${user}:${hash}`;
}
