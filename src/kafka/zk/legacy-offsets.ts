import type { ZookeeperClient } from '../../zookeeper/client/client.ts';
import { ErrorCode, KeeperError } from '../../zookeeper/jute/errors.ts';

/**
 * Offsets where consumers kept them before Kafka did (0.8): version 0 of OffsetCommit and OffsetFetch still means these znodes.
 *
 *   /consumers/<group>/offsets/<topic>/<partition>   the offset as decimal text
 */
export class LegacyOffsets {
  readonly #client: ZookeeperClient;

  constructor(client: ZookeeperClient) {
    this.#client = client;
  }

  /** Undefined where nothing, or nothing that is a number, was committed. @throws KeeperError */
  async get(group: string, topic: string, partition: number): Promise<number | undefined> {
    try {
      const { data } = await this.#client.getData(pathOf(group, topic, partition));
      const text = Buffer.from(data ?? []).toString();
      return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
    } catch (error) {
      if (hasCode(error, ErrorCode.NONODE)) return undefined;
      throw error;
    }
  }

  /** @throws KeeperError */
  async put(group: string, topic: string, partition: number, offset: number): Promise<void> {
    const path = pathOf(group, topic, partition);
    const data = Buffer.from(String(offset));
    for (;;) {
      try {
        await this.#client.setData(path, data);
        return;
      } catch (error) {
        if (!hasCode(error, ErrorCode.NONODE)) throw error;
      }
      await this.#createWithParents(path);
    }
  }

  async #createWithParents(path: string): Promise<void> {
    for (let slash = path.indexOf('/', 1); slash > 0; slash = path.indexOf('/', slash + 1)) {
      await this.#createUnlessThere(path.slice(0, slash));
    }
    await this.#createUnlessThere(path);
  }

  async #createUnlessThere(path: string): Promise<void> {
    try {
      await this.#client.create(path, null);
    } catch (error) {
      if (!hasCode(error, ErrorCode.NODEEXISTS)) throw error;
    }
  }
}

function pathOf(group: string, topic: string, partition: number): string {
  return `/consumers/${group}/offsets/${topic}/${partition}`;
}

function hasCode(error: unknown, code: number): boolean {
  return error instanceof KeeperError && error.code === code;
}
