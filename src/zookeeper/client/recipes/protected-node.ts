import { randomUuid } from '../../../runtime/random.ts';
import { type CreateMode, isEphemeral } from '../../jute/create-mode.ts';
import { ErrorCode, KeeperError } from '../../jute/errors.ts';
import type { ZookeeperClient } from '../client.ts';
import type { CreateOptions } from '../client-options.ts';
import type { NodeData } from '../multi.ts';
import { childOf } from '../paths.ts';
import { createInContainers } from './containers.ts';
import { isError } from './nodes.ts';
import { isOver, pause, untilAnswered } from './waiting.ts';

export interface ProtectedNode {
  readonly parent: string;
  /** What the name goes on with after `_c_<uuid>-`. */
  readonly name: string;
  readonly data: NodeData;
  readonly mode: CreateMode;
  readonly acl?: CreateOptions['acl'];
}

/**
 * Creates a sequential node whose name holds a UUID, so that it can be found again when the answer was lost, as Curator's
 * `withProtection`: a second node of ours in a line of contenders would wait there for ever, with nobody to delete it.
 */
export async function createProtected(
  client: ZookeeperClient,
  node: ProtectedNode,
  gaveUp: () => boolean = () => false,
): Promise<string> {
  const prefix = `_c_${randomUuid(client.runtime.random)}-`;
  const path = childOf(node.parent, prefix + node.name);
  const options = { mode: node.mode, acl: node.acl };
  for (;;) {
    try {
      return await createInContainers(client, path, node.data, options);
    } catch (error) {
      if (!(error instanceof KeeperError && error.retriable) || isOver(client)) throw error;
      await pause(client);
      const found = await findByPrefix(client, node.parent, prefix);
      if (found !== undefined) return found;
      if (gaveUp()) throw error;
    }
  }
}

/** The sync comes first: we may be with a server now that has not applied yet what the former one did. */
async function findByPrefix(client: ZookeeperClient, parent: string, prefix: string): Promise<string | undefined> {
  const names = await untilAnswered(client, async () => {
    await client.sync(parent);
    return client.getChildren(parent);
  }).catch((error: unknown) => {
    if (isError(error, ErrorCode.NONODE)) return [];
    throw error;
  });
  const name = names.find((each) => each.startsWith(prefix));
  return name === undefined ? undefined : childOf(parent, name);
}

/**
 * Deletes a node that this session created, however often the answer is lost. Resolves once it is gone; an ephemeral node whose
 * session is over goes by itself.
 */
export async function deleteSurely(client: ZookeeperClient, path: string, mode: CreateMode): Promise<void> {
  try {
    await untilAnswered(client, () => client.delete(path));
  } catch (error) {
    if (isError(error, ErrorCode.NONODE)) return;
    if (isOver(client) && isEphemeral(mode)) return;
    throw error;
  }
}
