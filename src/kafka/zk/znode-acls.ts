import { CREATOR_ALL_ACL, OPEN_ACL_UNSAFE, READ_ACL_UNSAFE } from '../../zookeeper/client/acl.ts';
import type { ACL } from '../../zookeeper/jute/data.ts';
import { paths } from './znodes.ts';

/** Below these are secrets: nobody else reads them (`ZkData.SensitiveRootPaths`). */
const sensitiveRoots: readonly string[] = [paths.config('users'), paths.config('brokers'), paths.delegationTokens];

const forBrokersAlone: readonly ACL[] = CREATOR_ALL_ACL;
const readableByAll: readonly ACL[] = [...CREATOR_ALL_ACL, ...READ_ACL_UNSAFE];

/**
 * Who may do what with a znode that a broker of a protected cluster creates (`ZkData.defaultAcls`). Consumers of 0.8 write below
 * /consumers, with no name of their own.
 */
export function protectedAcl(path: string): readonly ACL[] {
  if (path === paths.consumers) return OPEN_ACL_UNSAFE;
  return sensitiveRoots.some((root) => path.startsWith(root)) ? forBrokersAlone : readableByAll;
}
