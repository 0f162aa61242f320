import { underChroot, withoutChroot } from './paths.ts';

/** The ensemble's membership, which no chroot hides. */
export const CONFIG_PATH = '/zookeeper/config';

/** Where a client's paths lie on the server. */
export class Chroot {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  serverPath(path: string): string {
    return path === CONFIG_PATH ? path : underChroot(this.#prefix, path);
  }

  clientPath(path: string): string {
    return withoutChroot(this.#prefix, path);
  }
}
