import type { ACL } from '../jute/data.ts';

/** Permission bits (org.apache.zookeeper.ZooDefs.Perms). */
export const Perms = { READ: 1, WRITE: 2, CREATE: 4, DELETE: 8, ADMIN: 16, ALL: 31 } as const;

const worldAnyone = { scheme: 'world', id: 'anyone' };

/** Anyone may do anything. */
export const OPEN_ACL_UNSAFE: readonly ACL[] = [{ perms: Perms.ALL, id: worldAnyone }];
/** Whoever created the node, by every identity that its connection had then. */
export const CREATOR_ALL_ACL: readonly ACL[] = [{ perms: Perms.ALL, id: { scheme: 'auth', id: '' } }];
/** Anyone may read. */
export const READ_ACL_UNSAFE: readonly ACL[] = [{ perms: Perms.READ, id: worldAnyone }];
