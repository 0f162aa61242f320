import { CreateMode } from '../../jute/create-mode.ts';
import type { Stat } from '../../jute/data.ts';
import { ErrorCode } from '../../jute/errors.ts';
import type { ZookeeperClient } from '../client.ts';
import type { CreateOptions } from '../client-options.ts';
import type { NodeData } from '../multi.ts';
import { childOf } from '../paths.ts';
import type { WatchEvent } from '../watch-registry.ts';
import { isError } from './nodes.ts';
import { createProtected, deleteSurely } from './protected-node.ts';
import { untilAnswered, untilGone, type Waiting } from './waiting.ts';

/**
 * Contenders below one node, each a sequential ephemeral child `_c_<uuid>-<name><digits>`. The digits order them, so all agree on
 * who is next, and each watches only whom it waits for: nobody else wakes when one leaves.
 */
export interface Line {
  readonly path: string;
  readonly name: string;
  /** The names that are followed by the digits in this line; Curator's sort by the same rule. */
  readonly names: readonly string[];
  readonly data: NodeData;
  readonly acl?: CreateOptions['acl'];
  /** Whom the contender at an index waits for; undefined if it is its turn. */
  blocker(inOrder: readonly string[], index: number): string | undefined;
}

/** A node's place in the order of its line: what follows the last of `names` in it. */
function sequenceOf(child: string, names: readonly string[]): string {
  let rest = child;
  for (const name of names) {
    const index = rest.lastIndexOf(name);
    if (index >= 0) rest = rest.slice(index + name.length);
  }
  return rest;
}

export function inOrder(children: readonly string[], names: readonly string[]): string[] {
  const keyed = children.map((child) => ({ child, sequence: sequenceOf(child, names) }));
  keyed.sort((a, b) => (a.sequence < b.sequence ? -1 : a.sequence > b.sequence ? 1 : 0));
  return keyed.map(({ child }) => child);
}

/** Each waits for the one before it. */
export function previous(inOrder: readonly string[], index: number): string | undefined {
  return inOrder[index - 1];
}

/** Our node in a line. */
export class Place {
  readonly path: string;
  /** Called when the node is deleted by anyone, us included. */
  onDeleted: () => void = () => undefined;
  readonly #client: ZookeeperClient;
  readonly #line: Line;

  private constructor(client: ZookeeperClient, line: Line, path: string) {
    this.#client = client;
    this.#line = line;
    this.path = path;
  }

  /** Creates the node. A wait that is given up leaves none behind. */
  static async take(client: ZookeeperClient, line: Line, waiting: Waiting): Promise<Place> {
    const { path: parent, name, data, acl } = line;
    const mode = CreateMode.EPHEMERAL_SEQUENTIAL;
    let gaveUp = false;
    const creating = createProtected(client, { parent, name, data, acl, mode }, () => gaveUp);
    try {
      return new Place(client, line, await waiting.race(creating));
    } catch (error) {
      gaveUp = true;
      creating.then((path) => deleteSurely(client, path, mode)).catch(() => undefined);
      throw error;
    }
  }

  /** The node's Stat when its turn has come; undefined if it has not and we do not care to wait. @throws NONODE */
  async turn(waiting: Waiting, options: { readonly wait: boolean }): Promise<Stat | undefined> {
    const client = this.#client;
    for (;;) {
      const [stat, children] = await Promise.all([
        this.read(waiting),
        waiting.ask(() => client.getChildren(this.#line.path)),
      ]);
      const contenders = inOrder(children, this.#line.names);
      const index = contenders.findIndex((name) => childOf(this.#line.path, name) === this.path);
      if (index < 0) continue; // deleted between the two answers: the next read says so
      const blocker = this.#line.blocker(contenders, index);
      if (blocker === undefined) return stat;
      if (!options.wait) return undefined;
      await untilGone(client, childOf(this.#line.path, blocker), waiting);
    }
  }

  /** From now on `onDeleted` is called. @throws NONODE */
  async read(waiting: Waiting): Promise<Stat> {
    const { stat } = await waiting.ask(() => this.#client.getData(this.path, { watch: this.#changed }));
    return stat;
  }

  /** Deletes the node, however long that takes. */
  leave(): Promise<void> {
    this.onDeleted = () => undefined;
    return deleteSurely(this.#client, this.path, CreateMode.EPHEMERAL_SEQUENTIAL);
  }

  readonly #changed = ({ type }: WatchEvent): void => {
    if (type === 'NodeDeleted') this.onDeleted();
    else void this.#watchAgain();
  };

  /** It was written, and may be gone by now; a lost answer sets no watch. */
  async #watchAgain(): Promise<void> {
    try {
      await untilAnswered(this.#client, () => this.#client.getData(this.path, { watch: this.#changed }));
    } catch (error) {
      if (isError(error, ErrorCode.NONODE)) this.onDeleted();
    }
  }
}

/** Takes a place and waits for its turn; again, if somebody deletes the node meanwhile. */
export async function standInLine(
  client: ZookeeperClient,
  line: Line,
  waiting: Waiting,
  options: { readonly wait: boolean },
): Promise<{ readonly place: Place; readonly stat: Stat } | undefined> {
  for (;;) {
    const place = await Place.take(client, line, waiting);
    try {
      const stat = await place.turn(waiting, options);
      if (stat !== undefined) return { place, stat };
    } catch (error) {
      if (isError(error, ErrorCode.NONODE)) continue;
      place.leave().catch(() => undefined);
      throw error;
    }
    await waiting.race(place.leave());
    return undefined;
  }
}
