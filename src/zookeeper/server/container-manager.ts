import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import { type DataTree, NO_NODE, type NodeId } from '../tree/data-tree.ts';
import { ttlOf } from '../tree/ephemeral-owner.ts';

export interface ContainerManagerOptions {
  readonly clock: Clock;
  readonly config: ZooCfg;
  readonly tree: DataTree;
  readonly deleteContainer: (path: string) => void;
}

/**
 * Removes containers that have lost their last child, and nodes whose time to live is over (ContainerManager). Runs where
 * transactions are made. Deletions are spread, so that many containers do not become one pause.
 */
export class ContainerManager {
  readonly #options: ContainerManagerOptions;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: ContainerManagerOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, config } = this.#options;
    this.#timer = clock.after(config.containerCheckIntervalMs, () => this.#check());
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #check(): void {
    const candidates = this.#candidates();
    const { clock, config, deleteContainer } = this.#options;
    const intervalMs = 60_000 / config.containerMaxPerMinute;
    const next = (): void => {
      if (this.#isClosed) return;
      const path = candidates.pop();
      if (path === undefined) {
        this.start();
        return;
      }
      deleteContainer(path);
      this.#timer = clock.after(intervalMs, next);
    };
    next();
  }

  #candidates(): string[] {
    const { tree } = this.#options;
    const paths: string[] = [];
    for (const path of tree.containers) if (this.#isUnused(tree.find(path))) paths.push(path);
    for (const path of tree.ttls) if (this.#isOver(tree.find(path))) paths.push(path);
    return paths.reverse();
  }

  #isUnused(node: NodeId): boolean {
    const { tree, clock, config } = this.#options;
    if (node === NO_NODE || tree.childCount(node) > 0) return false;
    // A container that never had a child is being set up.
    if (tree.cversion(node) > 0) return true;
    return config.containerMaxNeverUsedMs > 0 && clock.wallMs() - tree.mtime(node) > config.containerMaxNeverUsedMs;
  }

  #isOver(node: NodeId): boolean {
    const { tree, clock } = this.#options;
    if (node === NO_NODE || tree.childCount(node) > 0) return false;
    return clock.wallMs() - tree.mtime(node) > ttlOf(tree.ephemeralOwner(node));
  }
}
