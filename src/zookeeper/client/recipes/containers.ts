import { CreateMode } from '../../jute/create-mode.ts';
import { ErrorCode } from '../../jute/errors.ts';
import type { ZookeeperClient } from '../client.ts';
import type { CreateOptions } from '../client-options.ts';
import type { NodeData } from '../multi.ts';
import { parentOf } from '../paths.ts';
import { isError } from './nodes.ts';

/** Clients whose server is older than 3.5 and knows no containers. */
const withoutContainers = new WeakSet<ZookeeperClient>();

/** Creates a node, and containers for what is missing above it; the server deletes those once they have been empty for a while. */
export async function createInContainers(
  client: ZookeeperClient,
  path: string,
  data: NodeData,
  options: CreateOptions,
): Promise<string> {
  for (;;) {
    try {
      return await client.create(path, data, options);
    } catch (error) {
      if (!isError(error, ErrorCode.NONODE)) throw error;
      await ensureContainers(client, parentOf(path));
    }
  }
}

/** Creates what is missing of a path as containers; before 3.5, as persistent nodes. */
export async function ensureContainers(client: ZookeeperClient, path: string): Promise<void> {
  for (;;) {
    try {
      await createContainer(client, path);
      return;
    } catch (error) {
      if (isError(error, ErrorCode.NODEEXISTS)) return;
      if (!isError(error, ErrorCode.NONODE)) throw error;
      await ensureContainers(client, parentOf(path));
    }
  }
}

async function createContainer(client: ZookeeperClient, path: string): Promise<void> {
  if (path === '/') return;
  if (!withoutContainers.has(client)) {
    try {
      await client.create(path, null, { mode: CreateMode.CONTAINER });
      return;
    } catch (error) {
      if (!isError(error, ErrorCode.UNIMPLEMENTED)) throw error;
      withoutContainers.add(client);
    }
  }
  await client.create(path);
}
