import { Deque } from '../../../base/deque.ts';
import { ErrorCode, KeeperError } from '../../jute/errors.ts';
import type { ZookeeperClient } from '../client.ts';
import type { CreateOptions } from '../client-options.ts';
import { childOf, parentOf, validatePath } from '../paths.ts';

/** Creates what is missing of a path as persistent nodes without data. */
export async function ensurePath(
  client: ZookeeperClient,
  path: string,
  options: Pick<CreateOptions, 'acl'> = {},
): Promise<void> {
  validatePath(path);
  if (path === '/' || (await client.exists(path)) !== undefined) return;
  await ensurePath(client, parentOf(path), options);
  await client.create(path, null, options).catch(ignore(ErrorCode.NODEEXISTS));
}

/** Creates a node, and whatever is missing above it. */
export async function createRecursive(
  client: ZookeeperClient,
  path: string,
  data: Uint8Array | string | null = null,
  options: CreateOptions = {},
): Promise<string> {
  try {
    return await client.create(path, data, options);
  } catch (error) {
    if (!isError(error, ErrorCode.NONODE)) throw error;
  }
  await ensurePath(client, parentOf(path), { acl: options.acl });
  return client.create(path, data, options);
}

/** A node and all below it, parents first (ZKUtil.listSubTreeBFS); what vanishes meanwhile is left out. */
export async function listSubtree(client: ZookeeperClient, root: string): Promise<string[]> {
  const found = [root];
  const left = new Deque<string>();
  left.push(root);
  for (let path = left.shift(); path !== undefined; path = left.shift()) {
    const children = path === root ? await client.getChildren(path) : await childrenOf(client, path);
    for (const name of children) {
      found.push(childOf(path, name));
      left.push(childOf(path, name));
    }
  }
  return found;
}

/**
 * Deletes a node and all below it, children first, with `batchSize` requests under way at once. Answers false if something
 * could not be deleted (a child created meanwhile, no permission).
 */
export async function deleteRecursive(
  client: ZookeeperClient,
  root: string,
  options: { readonly batchSize?: number } = {},
): Promise<boolean> {
  const { batchSize = 1000 } = options;
  const paths = (await listSubtree(client, root)).reverse();
  let complete = true;
  for (let start = 0; start < paths.length; start += batchSize) {
    const batch = paths.slice(start, start + batchSize);
    const outcomes = await Promise.allSettled(batch.map((path) => client.delete(path)));
    complete &&= outcomes.every(({ status }) => status === 'fulfilled');
  }
  return complete;
}

/** Names below a node; none where no node is. */
export function childrenOf(client: ZookeeperClient, path: string): Promise<string[]> {
  return client.getChildren(path).catch((error: unknown) => {
    if (isError(error, ErrorCode.NONODE)) return [];
    throw error;
  });
}

/** Lets one code pass: what was wanted is so already. */
export function ignore(code: number): (error: unknown) => undefined {
  return (error) => {
    if (!isError(error, code)) throw error;
    return undefined;
  };
}

/** Whether a request failed with a code. */
export function isError(error: unknown, code: number): error is KeeperError {
  return error instanceof KeeperError && error.code === code;
}
